using EditorBridge.Tests.Shared;
using EditorBridge.Timeline;

namespace EditorBridge.EndToEnd.Companion;

/// <summary>The companion with a real Shotcut, and Shotcut with projects that our edits wrote.</summary>
[Trait("Speed", "slow")]
public sealed class ShotcutCompanionTests : IDisposable
{
    private static readonly string[] Common = ["--steps", "2", "--seed", "7", "--prompt", "a boat & the sea", "--json"];

    // It moves its playhead once it has shown the frame there.
    private static readonly TimeSpan Seek = TimeSpan.FromSeconds(5);
    private readonly EditorDesktop desktop = new();
    private string window = "";

    private string Project => desktop.File("cut.mlt");

    public void Dispose() => desktop.Dispose();

    [EditorFact("shotcut")]
    public async Task A_gap_is_filled_from_the_clipboard()
    {
        await MakeProjectAsync();
        await OpenAsync(Project);
        await CopyTheFirstAsync();

        var trimmed = await desktop.Cli.RunAsync(["companion", "shotcut", "extend", "--frames", "10", .. Common]);
        Assert.Equal("HANDLES_LEFT", Assert.Single(trimmed.Events("error")).GetProperty("reason").GetString());

        var result = await desktop.Cli.RunAsync(["companion", "shotcut", "fill", .. Common]);
        Assert.True(result.ExitCode == 0, result.ToString());
        var clip = Assert.Single(result.Events("clip"));
        Assert.Equal(25, clip.GetProperty("frames").GetInt64());
        Assert.Contains(result.Events("notice"), notice => notice.GetProperty("message").GetString()!.Contains("put the playhead at 00:00:02:00 and press B", StringComparison.Ordinal));
        Assert.Contains(clip.GetProperty("path").GetString()!, await ClipboardAsync(), StringComparison.Ordinal);

        // To the start of the gap, overwrite, save.
        await KeyAsync("Home");
        await KeyAsync("alt+Right");
        await Task.Delay(Seek);
        await KeyAsync("b");
        await SaveAsync(Project, index => index.VideoTracks.First().Items.Count(item => item.Kind == ItemKind.Clip) > 2);
        var index = Index(Project);
        Assert.Equal([(0L, 50L), (50L, 25L), (75L, 45L)], index.VideoTracks.First().Items.Where(item => item.Kind == ItemKind.Clip).Take(3).Select(item => (item.RecordRange.Start, item.RecordRange.Duration)));
        var placed = index.VideoTracks.First().Items[1];
        Assert.Equal((Path.GetFileNameWithoutExtension(clip.GetProperty("path").GetString()), 0L, 25L), (placed.Name, placed.SourceRange!.Value.Start, placed.SourceRange.Value.Duration));
        Assert.Contains("<property name=\"shotcut:comment\">a boat &amp; the sea</property>", await File.ReadAllTextAsync(Project), StringComparison.Ordinal);
        Assert.Equal("190", await desktop.RenderAsync(Project, 190));
    }

    [EditorFact("shotcut")]
    public async Task B_roll_and_an_extension_are_pasted_beside_it()
    {
        await MakeProjectAsync();
        await OpenAsync(Project);
        await CopyTheFirstAsync();
        var before = Everything(Project);

        // Over the clip that was copied, on a track that its user adds, as the companion says.
        var broll = await desktop.Cli.RunAsync(["companion", "shotcut", "broll", .. Common]);
        Assert.True(broll.ExitCode == 0, broll.ToString());
        Assert.Contains(broll.Events("notice"), notice => notice.GetProperty("message").GetString()!.Contains("add a video track (Ctrl+I) and click its head, put the playhead at 00:00:00:00 and press B", StringComparison.Ordinal));
        await KeyAsync("ctrl+i");
        await SaveAsync(Project, index => index.VideoTracks.Count() == 2);
        await KeyAsync("ctrl+Up");
        await KeyAsync("Home");
        await Task.Delay(Seek);
        await KeyAsync("b");
        await SaveAsync(Project, index => index.VideoTracks.Last().Items.Count > 0);
        Assert.Equal([("V2", new FrameRange(0, 50), new MediaRange(FrameRate.Pal, 0, 50), Made(broll))], Everything(Project).Where(clip => clip.Track == "V2").Select(clip => (clip.Track, clip.Record, clip.Source!.Value, clip.File)));

        // After the last clip, whose own media would go on.
        var extend = await desktop.Cli.RunAsync(["companion", "shotcut", "extend", "--clip", "blue", "--frames", "40", "--generate", .. Common]);
        Assert.True(extend.ExitCode == 0, extend.ToString());
        Assert.Contains(extend.Events("notice"), notice => notice.GetProperty("message").GetString()!.Contains("click the head of track V1, put the playhead at 00:00:07:15 and press B", StringComparison.Ordinal));
        await KeyAsync("ctrl+Down");
        await KeyAsync("End");
        await Task.Delay(Seek);
        await KeyAsync("b");
        await SaveAsync(Project, index => index.Duration == 230);

        var after = Everything(Project);
        Assert.Equal(before.Count + 2, after.Count);
        Assert.Equal([("V1", new FrameRange(190, 40), Made(extend)), ("V2", new FrameRange(0, 50), Made(broll))],
            after.Where(clip => !before.Exists(old => old.File == clip.File)).Select(clip => (clip.Track, clip.Record, clip.File)));
        Assert.All(before, clip => Assert.Contains(clip, after));
        Assert.Equal("230", await desktop.RenderAsync(Project, 230));
    }

