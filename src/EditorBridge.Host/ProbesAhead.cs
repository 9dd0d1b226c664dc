using System.ComponentModel;
using EditorBridge.Media;

namespace EditorBridge.Host;

/// <summary>Keeps ffprobes started ahead where ffprobe takes long to start, so that media which the host has never seen are looked into at once.</summary>
internal sealed class ProbesAhead(KnownMedia known, FFmpegLocator ffmpeg, DataFolder folder, HostOptions options, ILogger<ProbesAhead> log) : BackgroundService
{
    // Whoever started the host comes first.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    // A build without foreign libraries starts in less, and nothing would be won.
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(40);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.ReadyProbes == 0 || !OperatingSystem.IsLinux()) return;
        try
        {
            await Task.Delay(Pause, stoppingToken).ConfigureAwait(false);
            if (!(await ffmpeg.FindAsync(stoppingToken).ConfigureAwait(false)).TryGet(out var tools, out _)) return;
            var start = await ReadyProbes.StartTimeAsync(tools, stoppingToken).ConfigureAwait(false);
            if (start < Slow) return;
            await using var ready = new ReadyProbes(tools, Path.Combine(folder.Root, "probes"), options.ReadyProbes);
            await ready.FillAsync(stoppingToken).ConfigureAwait(false);
            log.LogDebug("ffprobe takes {Milliseconds:F0} ms to start, so {Count} wait", start.TotalMilliseconds, ready.Waiting);
            known.Ready = ready;
            await Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            log.LogDebug("No ffprobe is kept ready: {Why}", e.Message);
        }
        finally
        {
            known.Ready = null;
        }
    }
}
