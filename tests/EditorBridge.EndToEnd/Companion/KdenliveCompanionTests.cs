using System.Globalization;
using EditorBridge.Tests.Shared;
using EditorBridge.Timeline;

namespace EditorBridge.EndToEnd.Companion;

/// <summary>The companion with a real Kdenlive, and Kdenlive with projects that our edits wrote.</summary>
[Trait("Speed", "slow")]
public sealed class KdenliveCompanionTests : IDisposable
{
    private static readonly string[] Common = ["--steps", "2", "--seed", "7", "--prompt", "a boat at sea", "--json"];
    private readonly EditorDesktop desktop = new();
    private string kdenlive = "";

    private string Project => desktop.File("cut.kdenlive");

    public void Dispose() => desktop.Dispose();

    [EditorFact("kdenlive")]
    public async Task The_three_jobs_come_into_the_project_that_is_open()
    {
        await MakeProjectAsync();
        await OpenAsync(Project);

        // The playhead lies at the start, the gap is the only one.
        var fill = await DoneAsync("fill");
        Assert.Equal([(0L, 50L), (50L, 25L), (75L, 45L)], Bounds(Project, 1).Take(3));

        // In and out point as a user sets them, 20 frames from the tenth on.
        await StepAsync(10);
        await ActAsync("mark_in");
        await StepAsync(20);
        await ActAsync("mark_out");
        var broll = await DoneAsync("broll");
        Assert.Equal([(10L, 20L)], Bounds(Project, 2));

        // The last clip has 25 frames of its own left; from the playhead at its end it is meant without being named.
        await ActAsync("activate_video_1");
        await ActAsync("seek_end");
        var extend = await DoneAsync("extend", "--frames", "40");
        Assert.Equal([(0L, 50L), (50L, 25L), (75L, 45L), (120L, 70L), (190L, 15L)], Bounds(Project, 1));

        // The file is what Kdenlive itself saved after it had read ours, and melt renders it.
        Assert.Contains("kdenlive:docproperties.kdenliveversion", await File.ReadAllTextAsync(Project), StringComparison.Ordinal);
        var index = Index(Project);
        foreach (var (result, track) in new[] { (fill, 1), (broll, 2), (extend, 1) })
        {
            var placed = Assert.Single(result.Events("done")).GetProperty("clips").EnumerateArray().Last();
            var item = index.VideoTracks.ElementAt(track - 1).Items.Single(item => item.Name == placed.GetProperty("name").GetString());
            Assert.Equal((placed.GetProperty("record_start").GetInt64(), placed.GetProperty("frames").GetInt64()), (item.RecordRange.Start, item.RecordRange.Duration));
            Assert.True(File.Exists(placed.GetProperty("path").GetString()));
        }

        Assert.Equal("205", await desktop.RenderAsync(Project, 205));
        Assert.Equal(index.VideoTracks.First().Items.Count - 1, Index(desktop.File("cut.before-editorbridge.kdenlive")).VideoTracks.First().Items.Count);
    }

