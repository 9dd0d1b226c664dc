using EditorBridge.Client;

namespace EditorBridge.Native.OpenFx;

/// <summary>Mapped frames with a count of those who use them: threads that render may still read when newer frames take their place.</summary>
/// <param name="mapped">Ends with the last user. Whoever makes this is the first.</param>
internal sealed class ShownFrames(MappedFrames mapped) : IDisposable
{
    private int _users = 1;

    /// <summary>The frames.</summary>
    public MappedFrames Mapped => mapped;

    /// <summary>Counts one user more, who disposes this once.</summary>
    /// <returns>False when the last one has left already.</returns>
    public bool TryUse()
    {
        for (var users = Volatile.Read(ref _users); users > 0;)
        {
            var seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users) return true;
            users = seen;
        }

        return false;
    }

    /// <summary>One user leaves.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) == 0) mapped.Dispose();
    }
}
