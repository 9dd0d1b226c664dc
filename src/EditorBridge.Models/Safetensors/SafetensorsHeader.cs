using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Safetensors;

/// <summary>The header of a safetensors file, checked as the format's reference implementation does.</summary>
/// <remarks>
/// A file comes from anywhere, so nothing in it is believed: the header is at most 100 MB and starts with '{', no key occurs twice,
/// sizes are multiplied with overflow checks and equal the byte range, and the ranges cover the rest of the file without hole or
/// overlap.
/// </remarks>
public sealed class SafetensorsHeader
{
    /// <summary>Longest header accepted, in bytes.</summary>
    public const int MaximumLength = 100_000_000;

    private SafetensorsHeader(IReadOnlyList<TensorEntry> tensors, IReadOnlyDictionary<string, string> metadata)
        => (Tensors, Metadata) = (tensors, metadata);

    /// <summary>The tensors in the order of their bytes in the file.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>The free text pairs under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads and checks the header of a file.</summary>
    /// <param name="stream">The file, from its start.</param>
    /// <param name="fileLength">Length of the whole file in bytes.</param>
    /// <param name="name">What to call the file in a problem.</param>
    public static ReadResult<SafetensorsHeader> Read(Stream stream, long fileLength, string name)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (fileLength < 8 || stream.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
            return Bad(name, "is too short to be a safetensors file");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaximumLength)
            return Bad(name, $"claims a header of {length} bytes, more than the {MaximumLength} allowed; it is not a safetensors file");
        if ((long)length > fileLength - 8)
            return Bad(name, $"ends inside its header ({length} bytes announced, {fileLength - 8} there); download it again");
        var json = new byte[(int)length];
        if (stream.ReadAtLeast(json, json.Length, throwOnEndOfStream: false) < json.Length)
            return Bad(name, "ends inside its header; download it again");
        if (json.Length == 0 || json[0] != (byte)'{')
            return Bad(name, "has a header that does not start with '{'; it is not a safetensors file");
        try
        {
            return Parse(json, 8 + (long)length, fileLength, name);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or DecoderFallbackException)
        {
            return Bad(name, $"has a malformed header ({e.Message.Split('\n')[0]})");
        }
    }

    private static ReadResult<SafetensorsHeader> Parse(ReadOnlySpan<byte> json, long dataStart, long fileLength, string file)
    {
        var tensors = new List<TensorEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            if (!names.Add(key))
                return Bad(file, $"names '{key}' twice in its header");
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                return Bad(file, $"has something else than an object under '{key}' in its header");
            if (key == "__metadata__")
            {
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var item = reader.GetString()!;
                    reader.Read();
                    if (reader.TokenType != JsonTokenType.String || !metadata.TryAdd(item, reader.GetString()!))
                        return Bad(file, $"has metadata '{item}' twice or not as text");
                }
                continue;
            }
            if (ReadEntry(ref reader, key, dataStart, fileLength, out var entry) is { } problem)
                return Bad(file, $"has a bad entry for tensor '{key}': {problem}");
            tensors.Add(entry!);
        }
        if (reader.TokenType != JsonTokenType.EndObject || reader.Read())
            return Bad(file, "has a malformed header");
        return Contiguous(tensors, metadata, dataStart, fileLength, file);
    }

    private static string? ReadEntry(ref Utf8JsonReader reader, string key, long dataStart, long fileLength, out TensorEntry? entry)
    {
        entry = null;
        string? typeName = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString();
            reader.Read();
            switch (field)
            {
                case "dtype" when typeName is null && reader.TokenType == JsonTokenType.String:
                    typeName = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadSizes(ref reader);
                    if (shape is null)
                        return "'shape' is not a list of sizes";
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadSizes(ref reader);
                    if (offsets is not { Count: 2 })
                        return "'data_offsets' is not a pair of offsets";
                    break;
                default:
                    return $"'{field}' is unknown, twice there, or of the wrong kind";
            }
        }
        if (typeName is null || shape is null || offsets is null)
            return "'dtype', 'shape' or 'data_offsets' is missing";
        if (SafetensorsTypeNames.Parse(typeName) is not { } type)
            return $"element type '{typeName}' is not supported";
        var (begin, end) = (offsets[0], offsets[1]);
        if (begin > end)
            return $"its data ends ({end}) before it begins ({begin})";
        if (end > fileLength - dataStart)
            return $"its data ends at {end}, but the file holds {fileLength - dataStart} bytes of data; download it again";
        if (type.Bytes(shape) is not { } bytes)
            return "its shape is too large";
        if (bytes != end - begin)
            return $"its shape needs {bytes} bytes, its range holds {end - begin}";
        entry = new TensorEntry(key, type, shape, dataStart + begin, bytes);
        return null;
    }

    private static List<long>? ReadSizes(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return null;
        var sizes = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var size) || size < 0)
                return null;
            sizes.Add(size);
        }
        return sizes;
    }

    private static ReadResult<SafetensorsHeader> Contiguous(
        List<TensorEntry> tensors, Dictionary<string, string> metadata, long dataStart, long fileLength, string file)
    {
        tensors.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.Length.CompareTo(b.Length));
        var next = dataStart;
        foreach (var tensor in tensors)
        {
            if (tensor.Offset != next)
                return Bad(file, $"leaves a hole before tensor '{tensor.Name}' or overlaps it");
            next += tensor.Length;
        }
        if (next != fileLength)
            return Bad(file, $"is {fileLength} bytes long, but its tensors end at {next}");
        return ReadResult<SafetensorsHeader>.Of(new SafetensorsHeader(tensors, metadata));
    }

    private static ReadResult<SafetensorsHeader> Bad(string file, string what) => ReadResult<SafetensorsHeader>.Failed($"'{file}' {what}.");
}
