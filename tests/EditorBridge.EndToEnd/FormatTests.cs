using System.IO.Compression;
using System.Text.Json;
using EditorBridge.Tests.Shared;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Bundles;

namespace EditorBridge.EndToEnd;

/// <summary>A job on every timeline format as a user runs it: convert, fill with new frames, extend with the media's own.</summary>
[Trait("Speed", "slow")]
public sealed class FormatTests(Workspace workspace) : IClassFixture<Workspace>
{
    private static readonly string[] Common = ["--steps", "2", "--seed", "7", "--json", "--rate", "24"];

    [FFmpegTheory]
    [InlineData(".fcpxml")]
    [InlineData(".xml")]
    [InlineData(".edl")]
    [InlineData(".mlt")]
    [InlineData(".osp")]
    public async Task A_converted_timeline_is_filled_and_extended(string ending)
    {
        var source = workspace.TwoShots($"format{ending[1..]}.otio");
        var input = Path.ChangeExtension(source, ending);
        var refused = await workspace.Cli.RunAsync("timeline", "convert", source, input, "--json");
        // Formats without a start timecode lose it.
        if (ending is ".mlt" or ".osp")
        {
            Assert.Equal("LOSSY", Assert.Single(refused.Events("error")).GetProperty("reason").GetString());
            Assert.False(File.Exists(input));
            refused = await workspace.Cli.RunAsync("timeline", "convert", source, input, "--lossy", "--json");
        }

        Assert.True(refused.ExitCode == 0, refused.ToString());
        var clip = await FillAsync(input);
        var after = Open(Output(input)).Index;
        var item = after.VideoTracks.First().Items[1];
        Assert.Equal((clip.GetProperty("name").GetString(), new FrameRange(24, 10)), (item.Name, item.RecordRange));
        Assert.Equal(clip.GetProperty("path").GetString(), MediaPath.Resolve(item.Media!.Url!, workspace.Path).Value);
        Assert.Equal([(0L, 24L), (24L, 10L), (34L, 30L)], after.VideoTracks.First().Items.Take(3).Select(each => (each.RecordRange.Start, each.RecordRange.Duration)));
        Assert.Equal((0L, 84L), after.Tracks.Where(track => track.Kind == TrackKind.Audio).SelectMany(track => track.Items).Select(each => (each.RecordRange.Start, each.RecordRange.Duration)).Single());

        // Both name the same shot: a list of edits knows it by its file alone.
        var extended = await workspace.Cli.RunAsync(["extend", "--timeline", input, "--out", Output(input), "--in", "3", "--frames", "6", "--prompt", "anything", .. Common]);
        Assert.True(extended.ExitCode == 0, extended.ToString());
        Assert.Equal("handles", Assert.Single(extended.Events("done"))!.GetProperty("clips")[0].GetProperty("kind").GetString());
        Assert.Equal(30, Open(Output(input)).Index.VideoTracks.First().Items[0].RecordRange.Duration);

        // A list of edits has one track, into which B-roll is cut: that is a test of its own.
        if (ending != ".edl")
        {
            var above = await workspace.Cli.RunAsync(["broll", "--timeline", input, "--out", Output(input), "--in", "6", "--out-point", "+8", "--prompt", "rain", .. Common]);
            Assert.True(above.ExitCode == 0, above.ToString());
            var tracks = Open(Output(input)).Index.VideoTracks.ToList();
            Assert.Equal(new FrameRange(6, 8), Assert.Single(tracks[1].Items, each => each.Kind == ItemKind.Clip).RecordRange);
            Assert.Equal(Open(input).Index.VideoTracks.First().Items.Select(each => each.RecordRange), tracks[0].Items.Select(each => each.RecordRange));
        }

        var shown = await workspace.Cli.RunAsync("timeline", "check", Output(input), "--rate", "24", "--json");
        Assert.True(shown.ExitCode == 0, shown.ToString());
        Assert.DoesNotContain(shown.Events("finding"), finding => finding.GetProperty("severity").GetString() == "warning");
    }

