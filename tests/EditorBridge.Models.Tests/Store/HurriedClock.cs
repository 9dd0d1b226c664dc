using System.Collections.Concurrent;

namespace EditorBridge.Models.Tests.Store;

/// <summary>A clock whose short timers go off at once, so that waits take no time, and that remembers how long they should have been.</summary>
public sealed class HurriedClock : TimeProvider
{
    /// <summary>Timers of at least this length run in real time.</summary>
    public static readonly TimeSpan Unhurried = TimeSpan.FromMinutes(20);

    public ConcurrentQueue<TimeSpan> Waits { get; } = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime < TimeSpan.Zero || dueTime >= Unhurried) return base.CreateTimer(callback, state, dueTime, period);
        Waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), period);
    }
}