    [EditorFact("kdenlive")]
    public async Task What_is_edited_meanwhile_stays_and_a_place_that_is_gone_loses_no_clip()
    {
        await MakeProjectAsync();
        await desktop.MakeShotAsync("other.mov", 90);
        await OpenAsync(Project);

        // A clip that the user adds to the bin while frames are made.
        await MeanwhileAsync(() => CallAsync("org.kde.kdenlive.MainWindow.addProjectClip", desktop.File("other.mov")), 0);
        Assert.Contains("other.mov", await File.ReadAllTextAsync(Project), StringComparison.Ordinal);
        Assert.Equal([(0L, 50L), (50L, 25L), (75L, 45L)], Bounds(Project, 1).Take(3));

        // The shot before the gap goes while frames are made that lead on from it.
        await MakeProjectAsync();
        await ActAsync("file_revert");
        await UntilModifiedAsync(false);
        var lost = await MeanwhileAsync(
            async () =>
            {
                await ActAsync("activate_video_1");
                await ActAsync("seek_start");
                await ActAsync("select_timeline_clip");
                await ActAsync("delete_timeline_clip");
                await UntilModifiedAsync(true);
            },
            1);
        var error = Assert.Single(lost.Events("error"));
        Assert.Equal("TIMELINE_CHANGED", error.GetProperty("reason").GetString());
        Assert.Contains("project bin", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        var clip = Assert.Single(lost.Events("clip")).GetProperty("path").GetString()!;
        Assert.True(File.Exists(clip));
        await UntilModifiedAsync(true);
        await SaveAsync(Project);
        Assert.Contains(Path.GetFileName(clip), await File.ReadAllTextAsync(Project), StringComparison.Ordinal);
        Assert.DoesNotContain((50L, 25L), Bounds(Project, 1));
    }

    [EditorFact("kdenlive")]
    public async Task Kdenlive_keeps_the_bounds_of_what_was_written_into_a_closed_project()
    {
        await MakeProjectAsync();
        var made = Project;
        foreach (var (job, place) in new (string, string[])[] { ("fill", []), ("broll", ["--in", "10", "--out-point", "+20"]), ("extend", ["--track", "1", "--in", "130", "--frames", "40"]) })
        {
            var next = desktop.File(job + ".kdenlive");
            var result = await desktop.Cli.RunAsync(["companion", "kdenlive", job, "--closed", "--project", made, "--out", next, .. place, .. Common]);
            Assert.True(result.ExitCode == 0, result.ToString());
            made = next;
        }

        var written = Everything(made);
        Assert.Equal(7, written.Count);
        var none = await desktop.Cli.RunAsync(["companion", "kdenlive", "fill", .. Common]);
        Assert.Equal("EDITOR_NOT_RUNNING", Assert.Single(none.Events("error")).GetProperty("reason").GetString());
        await OpenAsync(made);
        await SaveAsync(made);
        Assert.Contains("kdenlive:docproperties.kdenliveversion", await File.ReadAllTextAsync(made), StringComparison.Ordinal);
        Assert.Equal(written, Everything(made));
        Assert.Equal("205", await desktop.RenderAsync(made, 205));
    }

    private static TimelineIndex Index(string path) => TimelineDocument.Open(File.ReadAllBytes(path)).Value.Index;

    private static List<(long Start, long Frames)> Bounds(string path, int track) => [.. Index(path).VideoTracks.ElementAt(track - 1).Items
        .Where(item => item.Kind == ItemKind.Clip).Select(item => (item.RecordRange.Start, item.RecordRange.Duration))];

    private static List<(string Track, FrameRange Record, MediaRange? Source, string File)> Everything(string path) => [.. Index(path).Tracks
        .SelectMany(track => track.Items.Where(item => item.Kind == ItemKind.Clip).Select(item => (track.Label, item.RecordRange, item.SourceRange, Path.GetFileName(item.Media!.Url!))))];

    private async Task MakeProjectAsync()
    {
        if (!File.Exists(desktop.File("red.mov")))
        {
            await desktop.MakeShotAsync("red.mov", 0);
            await desktop.MakeShotAsync("green.mov", 120);
        }

        await File.WriteAllTextAsync(Project, EditorDesktop.Golden("generation4.kdenlive"));
    }

    private async Task OpenAsync(string project)
    {
        desktop.Start("kdenlive", project);
        await desktop.UntilAsync("Kdenlive on the bus", async () =>
            (kdenlive = (await desktop.RunAsync("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames"))?
                .Split('"').FirstOrDefault(name => name.StartsWith("org.kde.kdenlive-", StringComparison.Ordinal)) ?? "").Length > 0);
        await desktop.UntilAsync($"Kdenlive shows {project}", async () => (await PropertyAsync("windowTitle"))?.Contains($"\"{Path.GetFileNameWithoutExtension(project)} ", StringComparison.Ordinal) == true);
        // Its window takes the title before the timeline is loaded, which is when the picture that greets goes.
        await desktop.UntilAsync("Kdenlive has loaded the timeline", async () => await IsSeenAsync($"^{Path.GetFileNameWithoutExtension(project)} ") && !await IsSeenAsync("^kdenlive$"));
    }

    private async Task<bool> IsSeenAsync(string title) => await desktop.RunAsync("xdotool", "search", "--onlyvisible", "--name", title) is { Length: > 0 };

    private async Task<CliResult> DoneAsync(string job, params string[] more)
    {
        var result = await desktop.Cli.RunAsync(["companion", "kdenlive", job, .. more, .. Common]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains(result.Events("notice"), notice => notice.GetProperty("message").GetString()!.StartsWith("Kdenlive has opened the project with the clip. ", StringComparison.Ordinal));
        return result;
    }

    private async Task<CliResult> MeanwhileAsync(Func<Task> edit, int exitCode)
    {
        var meanwhile = Task.CompletedTask;
        var result = await desktop.Cli.RunAsync(
            (line, _) =>
            {
                if (meanwhile == Task.CompletedTask && line.Contains("\"running\"", StringComparison.Ordinal)) meanwhile = edit();
            },
            ["companion", "kdenlive", "fill", "--steps", "60", .. Common[2..]]);
        await meanwhile;
        Assert.NotSame(Task.CompletedTask, meanwhile);
        Assert.True(result.ExitCode == exitCode, result.ToString());
        return result;
    }

    private async Task StepAsync(int frames)
    {
        for (var i = 0; i < frames; i++) await ActAsync("monitor_seek_forward-one-frame");
        // The playhead follows a moment later.
        await Task.Delay(1500);
    }

    private async Task SaveAsync(string project)
    {
        var before = File.GetLastWriteTimeUtc(project);
        await ActAsync("file_save");
        await desktop.UntilAsync($"Kdenlive saves {project}", () => Task.FromResult(File.GetLastWriteTimeUtc(project) != before));
        await UntilModifiedAsync(false);
    }

    private Task UntilModifiedAsync(bool isModified) => desktop.UntilAsync($"the project is {(isModified ? "" : "not ")}modified",
        async () => (await PropertyAsync("windowModified"))?.Contains(isModified ? "boolean true" : "boolean false", StringComparison.Ordinal) == true);

    private Task ActAsync(string action) => CallAsync("org.kde.KMainWindow.activateAction", action);

    private async Task CallAsync(string method, string argument) => Assert.NotNull(
        await desktop.RunAsync("dbus-send", "--session", "--print-reply", "--reply-timeout=50000", $"--dest={kdenlive}", "/kdenlive/MainWindow_1", method, string.Create(CultureInfo.InvariantCulture, $"string:{argument}")));

    private Task<string?> PropertyAsync(string name) => desktop.RunAsync("dbus-send", "--session", "--print-reply", $"--dest={kdenlive}", "/kdenlive/MainWindow_1", "org.freedesktop.DBus.Properties.Get",
        "string:org.qtproject.Qt.QWidget", $"string:{name}");
}
