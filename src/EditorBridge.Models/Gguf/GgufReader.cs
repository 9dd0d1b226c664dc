using System.Buffers.Binary;
using System.Text;

namespace EditorBridge.Models.Gguf;

/// <summary>Numbers and texts of a GGUF header, little endian, never beyond the end of the file.</summary>
internal sealed class GgufReader(Stream stream)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly byte[] buffer = new byte[8];

    /// <summary>Bytes of the file.</summary>
    public long Length { get; } = stream.Length;

    /// <summary>Next byte to be read.</summary>
    public long Position
    {
        get => stream.Position;
        set => stream.Position = value;
    }

    public byte U8() => Read(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Read(2));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Read(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Read(8));

    /// <summary>A text; null when it is longer than allowed or not UTF-8.</summary>
    public string? Text(int longest)
    {
        var length = U64();
        if (length > (ulong)longest)
            return null;
        if ((long)length > Length - Position)
            throw new EndOfStreamException();
        var bytes = new byte[(int)length];
        stream.ReadExactly(bytes);
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    public void Skip(long count)
    {
        if (count > Length - Position)
            throw new EndOfStreamException();
        stream.Position += count;
    }

    private ReadOnlySpan<byte> Read(int count)
    {
        stream.ReadExactly(buffer, 0, count);
        return buffer.AsSpan(0, count);
    }
}
