namespace EditorBridge.Models.Store.Pull;

/// <summary>How often something is tried again, and after how long: a waiting time that doubles, or the server's own.</summary>
internal sealed class HubPatience(TimeProvider clock)
{
    private const int MaximumTries = 6;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    // A server that wants longer than this is better left for another day.
    private static readonly TimeSpan LongestAsked = TimeSpan.FromMinutes(10);

    private int _failures;

    /// <summary>Something arrived: whatever fails from here on counts anew.</summary>
    public void Progressed() => _failures = 0;

    /// <summary>Waits before the next attempt, or gives up.</summary>
    /// <param name="subject">What was asked for.</param>
    /// <param name="fault">What went wrong.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PullException">It is of no use to try again.</exception>
    public async Task WaitAsync(string subject, HubFault fault, CancellationToken cancellation)
    {
        var wait = fault.RetryAfter ?? TimeSpan.FromTicks(Math.Min(LongestWait.Ticks, FirstWait.Ticks << _failures));
        if (!fault.Transient || ++_failures >= MaximumTries || wait > LongestAsked)
        {
            var asked = wait > LongestAsked ? $" and asks to wait {wait.TotalMinutes:0} minutes" : "";
            throw new PullException(fault.Reason, $"{subject} could not be fetched: {fault.Message}{asked}; {fault.Remedy}.", fault);
        }

        await Task.Delay(wait, clock, cancellation).ConfigureAwait(false);
    }
}
