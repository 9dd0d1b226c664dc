using System.Runtime;

namespace EditorBridge.Training.Optimisation;

/// <summary>
/// Keeps the garbage collector from running while a step is in native code. TorchSharp passes the native handle of an implicit
/// Scalar (x * 0.5) without keeping the object alive: when another thread's allocations start a collection at that moment, the finalizer
/// frees it under the call ("Expected false to be true" in toDouble). A thread that allocates alone cannot meet this.
/// </summary>
internal static class QuietCollector
{
    private const long Room = 128L << 20;

    public static T Run<T>(Func<T> step)
    {
        bool quiet = GCSettings.LatencyMode != GCLatencyMode.NoGCRegion && GC.TryStartNoGCRegion(Room);
        try
        {
            return step();
        }
        finally
        {
            // Allocations beyond the room end the region by themselves.
            if (quiet && GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
            {
                GC.EndNoGCRegion();
            }
        }
    }
}
