using System.Diagnostics;
using System.Text.Json;

namespace EditorBridge.Media.Tests;

public sealed class ReadyProbesTests : IDisposable
{
    private readonly TestMedia media = new();

    public void Dispose() => media.Dispose();

    [Fact]
    public async Task One_that_was_started_ahead_says_the_same()
    {
        if (!OperatingSystem.IsLinux()) return;
        var tools = await TestMedia.ToolsAsync();
        var folder = media.PathOf("ready");
        await using var ready = new ReadyProbes(tools, folder, 2);
        foreach (var name in (string[])["a.mp4", "a 100% ü'\".MOV", "a.mkv"])
        {
            var path = await media.FilmAsync(name, 24, "24000/1001", ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
            await ready.FillAsync();
            Assert.Equal(2, ready.Waiting);
            var text = await ready.TryAskAsync(path, default);
            Assert.NotNull(text);
            using var said = JsonDocument.Parse(text);
            Assert.Single(said.RootElement.GetProperty("streams").EnumerateArray());
            Assert.Equal(Told(await new MediaProbe(tools).ProbeAsync(path)), Told(await new MediaProbe(tools) { Ready = ready }.ProbeAsync(path)));
        }

        // Those that were asked have left nothing behind.
        await ready.FillAsync();
        Assert.Equal(2, Directory.GetDirectories(folder).Length);
        await ready.DisposeAsync();
        Assert.Empty(Directory.GetDirectories(folder));
    }

    [Fact]
    public async Task What_they_cannot_tell_is_asked_anew()
    {
        if (!OperatingSystem.IsLinux()) return;
        var tools = await TestMedia.ToolsAsync();
        await using var ready = new ReadyProbes(tools, media.PathOf("ready"), 1);
        await ready.FillAsync();
        // Of another kind: nobody waiting is asked.
        Assert.Null(await ready.TryAskAsync(media.PathOf("picture.png"), default));
        Assert.Equal(1, ready.Waiting);
        var broken = media.PathOf("broken.mp4");
        await File.WriteAllTextAsync(broken, new string('x', 5000));
        var plain = await new MediaProbe(tools).ProbeAsync(broken);
        var early = await new MediaProbe(tools) { Ready = ready }.ProbeAsync(broken);
        Assert.Equal(plain.Refusal, early.Refusal);
        Assert.NotNull(plain.Refusal);

        await ready.FillAsync();
        var waits = Assert.Single(Directory.GetDirectories(media.PathOf("ready")));
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ready.TryAskAsync(broken, cancelled.Token));
        Assert.False(Directory.Exists(waits));
    }

    [Fact]
    public async Task One_whose_starter_was_killed_before_it_had_its_pipe_ends_with_the_next()
    {
        if (!OperatingSystem.IsLinux()) return;
        var tools = await TestMedia.ToolsAsync();
        var folder = media.PathOf("ready");
        var left = Directory.CreateDirectory(Path.Combine(folder, "left")).FullName;
        using (var made = Process.Start("mkfifo", [Path.Combine(left, "gate")])) await made.WaitForExitAsync();
        var start = new ProcessStartInfo(tools.FFprobePath, ["-version"]) { WorkingDirectory = left, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["FFREPORT"] = "file=gate:level=32";
        using var orphan = Process.Start(start)!;
        // Long enough for it to be there; if it is not, it finds no pipe and ends as well.
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.False(orphan.HasExited);
        await using var ready = new ReadyProbes(tools, folder, 1);
        await orphan.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(Directory.Exists(left));
    }

    private static string Told(Timeline.Outcome<MediaInfo> outcome) => JsonSerializer.Serialize(outcome.Value);
}