    [EditorFact("shotcut")]
    public async Task Shotcut_keeps_the_bounds_of_what_was_written_into_a_closed_project()
    {
        await MakeProjectAsync();
        var made = Project;
        foreach (var (job, place) in new (string, string[])[] { ("fill", []), ("broll", ["--in", "10", "--out-point", "+20"]), ("extend", ["--track", "1", "--in", "150", "--frames", "40"]) })
        {
            var next = desktop.File(job + ".mlt");
            var result = await desktop.Cli.RunAsync(["companion", "shotcut", job, "--closed", "--project", made, "--out", next, .. place, .. Common]);
            Assert.True(result.ExitCode == 0, result.ToString());
            made = next;
        }

        var none = await desktop.Cli.RunAsync(["companion", "shotcut", "fill", .. Common]);
        Assert.Contains(Assert.Single(none.Events("error")).GetProperty("reason").GetString(), new[] { "EDITOR_NOT_RUNNING", "PROJECT_NOT_SAVED" });
        var written = Everything(made);
        Assert.Equal(7, written.Count);
        await OpenAsync(made);
        await SaveAsync(made);
        Assert.Contains("shotcut:projectFolder", await File.ReadAllTextAsync(made), StringComparison.Ordinal);
        Assert.Equal(written, Everything(made));
        Assert.Equal("230", await desktop.RenderAsync(made, 230));
    }

    private static string Made(CliResult result) => Path.GetFileName(Assert.Single(result.Events("clip")).GetProperty("path").GetString()!);

    // The shot before the gap, as a user selects and copies it.
    private Task CopyTheFirstAsync() => desktop.UntilAsync("Shotcut copies a clip", async () =>
    {
        await KeyAsync("Home");
        await KeyAsync("ctrl+space");
        await KeyAsync("ctrl+c");
        await Task.Delay(1000);
        return (await ClipboardAsync())?.Contains("red.mov", StringComparison.Ordinal) == true;
    });

    private static TimelineIndex Index(string path) => TimelineDocument.Open(File.ReadAllBytes(path)).Value.Index;

    private static List<(string Track, FrameRange Record, MediaRange? Source, string File)> Everything(string path) => [.. Index(path).Tracks
        .SelectMany(track => track.Items.Where(item => item.Kind == ItemKind.Clip).Select(item => (track.Label, item.RecordRange, item.SourceRange, Path.GetFileName(item.Media!.Url!))))];

    private async Task MakeProjectAsync()
    {
        foreach (var (name, hue) in new[] { ("red.mov", 0), ("green.mov", 120), ("blue.mov", 240) }) await desktop.MakeShotAsync(name, hue);
        await File.WriteAllTextAsync(Project, EditorDesktop.Golden("shotcut.mlt"));
    }

    private async Task OpenAsync(string project)
    {
        desktop.Start("shotcut", "--noupgrade", project);
        await desktop.UntilAsync($"Shotcut shows {project}", async () =>
            (window = (await desktop.RunAsync("xdotool", "search", "--onlyvisible", "--name", $"^{Path.GetFileName(project)} - Shotcut$"))?.Split('\n')[0] ?? "").Length > 0);
        await Task.Delay(2000);
    }

    private async Task KeyAsync(string key)
    {
        // Without a window manager nothing gives a window the keys.
        await desktop.RunAsync("xdotool", "windowfocus", "--sync", window);
        await desktop.RunAsync("xdotool", "key", key);
        await Task.Delay(300);
    }

    private Task<string?> ClipboardAsync() => desktop.RunAsync("xclip", "-selection", "clipboard", "-o");

    private async Task SaveAsync(string project, Func<TimelineIndex, bool>? isThere = null)
    {
        var before = File.GetLastWriteTimeUtc(project);
        await desktop.UntilAsync($"Shotcut saves {project}", async () =>
        {
            await KeyAsync("ctrl+s");
            await Task.Delay(1500);
            // Half written it cannot be read.
            return File.GetLastWriteTimeUtc(project) != before && TimelineDocument.Open(await File.ReadAllBytesAsync(project)).TryGet(out var document, out _)
                && document.Index.VideoTracks.Any() && isThere?.Invoke(document.Index) != false;
        });
    }
}
