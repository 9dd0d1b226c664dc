using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd;

/// <summary>`editorbridge media show`, with the real host and ffprobe.</summary>
public sealed class MediaVerbTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly CliProgram cli;

    public MediaVerbTests() => cli = new CliProgram(folder.File("d"));

    public void Dispose()
    {
        Workspace.StopHost(folder.File("d"));
        folder.Dispose();
    }

    [FFmpegFact]
    public async Task Says_what_is_in_each_file_and_why_another_cannot_be_used()
    {
        var (film, picture, words, gone) = (folder.File("a film.mov"), folder.File("look.png"), folder.File("words.mp4"), folder.File("gone.mov"));
        await Tool.RunAsync("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=128x72:rate=24000/1001", "-frames:v", "60", "-timecode", "01:00:00:12", "-metadata:s:v", "reel_name=A001",
            "-vf", "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
            "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv", film);
        await Tool.RunAsync("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1", picture);
        await File.WriteAllTextAsync(words, "This is no film.");

        var shown = await cli.RunAsync("media", "show", gone, film, words, picture, "--json");
        Assert.Equal(1, shown.ExitCode);
        var media = shown.Events("media");
        Assert.Equal([film, picture], media.Select(one => one.GetProperty("path").GetString()));
        Assert.Equal(("24000/1001", 60, "00:00:02:12", "01:00:00:12", 128, 72), (media[0].GetProperty("rate").GetString(), media[0].GetProperty("frames").GetInt64(),
            media[0].GetProperty("duration").GetString(), media[0].GetProperty("start_timecode").GetString(),
            media[0].GetProperty("size").GetProperty("width").GetInt32(), media[0].GetProperty("size").GetProperty("height").GetInt32()));
        Assert.Equal(["bt709", "bt709", "bt709", "tv"], ((string[])["primaries", "transfer", "matrix", "range"]).Select(tag => media[0].GetProperty("color").GetProperty(tag).GetString()));
        Assert.Equal((false, true), (media[0].GetProperty("still").GetBoolean(), media[1].GetProperty("still").GetBoolean()));
        Assert.False(media[1].TryGetProperty("duration", out _));
        // What cannot be used is one sentence a file, which names it.
        var errors = shown.Events("error");
        Assert.Equal([(gone, "MEDIA_OFFLINE"), (words, "MEDIA_UNREADABLE")], errors.Select(error => (error.GetProperty("path").GetString()!, error.GetProperty("reason").GetString()!)));
        Assert.Equal(errors.Select(error => error.GetProperty("message").GetString()!), shown.Errors);
        Assert.Contains("gone.mov", shown.Errors[0], StringComparison.Ordinal);

        var text = await cli.RunAsync("media", "show", film, picture);
        Assert.True(text.ExitCode == 0 && text.Errors.Count == 0, text.ToString());
        Assert.Contains($"{film}: 128x72, 60 frames at 24000/1001 (00:00:02:12)", text.Output);
        Assert.Contains(text.Output, line => line.StartsWith("  starts at      01:00:00:12", StringComparison.Ordinal));
        Assert.Contains("  colour         primaries bt709, transfer bt709, matrix bt709, range tv", text.Output);
        Assert.Contains($"{picture}: 64x48, one picture", text.Output);
        // A newer ffprobe names the matrix as well.
        Assert.Contains(text.Output, line => line.StartsWith("  colour ", StringComparison.Ordinal) && line.EndsWith("range pc", StringComparison.Ordinal));
    }

    [LinuxFact]
    public async Task A_job_that_comes_next_does_not_look_again()
    {
        var probe = new CountedProbe(folder.File("ffmpeg"));
        cli.With("EDITORBRIDGE_FFMPEG", probe.Folder).With("EDITORBRIDGE_HOST__ReadyProbes", "0");
        foreach (var (name, seed) in new[] { ("a.mp4", 0), ("b.mp4", 3) })
        {
            await Tool.MakeMovieAsync(folder.File(name), 60, seed: seed);
            // A file that was just written may still be written to, so nothing is remembered of it.
            File.SetLastWriteTimeUtc(folder.File(name), new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        }

        var cut = new SampleCut("24.0", 86400);
        cut.Track("Video", cut.Clip("A", "a.mp4", 8, 24, 60), cut.Gap(10), cut.Clip("B", "b.mp4", 12, 30, 60)).Write(folder.File("cut.otio"));
        var shown = await cli.RunAsync("media", "show", folder.File("a.mp4"), folder.File("b.mp4"), "--json");
        Assert.True(shown.ExitCode == 0, shown.ToString());
        var asked = probe.Asked;
        Assert.Equal(["a.mp4", "b.mp4"], asked.Distinct().Order());
        var plan = await cli.RunAsync("plan", "fill", "--timeline", folder.File("cut.otio"), "--prompt", "sea", "--json");
        Assert.True(plan.ExitCode == 0, plan.ToString());
        Assert.Equal(asked, probe.Asked);
    }
}
