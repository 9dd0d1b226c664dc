using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Pickles;

/// <summary>What a pickle may name: constructors of tensor data and element types, nothing that could be run.</summary>
internal abstract record PickleGlobal
{
    private static readonly Dictionary<string, PickleGlobal> Known = new(StringComparer.Ordinal)
    {
        ["collections.OrderedDict"] = new OrderedDict(),
        ["torch._utils._rebuild_tensor_v2"] = new RebuildTensor(TypeGiven: false),
        ["torch._utils._rebuild_tensor_v3"] = new RebuildTensor(TypeGiven: true),
        ["torch._utils._rebuild_parameter"] = new RebuildParameter(),
        ["torch.storage.UntypedStorage"] = new StorageOf(null),
        ["torch.FloatStorage"] = new StorageOf(TensorType.F32),
        ["torch.DoubleStorage"] = new StorageOf(TensorType.F64),
        ["torch.HalfStorage"] = new StorageOf(TensorType.F16),
        ["torch.BFloat16Storage"] = new StorageOf(TensorType.BF16),
        ["torch.LongStorage"] = new StorageOf(TensorType.I64),
        ["torch.IntStorage"] = new StorageOf(TensorType.I32),
        ["torch.ShortStorage"] = new StorageOf(TensorType.I16),
        ["torch.CharStorage"] = new StorageOf(TensorType.I8),
        ["torch.ByteStorage"] = new StorageOf(TensorType.U8),
        ["torch.BoolStorage"] = new StorageOf(TensorType.Bool),
        ["torch.float8_e4m3fn"] = new Element(TensorType.F8E4M3),
        ["torch.float8_e5m2"] = new Element(TensorType.F8E5M2),
        ["torch.uint16"] = new Element(TensorType.U16),
        ["torch.uint32"] = new Element(TensorType.U32),
        ["torch.uint64"] = new Element(TensorType.U64),
    };

    /// <summary>The one of this name; null for all that is not tensor data.</summary>
    public static PickleGlobal? Find(string module, string name) => Known.GetValueOrDefault($"{module}.{name}");

    /// <summary>Makes a dictionary that keeps its order.</summary>
    public sealed record OrderedDict : PickleGlobal;

    /// <summary>Makes a tensor over a storage.</summary>
    public sealed record RebuildTensor(bool TypeGiven) : PickleGlobal;

    /// <summary>Marks a tensor as a parameter.</summary>
    public sealed record RebuildParameter : PickleGlobal;

    /// <summary>A run of elements; without a type, of bytes.</summary>
    public sealed record StorageOf(TensorType? Type) : PickleGlobal;

    /// <summary>An element type.</summary>
    public sealed record Element(TensorType Type) : PickleGlobal;
}

/// <summary>A dictionary in a pickle, ordered or not.</summary>
internal sealed class PickleDictionary
{
    public List<(object? Key, object? Value)> Items { get; } = [];
}

/// <summary>Elements that lie outside the pickle, under a key.</summary>
internal sealed record PickleStorage(TensorType? Type, string Key, long Elements);

/// <summary>A tensor over a storage; offset in elements.</summary>
internal sealed record PickleTensor(PickleStorage Storage, TensorType Type, long Offset, IReadOnlyList<long> Shape, IReadOnlyList<long> Strides);

/// <summary>Why a pickle is not read; the message goes on from "the file … ".</summary>
internal sealed class PickleException(string message) : Exception(message);
