using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;

namespace EditorBridge.Protocol.V1;

/// <summary>Makes and checks the checksum that the contract asks for.</summary>
public sealed partial class ChecksummedData
{
    /// <summary>The most bytes one message may carry.</summary>
    public const int MaximumLength = 1 << 20;

    /// <summary>Whether the bytes are those the checksum was made of.</summary>
    public bool IsIntact => Crc32COf(Content.Span) == Crc32C;

    /// <summary><paramref name="content"/>, not copied, with its checksum. The memory must not change until the message is sent.</summary>
    public static ChecksummedData Wrap(ReadOnlyMemory<byte> content) =>
        new() { Content = UnsafeByteOperations.UnsafeWrap(content), Crc32C = Crc32COf(content.Span) };

    /// <summary>CRC-32C (Castagnoli, reflected, initial and final value all ones; RFC 3720, appendix B.4).</summary>
    public static uint Crc32COf(ReadOnlySpan<byte> content)
    {
        var crc = uint.MaxValue;
        while (content.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(content));
            content = content[sizeof(ulong)..];
        }

        foreach (var b in content) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
