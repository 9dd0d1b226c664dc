using System.Text;

namespace EditorBridge.Models.Tests.Gguf;

/// <summary>Writes GGUF files, right ones and wrong ones.</summary>
internal sealed class GgufWriter
{
    private readonly MemoryStream metadata = new();
    private readonly MemoryStream tensors = new();
    private readonly MemoryStream data = new();
    private ulong values, count;

    public uint Version { get; init; } = 3;

    public ulong? AnnouncedTensors { get; init; }

    public int Alignment { get; init; } = 32;

    public GgufWriter Value(string key, uint type, params byte[] bytes)
    {
        values++;
        Text(metadata, key);
        metadata.Write([.. BitConverter.GetBytes(type), .. bytes]);
        return this;
    }

    public GgufWriter Value(string key, string text) => Value(key, 8, [.. BitConverter.GetBytes((ulong)text.Length), .. Encoding.UTF8.GetBytes(text)]);

    public GgufWriter List(string key, params int[] items)
        => Value(key, 9, [.. BitConverter.GetBytes(5u), .. BitConverter.GetBytes((ulong)items.Length), .. items.SelectMany(BitConverter.GetBytes)]);

    public GgufWriter List(string key, params string[] items) => Value(
        key, 9, [.. BitConverter.GetBytes(8u), .. BitConverter.GetBytes((ulong)items.Length),
            .. items.SelectMany(item => (byte[])[.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(item)), .. Encoding.UTF8.GetBytes(item)])]);

    /// <summary>A tensor; its shape slowest first, as everywhere but in the file.</summary>
    public GgufWriter Tensor(string name, uint type, ulong[] shape, byte[] bytes, ulong? offset = null)
    {
        count++;
        Text(tensors, name);
        tensors.Write(BitConverter.GetBytes((uint)shape.Length));
        foreach (var size in shape.Reverse())
            tensors.Write(BitConverter.GetBytes(size));
        tensors.Write([.. BitConverter.GetBytes(type), .. BitConverter.GetBytes(offset ?? (ulong)data.Length)]);
        data.Write(bytes);
        while (data.Length % Alignment != 0)
            data.WriteByte(0);
        return this;
    }

    public byte[] Bytes()
    {
        byte[] header = [
            .. "GGUF"u8, .. BitConverter.GetBytes(Version), .. BitConverter.GetBytes(AnnouncedTensors ?? count), .. BitConverter.GetBytes(values),
            .. metadata.ToArray(), .. tensors.ToArray()];
        var padding = (Alignment - (header.Length % Alignment)) % Alignment;
        return [.. header, .. new byte[padding], .. data.ToArray()];
    }

    private static void Text(Stream stream, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        stream.Write([.. BitConverter.GetBytes((ulong)utf8.Length), .. utf8]);
    }
}
