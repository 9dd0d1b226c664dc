using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using EditorBridge.Models.Safetensors;
using TorchSharp;

namespace EditorBridge.Diffusion.Weights;

/// <summary>Tensors that are views of a mapped safetensors file, without a copy.</summary>
public static partial class MappedTensors
{
    private delegate void Deleter(nint data);

    private static readonly ConcurrentDictionary<nint, ConcurrentStack<SafeBuffer>> References = new();
    private static readonly Deleter Release = ReleaseReference; // Native code calls it: it must never be collected.

    /// <summary>A tensor over the mapped bytes, on the CPU. Read only: writing to it ends the process.</summary>
    /// <param name="file">The file; the mapping stays until the last such tensor is gone, also after the file is disposed.</param>
    /// <param name="entry">One of its tensors.</param>
    public static torch.Tensor View(SafetensorsFile file, SafetensorsEntry entry)
    {
        var type = ScalarType(entry.Type);
        var shape = entry.Shape.ToArray();
        if (entry.Length == 0)
            return torch.empty(shape, dtype: type);
        var address = file.Address(entry);
        if (address % entry.Type.Size() != 0)
            return Copied(file, entry, shape, type);

        var held = false;
        file.Mapping.DangerousAddRef(ref held);
        References.GetOrAdd(address, _ => new()).Push(file.Mapping);
        var handle = THSTensor_new(address, Marshal.GetFunctionPointerForDelegate(Release), shape, shape.Length, (sbyte)type, (sbyte)type, 0, 0, 0);
        if (handle == 0)
        {
            ReleaseReference(address);
            throw new InvalidOperationException($"Tensor '{entry.Name}' of '{file.Path}' could not be mapped.");
        }
        return torch.Tensor.UnsafeCreateTensor(handle);
    }

    /// <summary>The tensor type of a safetensors type.</summary>
    /// <param name="type">As in the file.</param>
    public static torch.ScalarType ScalarType(SafetensorsType type) => type switch
    {
        SafetensorsType.Bool => torch.ScalarType.Bool,
        SafetensorsType.U8 => torch.ScalarType.Byte,
        SafetensorsType.I8 => torch.ScalarType.Int8,
        SafetensorsType.I16 => torch.ScalarType.Int16,
        SafetensorsType.I32 => torch.ScalarType.Int32,
        SafetensorsType.I64 => torch.ScalarType.Int64,
        SafetensorsType.F16 => torch.ScalarType.Float16,
        SafetensorsType.BF16 => torch.ScalarType.BFloat16,
        SafetensorsType.F32 => torch.ScalarType.Float32,
        SafetensorsType.F64 => torch.ScalarType.Float64,
        // libtorch's own numbers: the binding's list ends before them, its native part passes them on.
        SafetensorsType.F8E5M2 => (torch.ScalarType)23,
        SafetensorsType.F8E4M3 => (torch.ScalarType)24,
        _ => throw new NotSupportedException($"Tensors of type {type.HeaderName()} are not supported."),
    };

    private static unsafe torch.Tensor Copied(SafetensorsFile file, SafetensorsEntry entry, long[] shape, torch.ScalarType type)
    {
        var tensor = torch.empty(shape, dtype: type);
        Buffer.MemoryCopy((void*)file.Address(entry), (void*)THSTensor_data(tensor.Handle), entry.Length, entry.Length);
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
