using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Gguf;

/// <summary>A list in the metadata, left in the file: vocabularies are long and seldom wanted.</summary>
/// <param name="Type">Number of its elements' type, as the format counts them (8: text).</param>
/// <param name="Count">Elements.</param>
/// <param name="Offset">First byte of the first element, counted from the start of the file.</param>
public sealed record GgufList(int Type, long Count, long Offset);

/// <summary>The header of a GGUF file (version 2 and 3, little endian), checked before anything in it is believed.</summary>
/// <remarks>
/// Layout from the format's specification (ggml, docs/gguf.md): magic, version, counts, metadata, tensor descriptions, padding, data. Sizes are
/// stored fastest first, the reverse of a tensor's shape here. ComfyUI's files keep the shape of tensors that were flattened for
/// quantisation under <c>comfy.gguf.orig_shape.NAME</c>.
/// </remarks>
public sealed class GgufHeader
{
    private const string OriginalShape = "comfy.gguf.orig_shape.";
    private const int ShortestValue = 8 + 4 + 1; // key length, type, a byte
    private const int ShortestTensor = 8 + 4 + 4 + 8; // name length, axes, type, offset
    private const int MostAxes = 8;
    private const int LongestName = 1024;
    private const int LongestText = 1 << 20;

    private readonly GgufReader reader;

