using System.Runtime.InteropServices;

namespace EditorBridge.Diffusion.Native;

/// <summary>Where the C library takes the memory of large tensors from.</summary>
/// <remarks>
/// Once a large piece has been freed, glibc takes those of up to 32 MiB from its heap, and its aligned pieces, as torch's are, do not fit the holes that they leave there
/// (seen with 2.36): a pass of the 1.3B transformer grew by 16 tensors a block, to 7.6 GB, and the
/// 3 MB keys and values of its text left more than twice their size in holes. Pieces of pages of their own go back at once.
/// </remarks>
internal static class LargePieces
{
    private const int MmapThreshold = -3; // M_MMAP_THRESHOLD of malloc.h
    private const int Bytes = 1 << 20;

    /// <summary>
    /// From now on they have pages of their own. For large networks only: getting pages anew costs small ones more than they would grow. Whoever has set
    /// <c>MALLOC_MMAP_THRESHOLD_</c> is left alone.
    /// </summary>
    public static void GoBackWhenFreed()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("MALLOC_MMAP_THRESHOLD_") is not null)
            return;
        try
        {
            _ = mallopt(MmapThreshold, Bytes);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, without this heap.
        }
    }

    [DllImport("libc")]
    private static extern int mallopt(int parameter, int value);
}
