using EditorBridge.Host.Jobs;

namespace EditorBridge.Host;

/// <summary>Ends a host that nobody uses, so that one which was started in passing does not stay for ever.</summary>
internal sealed class IdleWatch(
    HostOptions options, Activity activity, JobStore store, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<IdleWatch> log) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.IdleTimeout <= TimeSpan.Zero) return;
        var interval = TimeSpan.FromMilliseconds(Math.Clamp(options.IdleTimeout.TotalMilliseconds / 4, 50, 5000));
        using var timer = new PeriodicTimer(interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            if (store.Count() is not (0, 0)) activity.Touch();
            if (activity.Quiet < options.IdleTimeout) continue;
            log.LogInformation("Nobody has called for {Idle}: the host ends", options.IdleTimeout);
            lifetime.StopApplication();
            return;
        }
    }
}
