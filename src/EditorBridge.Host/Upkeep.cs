using EditorBridge.Host.Assets;
using EditorBridge.Host.Jobs;
using Microsoft.Data.Sqlite;

namespace EditorBridge.Host;

/// <summary>Cleans up when the host starts and once a day: jobs that ended long ago, uploads that nobody wants.</summary>
internal sealed class Upkeep(
    JobRetention retention, JobStore jobs, AssetStore assets, DiskReserve reserve, HostOptions options, TimeProvider clock, ILogger<Upkeep> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Interval, clock);
        do
        {
            CleanUp();
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
    }

    private void CleanUp()
    {
        try
        {
            retention.Apply();
            if (options.KeepAssets > TimeSpan.Zero)
            {
                var removed = assets.Sweep(clock.GetUtcNow() - options.KeepAssets, jobs.NeededAssets());
                if (removed.Count > 0) log.LogInformation("Removed {Count} uploads that nobody has used for {Time}", removed.Count, options.KeepAssets);
            }

            reserve.Keep();
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            log.LogWarning(e, "Cleaning up failed; it is tried again tomorrow");
        }
    }
}
