namespace EditorBridge.Host;

/// <summary>Knows when the host was last of use to anybody.</summary>
internal sealed class Activity(TimeProvider clock)
{
    private long _last = clock.GetTimestamp();
    private int _calls;

    /// <summary>How long nobody has called; zero while a call is going on.</summary>
    public TimeSpan Quiet => Volatile.Read(ref _calls) > 0 ? TimeSpan.Zero : clock.GetElapsedTime(Interlocked.Read(ref _last));

    /// <summary>Something was done.</summary>
    public void Touch() => Interlocked.Exchange(ref _last, clock.GetTimestamp());

    /// <summary>Counts a call until it is disposed.</summary>
    public IDisposable Call()
    {
        Interlocked.Increment(ref _calls);
        return new Counted(this);
    }

    private sealed class Counted(Activity activity) : IDisposable
    {
        public void Dispose()
        {
            activity.Touch();
            Interlocked.Decrement(ref activity._calls);
        }
    }
}
