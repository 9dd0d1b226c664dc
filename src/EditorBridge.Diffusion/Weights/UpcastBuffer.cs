using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Weights;

/// <summary>
/// Memory on the CPU for one weight at a time, for as long as a pass of a network lasts: asking the system for tens of megabytes anew for every product, zeroed page
/// by page, takes longer than upcasting the weight does.
/// </summary>
internal sealed class UpcastBuffer : IDisposable
{
    [ThreadStatic]
    private static UpcastBuffer? open;

    private readonly bool outermost;
    private Tensor? values;

    private UpcastBuffer()
    {
        outermost = open is null;
        open ??= this;
    }

    /// <summary>Opens it for this thread; inside another one it is that one.</summary>
    public static UpcastBuffer Begin() => new();

    /// <summary>Room for a weight until the next one is asked for; null when none is open.</summary>
    /// <param name="shape">The weight's sizes.</param>
    /// <returns>float32, of any values. Not to be disposed after the buffer.</returns>
    public static Tensor? Room(long[] shape)
    {
        if (open is null)
            return null;
        var count = shape.Aggregate(1L, (product, size) => product * size);
        if (open.values is null || open.values.numel() < count)
        {
            open.values?.Dispose();
            open.values = empty(count, dtype: float32).DetachFromDisposeScope();
        }

        return open.values.narrow(0, 0, count).view(shape);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!outermost)
            return;
        values?.Dispose();
        open = null;
    }
}
