using System.Collections.Concurrent;

namespace EditorBridge.Host.Jobs;

/// <summary>Shortens the way from a call to the runner. What a signal says is in the rows as well: a lost one costs a moment, nothing else.</summary>
internal sealed class JobSignals : IDisposable
{
    private readonly SemaphoreSlim _work = new(0, 1);
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _running = new(StringComparer.Ordinal);

    /// <summary>There may be a job to run.</summary>
    public void WorkArrived()
    {
        try
        {
            _work.Release();
        }
        catch (SemaphoreFullException)
        {
            // The runner has not looked since the last one.
        }
    }

    /// <summary>Waits for work, or for <paramref name="limit"/>.</summary>
    public Task WaitForWorkAsync(TimeSpan limit, CancellationToken cancellation) => _work.WaitAsync(limit, cancellation);

    /// <summary>A token that is cancelled when a cancel of the job is asked for, until <see cref="Ended"/>.</summary>
    public CancellationToken Started(string id) => (_running[id] = new CancellationTokenSource()).Token;

    /// <summary>A cancel of the job is asked for.</summary>
    public void Cancel(string id)
    {
        if (_running.TryGetValue(id, out var source)) source.Cancel();
    }

    /// <summary>The job no longer runs.</summary>
    public void Ended(string id) => _running.TryRemove(id, out _);

    /// <inheritdoc/>
    public void Dispose() => _work.Dispose();
}