    private GgufHeader(GgufReader reader) => this.reader = reader;

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; private set; } = [];

    /// <summary>Metadata: bool, long, double (also for integers beyond 63 bits), string, or <see cref="GgufList"/>.</summary>
    public IReadOnlyDictionary<string, object> Metadata { get; private set; } = new Dictionary<string, object>();

    /// <summary>Reads and checks the header of a file.</summary>
    /// <param name="stream">The file, from its start.</param>
    /// <param name="name">What to call the file in a problem.</param>
    public static ReadResult<GgufHeader> Read(Stream stream, string name)
    {
        var header = new GgufHeader(new GgufReader(stream));
        try
        {
            return header.Read() is { } problem ? ReadResult<GgufHeader>.Failed($"'{name}' {problem}.") : ReadResult<GgufHeader>.Of(header);
        }
        catch (EndOfStreamException)
        {
            return ReadResult<GgufHeader>.Failed($"'{name}' ends inside its header; download it again.");
        }
    }

    private string? Read()
    {
        if (reader.Length < 24 || reader.U32() != 0x46554747)
            return "is not a GGUF file";
        var version = reader.U32();
        if (version is not (2 or 3))
            return version > 0xffff ? "is a GGUF file of another byte order" : $"is a GGUF file of version {version}; 2 and 3 are read";
        var (tensors, values) = (reader.U64(), reader.U64());
        if (tensors > (ulong)(reader.Length / ShortestTensor) || values > (ulong)(reader.Length / ShortestValue))
            return $"announces {tensors} tensors and {values} values, more than it can hold";
        return ReadMetadata((long)values) ?? ReadTensors((long)tensors);
    }

    private string? ReadMetadata(long count)
    {
        var metadata = new Dictionary<string, object>(StringComparer.Ordinal);
        for (long i = 0; i < count; i++)
        {
            if (reader.Text(LongestName) is not { } key)
                return "has a damaged name in its metadata";
            var type = (int)reader.U32();
            object? value = type switch
            {
                0 => (long)reader.U8(),
                1 => (long)(sbyte)reader.U8(),
                2 => (long)reader.U16(),
                3 => (long)(short)reader.U16(),
                4 => (long)reader.U32(),
                5 => (long)(int)reader.U32(),
                6 => (double)BitConverter.UInt32BitsToSingle(reader.U32()),
                7 => reader.U8() != 0,
                8 => reader.Text(LongestText),
                9 => ReadList(),
                10 => Boxed(reader.U64()),
                11 => (long)reader.U64(),
                12 => BitConverter.UInt64BitsToDouble(reader.U64()),
                _ => null,
            };
            if (value is null)
                return $"has a damaged value under '{key}'";
            if (!metadata.TryAdd(key, value))
                return $"names '{key}' twice in its metadata";
        }
        Metadata = metadata;
        return null;
    }

    private static object Boxed(ulong number) => number <= long.MaxValue ? (long)number : (object)(double)number;

    /// <summary>Bytes of a list's element: of a text at least; 0 for what no list holds.</summary>
    internal static int ElementSize(int type) => type switch { 0 or 1 or 7 => 1, 2 or 3 => 2, 4 or 5 or 6 => 4, 8 or 10 or 11 or 12 => 8, _ => 0 };

    private GgufList? ReadList()
    {
        var (type, count) = ((int)reader.U32(), reader.U64());
        var size = ElementSize(type);
        if (size == 0 || count > (ulong)((reader.Length - reader.Position) / size))
            return null;
        var list = new GgufList(type, (long)count, reader.Position);
        if (type != 8)
        {
            reader.Skip((long)count * size);
            return list;
        }
        for (ulong i = 0; i < count; i++)
        {
            var length = reader.U64();
            if (length > LongestText)
                return null;
            reader.Skip((long)length);
        }
        return list;
    }

    private string? ReadTensors(long count)
    {
        var described = new List<(string Name, GgufType Type, long[] Shape, ulong Offset)>();
        for (long i = 0; i < count; i++)
        {
            if (reader.Text(LongestName) is not { } name)
                return "has a damaged tensor name";
            var axes = reader.U32();
            if (axes > MostAxes)
                return $"has tensor '{name}' with {axes} axes, more than {MostAxes}";
            var shape = new long[axes];
            for (var axis = shape.Length - 1; axis >= 0; axis--)
            {
                var size = reader.U64();
                if (size > long.MaxValue)
                    return $"has tensor '{name}' with a size of {size}";
                shape[axis] = (long)size;
            }
            var type = reader.U32();
            if (!GgufType.TryFind(type, out var known))
                return $"has tensor '{name}' of type {GgufType.NameOf(type)}, which is not read; F32, F16, BF16, F64, Q4_0 to Q8_0 and Q2_K to Q6_K are";
            described.Add((name, known, shape, reader.U64()));
        }

        var alignment = 32L;
        if (Metadata.TryGetValue("general.alignment", out var stated))
        {
            if (stated is not long and (>= 1 and <= 1 << 20) || !long.IsPow2((long)stated))
                return "has an alignment that is not a power of two";
            alignment = (long)stated;
        }
        return Place(described, (reader.Position + alignment - 1) / alignment * alignment, alignment);
    }

    private string? Place(List<(string Name, GgufType Type, long[] Shape, ulong Offset)> described, long start, long alignment)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var tensors = new List<TensorEntry>();
        long end = 0;
        foreach (var (name, type, shape, offset) in described.OrderBy(tensor => tensor.Offset))
        {
            if (!names.Add(name))
                return $"names tensor '{name}' twice";
            if (type.Type.Bytes(shape) is not { } bytes)
                return $"has tensor '{name}' as [{string.Join(", ", shape)}], which {type.Type} cannot store";
            if (offset % (ulong)alignment != 0)
                return $"has tensor '{name}' at {offset}, which its alignment of {alignment} does not divide";
            if (start > reader.Length || offset > (ulong)(reader.Length - start) || bytes > reader.Length - start - (long)offset)
                return $"ends inside tensor '{name}'; download it again";
            if ((long)offset < end)
                return $"has tensor '{name}' overlap another";
            end = (long)offset + bytes;
            if (Restore(name, shape) is not { } restored)
                return $"has a shape under '{OriginalShape}{name}' that is not one of that tensor";
            tensors.Add(new TensorEntry(name, type.Type, restored, start + (long)offset, bytes));
        }
        Tensors = tensors;
        return null;
    }

    private long[]? Restore(string name, long[] stored)
    {
        if (!Metadata.TryGetValue(OriginalShape + name, out var value))
            return stored;
        if (value is not GgufList { Type: 4 or 5, Count: <= MostAxes } list)
            return null;
        reader.Position = list.Offset;
        var shape = new long[list.Count];
        for (var axis = 0; axis < shape.Length; axis++)
            shape[axis] = reader.U32() is var size and <= int.MaxValue ? size : -1;
        return shape.All(size => size >= 0) && Elements(shape) is { } elements && elements == Elements(stored) ? shape : null;
    }

    private static long? Elements(long[] shape) => TensorType.U8.Bytes(shape);
}
