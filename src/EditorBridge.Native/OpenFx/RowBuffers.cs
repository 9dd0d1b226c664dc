namespace EditorBridge.Native.OpenFx;

/// <summary>
/// Room for rows on their way to the disk, in pieces that are small enough to stay in the processor's cache until they are written. There is only so much of it: where the disk is
/// behind, whoever fills them waits, and memory does not grow with the frames.
/// </summary>
internal sealed class RowBuffers
{
    /// <summary>Bytes of a piece; the longest row there is fits.</summary>
    public const int PieceBytes = 512 << 10;

    /// <summary>Bytes of all of them together.</summary>
    public const int MostBytes = 64 << 20;

    private readonly SemaphoreSlim _free = new(MostBytes / PieceBytes);
    private readonly Stack<byte[]> _used = new();

    /// <summary>Takes a piece.</summary>
    /// <param name="limit">How long to wait for one.</param>
    /// <returns>Null when none came free in that time.</returns>
    public byte[]? Take(TimeSpan limit)
    {
        if (!_free.Wait(limit)) return null;
        lock (_used)
            if (_used.TryPop(out var piece)) return piece;
        return GC.AllocateUninitializedArray<byte>(PieceBytes);
    }

    /// <summary>Gives a piece back.</summary>
    public void Return(byte[] piece)
    {
        lock (_used) _used.Push(piece);
        _free.Release();
    }

    /// <summary>The same for one that somebody keeps: another may be made in its place.</summary>
    public void Replace() => _free.Release();
}
