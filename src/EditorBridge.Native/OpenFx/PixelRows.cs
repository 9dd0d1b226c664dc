using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace EditorBridge.Native.OpenFx;

/// <summary>Converts rows of pixels between what the frame file has (R, G, B, A of 8 or 16 bits) and what hosts have.</summary>
internal static class PixelRows
{
    // Sixteen bits to half floats by table: converting each value takes too long for a picture of 1080 rows.
    private static readonly Lazy<ushort[]> Halves = new(() => [.. Enumerable.Range(0, 65536).Select(v => BitConverter.HalfToUInt16Bits((Half)(v / 65535f)))]);

    /// <summary>Writes a row of RGBA as a host has it.</summary>
    /// <param name="rgba">Four values a pixel.</param>
    /// <param name="bits">8 or 16.</param>
    /// <param name="target">The host's row, of as many pixels.</param>
    /// <param name="depth">Its values.</param>
    /// <param name="channels">4, 3 (no alpha) or 1 (alpha only).</param>
    /// <param name="isBgr">Whether its blue comes first.</param>
    public static void Write(ReadOnlySpan<byte> rgba, int bits, Span<byte> target, PixelDepth depth, int channels, bool isBgr)
    {
        var isPlain = channels == 4 && !isBgr;
        if (isPlain && (bits, depth) is (8, PixelDepth.Byte) or (16, PixelDepth.Short)) rgba.CopyTo(target);
        else if (isPlain && (bits, depth) is (16, PixelDepth.Float)) Widen(MemoryMarshal.Cast<byte, ushort>(rgba), MemoryMarshal.Cast<byte, float>(target));
        else if (isPlain && (bits, depth) is (16, PixelDepth.Half)) Halve(MemoryMarshal.Cast<byte, ushort>(rgba), MemoryMarshal.Cast<byte, ushort>(target));
        else WriteEach(rgba, bits, target, depth, channels, isBgr);
    }

    /// <summary>Reads a host's row as big-endian R, G, B of 16 bits; values of floats outside 0 to 1 are cut off.</summary>
    /// <param name="source">The host's row.</param>
    /// <param name="depth">Its values.</param>
    /// <param name="channels">4 or 3.</param>
    /// <param name="isBgr">Whether its blue comes first.</param>
    /// <param name="rgb">Six bytes a pixel.</param>
    public static void Read(ReadOnlySpan<byte> source, PixelDepth depth, int channels, bool isBgr, Span<byte> rgb)
    {
        if (depth == PixelDepth.Byte)
        {
            // Times 257 both bytes are the value.
            var (first, last) = isBgr ? (2, 0) : (0, 2);
            for (int at = 0, p = 0; at < rgb.Length; at += 6, p += channels)
            {
                rgb[at] = rgb[at + 1] = source[p + first];
                rgb[at + 2] = rgb[at + 3] = source[p + 1];
                rgb[at + 4] = rgb[at + 5] = source[p + last];
            }

            return;
        }

        for (int at = 0, p = 0; at < rgb.Length; at += 6, p += channels)
        {
            BinaryPrimitives.WriteUInt16BigEndian(rgb[at..], Value(source, depth, p + (isBgr ? 2 : 0)));
            BinaryPrimitives.WriteUInt16BigEndian(rgb[(at + 2)..], Value(source, depth, p + 1));
            BinaryPrimitives.WriteUInt16BigEndian(rgb[(at + 4)..], Value(source, depth, p + (isBgr ? 0 : 2)));
        }
    }

    private static void Halve(ReadOnlySpan<ushort> source, Span<ushort> target)
    {
        ReadOnlySpan<ushort> halves = Halves.Value;
        for (var i = 0; i < source.Length; i++) target[i] = halves[source[i]];
    }

    private static void Widen(ReadOnlySpan<ushort> source, Span<float> target)
    {
        var i = 0;
        var scale = new Vector<float>(1 / 65535f);
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out var low, out var high);
            (Vector.ConvertToSingle(Vector.AsVectorInt32(low)) * scale).CopyTo(target[i..]);
            (Vector.ConvertToSingle(Vector.AsVectorInt32(high)) * scale).CopyTo(target[(i + Vector<float>.Count)..]);
        }

        for (; i < source.Length; i++) target[i] = source[i] / 65535f;
    }

    private static void WriteEach(ReadOnlySpan<byte> rgba, int bits, Span<byte> target, PixelDepth depth, int channels, bool isBgr)
    {
        var wide = MemoryMarshal.Cast<byte, ushort>(rgba);
        var pixels = target.Length / (channels * HostImage.BytesOf(depth));
        var shorts = MemoryMarshal.Cast<byte, ushort>(target);
        var floats = MemoryMarshal.Cast<byte, float>(target);
        var halves = depth == PixelDepth.Half ? Halves.Value : [];
        for (int x = 0, to = 0; x < pixels; x++)
        {
            for (var c = 0; c < channels; c++, to++)
            {
                var from = 4 * x + (channels == 1 ? 3 : isBgr && c < 3 ? 2 - c : c);
                var value = bits == 8 ? rgba[from] * 257 : wide[from];
                switch (depth)
                {
                    case PixelDepth.Byte: target[to] = bits == 8 ? rgba[from] : (byte)((value + 128) / 257); break;
                    case PixelDepth.Short: shorts[to] = (ushort)value; break;
                    case PixelDepth.Half: shorts[to] = halves[value]; break;
                    default: floats[to] = value / 65535f; break;
                }
            }
        }
    }

    private static ushort Value(ReadOnlySpan<byte> source, PixelDepth depth, int index) => depth switch
    {
        PixelDepth.Short => MemoryMarshal.Cast<byte, ushort>(source)[index],
        PixelDepth.Half => Quantise((float)BitConverter.UInt16BitsToHalf(MemoryMarshal.Cast<byte, ushort>(source)[index])),
        _ => Quantise(MemoryMarshal.Cast<byte, float>(source)[index]),
    };

    // A NaN becomes black: the comparison is false for it.
    private static ushort Quantise(float value) => value >= 1 ? ushort.MaxValue : value > 0 ? (ushort)(value * 65535f + 0.5f) : (ushort)0;
}