    [FFmpegFact]
    public async Task Broll_is_cut_into_a_list_of_edits()
    {
        var source = workspace.TwoShots("cutin.otio");
        var input = Path.ChangeExtension(source, ".edl");
        Assert.Equal(0, (await workspace.Cli.RunAsync("timeline", "convert", source, input)).ExitCode);
        var result = await workspace.Cli.RunAsync(["broll", "--timeline", input, "--out", Output(input), "--in", "6", "--out-point", "+8", "--prompt", "rain", .. Common]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains(result.Events("notice"), notice => notice.GetProperty("message").GetString()!.Contains("one video track", StringComparison.Ordinal));
        Assert.Equal([(0L, 6L), (6L, 8L), (14L, 10L)], Open(Output(input)).Index.VideoTracks.First().Items.Take(3).Select(each => (each.RecordRange.Start, each.RecordRange.Duration)));
    }

    [FFmpegTheory]
    [InlineData(".otioz")]
    [InlineData(".otiod")]
    public async Task Media_come_from_and_go_into_bundles(string ending)
    {
        var content = workspace.TwoShots($"bundle{ending[1..]}.otio", folderOfMedia: "media/");
        var inside = workspace.File($"in{ending[1..]}");
        Directory.CreateDirectory(Path.Combine(inside, "media"));
        File.Copy(content, Path.Combine(inside, "content.otio"));
        foreach (var name in new[] { "a.mp4", "b.mp4" }) File.Copy(workspace.File(name), Path.Combine(inside, "media", name));
        File.WriteAllText(Path.Combine(inside, "version.txt"), "1.0.0");
        var input = workspace.File("cut" + ending);
        if (ending == ".otioz") ZipFile.CreateFromDirectory(inside, input, CompressionLevel.NoCompression, includeBaseDirectory: false);
        else Directory.Move(inside, input);

        var clip = await FillAsync(input);
        using var bundle = TimelineBundle.Open(Output(input)).Value;
        var item = TimelineDocument.Open(bundle.Document.Span).Value.Index.VideoTracks.First().Items[1];
        Assert.Equal("media/" + Path.GetFileName(clip.GetProperty("path").GetString()), item.Media!.Url);
        Assert.Null(bundle.Unpack(item.Media.Url!));
        Assert.Equal(File.ReadAllBytes(clip.GetProperty("path").GetString()!), File.ReadAllBytes(Path.Combine(bundle.Folder, item.Media.Url!)));
        Assert.Null(bundle.Unpack("version.txt"));
        Assert.Equal("1.0.0", File.ReadAllText(Path.Combine(bundle.Folder, "version.txt")));
        foreach (var (name, arguments) in new[] { ("broll", "--in 6 --out-point +8"), ("extend", "--clip B --frames 12 --generate") })
        {
            var output = workspace.File($"{name}{ending}");
            var result = await workspace.Cli.RunAsync([name, "--timeline", input, "--out", output, .. arguments.Split(' '), "--prompt", "rain", .. Common]);
            Assert.True(result.ExitCode == 0, result.ToString());
            using var made = TimelineBundle.Open(output).Value;
            var placed = Assert.Single(TimelineDocument.Open(made.Document.Span).Value.Index.VideoTracks.SelectMany(track => track.Items), each => each.Media?.Url is { } url && !url.EndsWith("a.mp4", StringComparison.Ordinal) && !url.EndsWith("b.mp4", StringComparison.Ordinal));
            Assert.Equal(name == "broll" ? new FrameRange(6, 8) : new FrameRange(64, 12), placed.RecordRange);
            Assert.Null(made.Unpack(placed.Media!.Url!));
            Assert.True(File.Exists(Path.Combine(made.Folder, placed.Media.Url!)));
        }

        // What is there already is not written over.
        if (ending == ".otiod")
            Assert.Equal("CANNOT_WRITE", Assert.Single((await workspace.Cli.RunAsync(["fill", "--timeline", input, "--out", Output(input), "--prompt", "x", "--json"])).Events("error")).GetProperty("reason").GetString());
    }

    [FFmpegFact]
    public async Task The_shot_that_is_worked_on_comes_out_of_its_bundle_where_another_lies_over_it()
    {
        var inside = Directory.CreateDirectory(workspace.File("over")).FullName;
        Directory.CreateDirectory(Path.Combine(inside, "media"));
        foreach (var name in new[] { "a.mp4", "b.mp4" }) File.Copy(workspace.File(name), Path.Combine(inside, "media", name));
        var cut = new SampleCut();
        cut.Track("Video", cut.Gap(10), cut.Clip("under", "media/b.mp4", 0, 30, Workspace.Held)).Track("Video", cut.Clip("over", "media/a.mp4", 0, 24, Workspace.Held)).Write(Path.Combine(inside, "content.otio"));
        File.WriteAllText(Path.Combine(inside, "version.txt"), "1.0.0");
        var input = workspace.File("over.otioz");
        ZipFile.CreateFromDirectory(inside, input, CompressionLevel.NoCompression, includeBaseDirectory: false);
        var result = await workspace.Cli.RunAsync("plan", "restyle", "--timeline", input, "--clip", "under", "--prompt", "rain", "--json");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("'under'", Assert.Single(result.Events("plan")).GetProperty("source").GetString());
    }

    [FFmpegFact]
    public async Task A_bundle_of_FCPXML_is_written_whole()
    {
        var source = workspace.TwoShots("package.otio");
        var plain = Path.ChangeExtension(source, ".fcpxml");
        Assert.Equal(0, (await workspace.Cli.RunAsync("timeline", "convert", source, plain)).ExitCode);
        var input = Directory.CreateDirectory(workspace.File("cut.fcpxmld")).FullName;
        File.Move(plain, Path.Combine(input, "Info.fcpxml"));
        File.WriteAllText(Path.Combine(input, "tracking.bin"), "x");
        await FillAsync(input);
        Assert.Equal("x", File.ReadAllText(Path.Combine(Output(input), "tracking.bin")));
        Assert.Equal(10, TimelineDocument.Open(File.ReadAllBytes(Path.Combine(Output(input), "Info.fcpxml"))).Value.Index.VideoTracks.First().Items[1].RecordRange.Duration);
    }

    private async Task<JsonElement> FillAsync(string input)
    {
        var result = await workspace.Cli.RunAsync(["fill", "--timeline", input, "--out", Output(input), "--gap", "1", "--prompt", "waves on a beach", .. Common]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return Assert.Single(Assert.Single(result.Events("done")).GetProperty("clips").EnumerateArray());
    }

    private static TimelineDocument Open(string path) => TimelineDocument.Open(File.ReadAllBytes(path), FrameRate.F24).Value;

    private static string Output(string input) => Path.ChangeExtension(input, ".out" + Path.GetExtension(input));
}
