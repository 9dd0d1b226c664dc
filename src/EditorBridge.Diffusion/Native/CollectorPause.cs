using System.Runtime;

namespace EditorBridge.Diffusion.Native;

/// <summary>
/// Keeps the garbage collector from running while tensors are computed. TorchSharp 0.107 reads the handle of a Scalar and lets go of it before the native call has
/// read the number; a collection just then frees it, and the call fails ("Expected false to be true"). On a busy machine that happened in one take of fifty.
/// </summary>
public readonly ref struct CollectorPause
{
    // A step or a latent allocates a few hundred kilobytes of small objects.
    private const long Allocations = 64L << 20;

    private readonly bool active;

    private CollectorPause(bool active) => this.active = active;

    /// <summary>Begins a pause; inside another one it does nothing.</summary>
    public static CollectorPause Begin()
    {
        if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion) return default;
        try
        {
            return new CollectorPause(GC.TryStartNoGCRegion(Allocations));
        }
        catch (InvalidOperationException)
        {
            return default; // Another thread was first.
        }
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        if (!active || GCSettings.LatencyMode != GCLatencyMode.NoGCRegion) return;
        try
        {
            GC.EndNoGCRegion();
        }
        catch (InvalidOperationException)
        {
            // It ends by itself when more is allocated, and another thread may do that just now.
        }
    }
}
