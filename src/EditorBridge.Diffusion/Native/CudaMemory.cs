using System.Runtime.InteropServices;

namespace EditorBridge.Diffusion.Native;

/// <summary>What the CUDA driver knows of a GPU's memory; the binding does not ask it.</summary>
internal static unsafe class CudaMemory
{
    /// <summary>Bytes that are free on the GPU that torch uses on this thread; null where the driver does not answer.</summary>
    public static long? Free()
    {
        if (!NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out var driver) || !NativeLibrary.TryGetExport(driver, "cuMemGetInfo_v2", out var ask))
            return null;
        nuint free, total;
        return ((delegate* unmanaged<nuint*, nuint*, int>)ask)(&free, &total) == 0 ? (long)free : null;
    }
}
