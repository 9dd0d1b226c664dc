using System.Runtime.InteropServices;
using EditorBridge.Diffusion.Weights;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Native;

/// <summary>
/// Copies to a CUDA device beside its computation, for two halves of a buffer in turns. The binding has no streams, so the driver is asked itself, whose functions keep
/// their form ("CUDA Driver API", NVIDIA); torch computes on the default stream of the same context.
/// </summary>
internal sealed unsafe class CudaCopies : IDisposable
{
    private const uint NonBlocking = 1, WithoutTiming = 2;
    private const nint ComputeStream = 0;

    private readonly nint library;
    private readonly nint stream;
    private readonly nint[] copied = new nint[2], computed = new nint[2];

    /// <summary>Makes a queue on the device that torch uses on this thread.</summary>
    /// <exception cref="DllNotFoundException">The driver's library is not there.</exception>
    /// <exception cref="ExternalException">The driver refuses.</exception>
    public CudaCopies()
    {
        library = NativeLibrary.Load(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1");
        nint made;
        Check(((delegate* unmanaged<nint*, uint, int>)Function("cuStreamCreate"))(&made, NonBlocking), "make a stream");
        stream = made;
        foreach (var events in (nint[][])[copied, computed])
        {
            for (var half = 0; half < 2; half++)
            {
                Check(((delegate* unmanaged<nint*, uint, int>)Function("cuEventCreate"))(&made, WithoutTiming), "make an event");
                events[half] = made;
            }
        }
    }

    /// <summary>Before a half is written: the host waits until its pinned memory has been read, the queue until the computation that used the half is done.</summary>
    public void BeginCopy(int half)
    {
        // An event that was never recorded counts as done.
        Check(((delegate* unmanaged<nint, int>)Function("cuEventSynchronize"))(copied[half]), "wait for a copy");
        WaitFor(stream, computed[half]);
    }

    /// <summary>Queues one copy.</summary>
    /// <param name="pinned">Pinned memory; unchanged until the copy is done.</param>
    /// <param name="near">The same form on the device.</param>
    public void Copy(Tensor pinned, Tensor near)
        => Check(((delegate* unmanaged<nint, nint, nuint, nint, int>)Function("cuMemcpyHtoDAsync_v2"))(
            MappedTensors.THSTensor_data(near.Handle), MappedTensors.THSTensor_data(pinned.Handle), (nuint)(pinned.numel() * pinned.element_size()), stream), "copy to the GPU");

    /// <summary>After all copies into a half are queued.</summary>
    public void EndCopy(int half) => Record(copied[half], stream);

    /// <summary>What is computed from now on comes after the copies into a half.</summary>
    public void ComputeAfterCopy(int half) => WaitFor(ComputeStream, copied[half]);

    /// <summary>What reads a half has been queued.</summary>
    public void Computed(int half) => Record(computed[half], ComputeStream);

    /// <summary>Waits for all copies.</summary>
    public void Wait() => Check(((delegate* unmanaged<nint, int>)Function("cuStreamSynchronize"))(stream), "wait for the copies");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var made in (nint[])[.. copied, .. computed])
            _ = ((delegate* unmanaged<nint, int>)Function("cuEventDestroy_v2"))(made);
        _ = ((delegate* unmanaged<nint, int>)Function("cuStreamDestroy_v2"))(stream);
    }

    private void Record(nint made, nint on) => Check(((delegate* unmanaged<nint, nint, int>)Function("cuEventRecord"))(made, on), "record an event");

    private void WaitFor(nint waiting, nint made) => Check(((delegate* unmanaged<nint, nint, uint, int>)Function("cuStreamWaitEvent"))(waiting, made, 0), "order copies and computation");

    private nint Function(string name) => NativeLibrary.GetExport(library, name);

    private static void Check(int result, string what)
    {
        if (result != 0)
            throw new ExternalException($"The CUDA driver could not {what} (error {result}).", result);
    }
}
