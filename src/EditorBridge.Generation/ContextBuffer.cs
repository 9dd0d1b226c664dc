using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>
/// Keeps the float frames that the next window takes as context: the last made so far (windows made forwards) or the first of the window (made
/// backwards), filled up with the context the window itself had.
/// </summary>
internal sealed class ContextBuffer : IDisposable
{
    private readonly LinkedList<Tensor> frames = [];
    private readonly int count;
    private readonly bool backward;

    /// <param name="count">Frames wanted.</param>
    /// <param name="backward">Whether the window's first frames are wanted.</param>
    /// <param name="before">Context before of the window, [1, 3, F, H, W], or null; frames in front of the window's own.</param>
    public ContextBuffer(int count, bool backward, Tensor? before)
    {
        this.count = count;
        this.backward = backward;
        if (backward || before is null) return;
        for (var i = Math.Max(0, before.shape[2] - count); i < before.shape[2]; i++) Add(before[0, .., i]);
    }

    /// <summary>Takes the next kept frame of the window.</summary>
    /// <param name="frame">[3, H, W]; copied.</param>
    public void Add(Tensor frame)
    {
        if (count == 0 || backward && frames.Count == count) return;
        frames.AddLast(frame.clone().DetachFromDisposeScope());
        if (frames.Count <= count) return;
        frames.First!.Value.Dispose();
        frames.RemoveFirst();
    }

    /// <summary>The context of the next window.</summary>
    /// <param name="after">Context after of this window, for a window too short to fill the next one's context.</param>
    /// <returns>[1, 3, count, H, W] in the caller's scope.</returns>
    public Tensor Context(Tensor? after)
    {
        using var scope = NewDisposeScope();
        if (backward && after is not null)
            for (var i = 0; frames.Count < count && i < after.shape[2]; i++) Add(after[0, .., i]);
        if (frames.Count != count) throw new InvalidOperationException($"{frames.Count} frames are there for a context of {count}.");
        return stack(frames.ToArray(), 1).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var frame in frames) frame.Dispose();
        frames.Clear();
    }
}
