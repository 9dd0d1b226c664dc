using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using EditorBridge.Models.Checkpoints;
using TorchSharp;

namespace EditorBridge.Diffusion.Weights;

/// <summary>Tensors that are views of a mapped file, without a copy.</summary>
public static partial class MappedTensors
{
    private delegate void Deleter(nint data);

    private static readonly ConcurrentDictionary<nint, ConcurrentStack<SafeBuffer>> References = new();
    private static readonly Deleter Release = ReleaseReference; // Native code calls it: it must never be collected.

    /// <summary>A tensor over the mapped bytes, on the CPU. Read only: writing to it ends the process.</summary>
    /// <param name="stored">A plain tensor; the mapping stays until the last view of it is gone, also after its file is disposed.</param>
    /// <exception cref="NotSupportedException">The bytes are not the values, or of a type without tensors; see <see cref="StoredWeights"/>.</exception>
    public static torch.Tensor View(NamedTensor stored)
    {
        if (!stored.IsPlain)
            throw new NotSupportedException($"Tensor '{stored.Name}' of '{stored.File.Path}' is packed; it can be unpacked but not viewed.");
        var type = ScalarType(stored.Type);
        var shape = stored.Shape.ToArray();
        if (stored.Length == 0)
            return torch.empty(shape, dtype: type);
        var address = stored.Address;
        if (address % stored.Type.Size() != 0)
            return Copied(stored, shape, type);

        var mapping = stored.File.Mapping;
        var held = false;
        mapping.DangerousAddRef(ref held);
        References.GetOrAdd(address, _ => new()).Push(mapping);
        var handle = THSTensor_new(address, Marshal.GetFunctionPointerForDelegate(Release), shape, shape.Length, (sbyte)type, (sbyte)type, 0, 0, 0);
        if (handle == 0)
        {
            ReleaseReference(address);
            throw new InvalidOperationException($"Tensor '{stored.Name}' of '{stored.File.Path}' could not be mapped.");
        }
        return torch.Tensor.UnsafeCreateTensor(handle);
    }

    /// <summary>The tensor type of a plain stored type.</summary>
    /// <param name="type">As in the file.</param>
    public static torch.ScalarType ScalarType(TensorType type) => type switch
    {
        TensorType.Bool => torch.ScalarType.Bool,
        TensorType.U8 => torch.ScalarType.Byte,
        TensorType.I8 => torch.ScalarType.Int8,
        TensorType.I16 => torch.ScalarType.Int16,
        TensorType.I32 => torch.ScalarType.Int32,
        TensorType.I64 => torch.ScalarType.Int64,
        TensorType.F16 => torch.ScalarType.Float16,
        TensorType.BF16 => torch.ScalarType.BFloat16,
        TensorType.F32 => torch.ScalarType.Float32,
        TensorType.F64 => torch.ScalarType.Float64,
        // libtorch's own numbers: the binding's list ends before them, its native part passes them on.
        TensorType.F8E5M2 => (torch.ScalarType)23,
        TensorType.F8E4M3 => (torch.ScalarType)24,
        _ => throw new NotSupportedException($"Tensors of type {type} are not supported."),
    };

    private static unsafe torch.Tensor Copied(NamedTensor stored, long[] shape, torch.ScalarType type)
    {
        var tensor = torch.empty(shape, dtype: type);
        Buffer.MemoryCopy((void*)stored.Address, (void*)THSTensor_data(tensor.Handle), stored.Length, stored.Length);
        return tensor;
    }

    private static void ReleaseReference(nint data)
    {
        // Equal addresses are the same mapping, so any of their references will do.
        if (References.TryGetValue(data, out var stack) && stack.TryPop(out var mapping))
            mapping.DangerousRelease();
    }

    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_new(
        nint data, nint deleter, [In] long[] sizes, int dimensions, sbyte scalarType, sbyte type, int deviceType, int deviceIndex, byte requiresGrad);

    [LibraryImport("LibTorchSharp")]
    internal static partial nint THSTensor_data(nint tensor);
}
