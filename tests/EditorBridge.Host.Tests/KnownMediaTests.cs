using EditorBridge.Host.Tests.Support;
using EditorBridge.Media;

namespace EditorBridge.Host.Tests;

/// <summary>A file is probed once while it stays as it is, and again when it changed.</summary>
public sealed class KnownMediaTests
{
    [Fact]
    public async Task A_known_file_is_not_probed_again_until_it_changes()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "film.mkv");
        var tools = (await FFmpegTools.FindAsync()).Value;
        var media = new KnownMedia(TimeProvider.System);
        await FilmAsync(tools, path, 12, ageSeconds: 60);
        var first = (await media.ProbeAsync(tools, path, default)).Value;
        Assert.Equal(12, first.FrameCount);
        Assert.Same(first, (await media.ProbeAsync(tools, path, default)).Value);
        var link = Path.Combine(folder.Path, "link.mkv");
        File.CreateSymbolicLink(link, path);
        Assert.Equal(12, (await media.ProbeAsync(tools, link, default)).Value.FrameCount);

        await FilmAsync(tools, path, 20, ageSeconds: 30);
        Assert.Equal(20, (await media.ProbeAsync(tools, path, default)).Value.FrameCount);
        Assert.Equal(20, (await media.ProbeAsync(tools, link, default)).Value.FrameCount);

        File.Delete(path);
        Assert.False((await media.ProbeAsync(tools, path, default)).TryGet(out _, out var gone));
        Assert.Equal(MediaReasons.Offline, gone!.Reason);
    }

    [Fact]
    public async Task A_file_that_was_just_written_is_probed_each_time()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "film.mkv");
        var tools = (await FFmpegTools.FindAsync()).Value;
        var media = new KnownMedia(TimeProvider.System);
        // From the future, as a clock set back leaves it: never old enough, however slow this machine is.
        await FilmAsync(tools, path, 12, ageSeconds: -3600);
        var first = (await media.ProbeAsync(tools, path, default)).Value;
        Assert.NotSame(first, (await media.ProbeAsync(tools, path, default)).Value);
    }

    [Fact]
    public async Task Who_asks_meanwhile_waits_for_the_same_probe_and_may_leave()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "film.mkv");
        var tools = (await FFmpegTools.FindAsync()).Value;
        var media = new KnownMedia(TimeProvider.System);
        await FilmAsync(tools, path, 12, ageSeconds: 60);
        using var leaving = new CancellationTokenSource();
        var first = media.ProbeAsync(tools, path, leaving.Token);
        var second = media.ProbeAsync(tools, path, default);
        var third = media.ProbeAsync(tools, path, default);
        await leaving.CancelAsync();
        // It may have had its answer before it left.
        await Task.WhenAny(first);
        Assert.Equal(12, (await second).Value.FrameCount);
        Assert.Same((await second).Value, (await third).Value);

        await FilmAsync(tools, path, 20, ageSeconds: 30);
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => media.ProbeAsync(tools, path, gone.Token));
        Assert.Equal(20, (await media.ProbeAsync(tools, path, default)).Value.FrameCount);
    }

    [Fact]
    public async Task A_named_pipe_is_refused_and_not_waited_for()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "film.mkv");
        await Tool.RunAsync("mkfifo", path);
        var tools = (await FFmpegTools.FindAsync()).Value;
        var probed = await Task.Run(() => new KnownMedia(TimeProvider.System).ProbeAsync(tools, path, default)).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(MediaReasons.Unreadable, probed.Refusal!.Reason);
    }

    private static async Task FilmAsync(FFmpegTools tools, string path, int frames, int ageSeconds)
    {
        await Tool.RunAsync(tools.FFmpegPath, "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=64x36:r=24", "-frames:v", $"{frames}", "-c:v", "ffv1", path);
        File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(-ageSeconds));
    }
}
