using System.Buffers.Binary;
using System.Text.Json;
using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Safetensors;

/// <summary>A tensor to be written: what it is, and a way to write its bytes.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Type">A plain element type.</param>
/// <param name="Shape">Sizes; empty for a scalar.</param>
/// <param name="Write">Writes exactly the bytes of this type and shape, little endian, row by row.</param>
public sealed record SafetensorsSource(string Name, TensorType Type, IReadOnlyList<long> Shape, Action<Stream> Write);

/// <summary>Writes safetensors files, one tensor after another, so that memory does not grow with the file.</summary>
public static class SafetensorsWriter
{
    /// <summary>Writes a file beside its final name, then moves it there: readers see all of it or nothing.</summary>
    /// <param name="path">The file; replaced when it exists.</param>
    /// <param name="tensors">Its tensors; written in the order of descending element size, then name, so that each is aligned.</param>
    /// <param name="metadata">Free text pairs for <c>__metadata__</c>.</param>
    /// <exception cref="InvalidOperationException">A source wrote another number of bytes than its shape has.</exception>
    public static void Write(string path, IEnumerable<SafetensorsSource> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var ordered = tensors.OrderByDescending(tensor => tensor.Type.Size()).ThenBy(tensor => tensor.Name, StringComparer.Ordinal).ToList();
        var temporary = $"{path}.{Path.GetRandomFileName()}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20))
            {
                WriteHeader(stream, ordered, metadata);
                foreach (var tensor in ordered)
                {
                    var before = stream.Position;
                    tensor.Write(stream);
                    if (stream.Position - before != Length(tensor))
                        throw new InvalidOperationException(
                            $"Tensor '{tensor.Name}' wrote {stream.Position - before} bytes, its shape has {Length(tensor)}.");
                }
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void WriteHeader(Stream stream, List<SafetensorsSource> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            long offset = 0;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.HeaderName());
                json.WriteStartArray("shape");
                foreach (var size in tensor.Shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += Length(tensor));
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, buffer.Length);
        stream.Write(prefix);
        buffer.WriteTo(stream);
    }

    private static long Length(SafetensorsSource tensor) => tensor.Shape.Aggregate((long)tensor.Type.Size(), (bytes, size) => checked(bytes * size));
}
