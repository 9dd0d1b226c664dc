using System.Text;
using System.Text.Json;
using CsCheck;
using EditorBridge.Timeline.Conversion;

namespace EditorBridge.Timeline.Tests;

/// <summary>Timelines in other formats: what comes along is at its exact place with its exact frames, and what does not is said.</summary>
public class ConversionTests
{
    public static readonly TheoryData<string> Targets = [.. TimelineConversion.Endings];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Clips_of_any_timeline_come_along_at_their_places(string ending)
    {
        var clips = 0;
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var source = EditProperties.Open(seed);
            if (!TimelineConversion.Convert(source, ending, Locate).TryGet(out var converted, out var refusal))
            {
                Assert.Contains(refusal.Reason, new[] { "DOCUMENT_UNKNOWN", "RATE_UNKNOWN", "OFF_GRID" });
                Assert.True(refusal.Reason != "DOCUMENT_UNKNOWN" || ending == ".edl");
                return;
            }

            var index = converted.Document.Index;
            Assert.Equal(source.Index.Rate, index.Rate);
            if (ending is ".otio" or ".fcpxml" or ".xml") Assert.Equal(source.Index.StartFrame, index.StartFrame);
            var found = index.Tracks.SelectMany(track => track.Items.Where(item => item.Kind == ItemKind.Clip).Select(item => (track.Kind, item))).ToList();
            foreach (var (kind, item) in found)
            {
                Interlocked.Increment(ref clips);
                var offset = index.StartFrame - source.Index.StartFrame;
                if (ending is ".mlt" or ".osp") offset = 0;
                var was = source.Index.Tracks.Where(track => track.Kind == kind).SelectMany(track => track.Items)
                    .First(old => old.Kind == ItemKind.Clip && (ending == ".edl" ? FileName(old) : Name(old)) == item.Name && old.RecordRange.Start == item.RecordRange.Start + offset);
                Assert.Equal(was.RecordRange.Duration, item.RecordRange.Duration);
                // Counted from the first frame of the media where one of the two formats does so.
                var (then, now) = (was.SourceRange!.Value.Start, item.SourceRange!.Value.Start);
                var first = source.Index.Tracks.SelectMany(track => track.Items).Where(other => other.Media?.Url == was.Media!.Url && other.Media!.AvailableRange is null)
                    .Select(other => other.SourceRange?.Start).Min();
                Assert.True(now == then || now == then - (was.Media!.AvailableRange?.Start ?? first), $"{was.Label}: {then} became {now}");
                Assert.Contains(FileName(was), Uri.UnescapeDataString(item.Media!.Url!), StringComparison.Ordinal);
            }

            // Each clip that did not come along is named, and nothing is said where all is there.
            var all = source.Index.Tracks.SelectMany(track => track.Items).Count(item => item.Kind is ItemKind.Clip or ItemKind.Nested);
            if (found.Count < all) Assert.NotEmpty(converted.Lost);
            if (converted.Lost.Count == 0) Assert.DoesNotContain(source.Index.Tracks.SelectMany(track => track.Items), item => item.Kind == ItemKind.Transition || item.Effects.Count > 0);
        }, iter: 250);
        Assert.True(clips > 300, $"Only {clips} clips were converted.");
    }

    [Fact]
    public void What_is_lost_is_said_one_by_one()
    {
        var source = TimelineDocument.Open(Encoding.UTF8.GetBytes(MltTests.Text("cut.fcpxml"))).Value;
        var lost = string.Join('\n', TimelineConversion.Convert(source, ".xml", Locate).Value.Lost);
        Assert.Contains("The transition on V1 at 01:00:04:20 becomes a cut.", lost, StringComparison.Ordinal);
        Assert.Contains("'blue' on V1 at 01:00:04:20 loses the effect 'Blur'.", lost, StringComparison.Ordinal);
        Assert.Contains("'Where' on V2", lost, StringComparison.Ordinal);
        Assert.Contains("left out: an EDL has one video track", string.Join('\n', TimelineConversion.Convert(source, ".edl", Locate).Value.Lost), StringComparison.Ordinal);
        Assert.Equal("OUT_ENDING", TimelineConversion.Convert(source, ".aaf", Locate).Refusal!.Reason);
    }

    [Fact]
    public void A_clip_called_black_is_a_clip_in_an_EDL()
    {
        var source = TimelineDocument.Open(Encoding.UTF8.GetBytes(MltTests.Text("cut.fcpxml").Replace("\"blue\"", "\"Black\"", StringComparison.Ordinal))).Value;
        Assert.Contains(source.Index.VideoTracks.First().Items, item => item.Name == "Black");
        var converted = TimelineConversion.Convert(source, ".edl", Locate).Value.Document;
        Assert.Contains(" BLACK2 ", Encoding.UTF8.GetString(converted.Bytes.Span), StringComparison.Ordinal);
        Assert.Equal(source.Index.VideoTracks.First().Items.Count(item => item.Kind == ItemKind.Clip), converted.Index.VideoTracks.First().Items.Count(item => item.Kind == ItemKind.Clip));
    }

    [Fact]
    public void A_plain_cut_loses_nothing_and_comes_back_the_same()
    {
        const string list = "TITLE: X\nFCM: NON-DROP FRAME\n\n001  A        V     C        01:00:00:10 01:00:02:10 01:00:00:00 01:00:02:00\n* FROM CLIP NAME: A.mov\n* SOURCE FILE: /m/A.mov\n"
            + "002  A        V     C        01:00:05:00 01:00:06:00 01:00:03:00 01:00:04:00\n* FROM CLIP NAME: A.mov\n* SOURCE FILE: /m/A.mov\n"
            + "003  MUSIC    A     C        00:00:00:00 00:00:04:00 01:00:00:00 01:00:04:00\n* FROM CLIP NAME: MUSIC.wav\n* SOURCE FILE: /m/MUSIC.wav\n";
        var source = TimelineDocument.Open(Encoding.UTF8.GetBytes(list), FrameRate.Pal).Value;
        var xml = TimelineConversion.Convert(source, ".otio", Locate).Value;
        Assert.All(xml.Lost, said => Assert.Contains("where its media begin", said, StringComparison.Ordinal));
        var back = TimelineConversion.Convert(xml.Document, ".edl", Locate).Value;
        Assert.Empty(back.Lost);
        Assert.Equal(list, Encoding.UTF8.GetString(back.Document.Bytes.Span));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Two_parts_of_a_file_of_which_nothing_is_said_stay_as_far_apart(string ending)
    {
        const string list = "TITLE: X\nFCM: NON-DROP FRAME\n\n001  A001     V     C        00:00:04:00 00:00:06:00 01:00:00:00 01:00:02:00\n* FROM CLIP NAME: a.mp4\n"
            + "002  A002     V     C        00:00:05:00 00:00:07:00 01:00:03:00 01:00:05:00\n* FROM CLIP NAME: a.mp4\n";
        var source = TimelineDocument.Open(Encoding.UTF8.GetBytes(list), FrameRate.F24).Value;
        var items = TimelineConversion.Convert(source, ending, Locate).Value.Document.Index.VideoTracks.First().Items.Where(item => item.Kind == ItemKind.Clip).ToList();
        var start = ending is ".mlt" or ".osp" ? 0 : 96;
        Assert.Equal([new MediaRange(FrameRate.F24, start, 48), new MediaRange(FrameRate.F24, start + 24, 48)], items.Select(item => item.SourceRange!.Value));
        if (ending is not ".edl") Assert.All(items, item => Assert.Equal(new MediaRange(FrameRate.F24, start, 72), item.Media!.AvailableRange));
    }

    [Fact]
    public void A_file_that_is_used_twice_is_in_OpenShots_list_once()
    {
        const string list = "TITLE: X\nFCM: NON-DROP FRAME\n\n001  A001     V     C        00:00:04:00 00:00:06:00 01:00:00:00 01:00:02:00\n* FROM CLIP NAME: a.mp4\n"
            + "002  B001     V     C        00:00:00:00 00:00:01:00 01:00:02:00 01:00:03:00\n* FROM CLIP NAME: b.mp4\n"
            + "003  A001     V     C        00:00:05:00 00:00:07:00 01:00:03:00 01:00:05:00\n* FROM CLIP NAME: a.mp4\n";
        var source = TimelineDocument.Open(Encoding.UTF8.GetBytes(list), FrameRate.F24).Value;
        using var project = JsonDocument.Parse(TimelineConversion.Convert(source, ".osp", Locate).Value.Document.Bytes);
        string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
        var files = project.RootElement.GetProperty("files").EnumerateArray().ToDictionary(file => Text(file, "path"), file => Text(file, "id"));
        Assert.Equal(2, files.Values.Distinct().Count());
        var clips = project.RootElement.GetProperty("clips").EnumerateArray().ToList();
        Assert.Equal(3, clips.Select(clip => Text(clip, "id")).Distinct().Count());
        Assert.All(clips, clip => Assert.Equal(files[Text(clip.GetProperty("reader"), "path")], Text(clip, "file_id")));
    }

    private static string Name(TrackItem item) => item.Name.Length > 0 ? item.Name : FileName(item);

    private static string FileName(TrackItem item) => Path.GetFileNameWithoutExtension(Uri.UnescapeDataString(item.Media?.Url ?? ""));

    private static string Locate(string url) => MediaPath.Resolve(url, "/m").TryGet(out var path, out _) ? MediaPath.ToUrl(path) : url;
}
