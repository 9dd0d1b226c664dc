using System.Buffers.Binary;

namespace EditorBridge.Native.OpenFx;

/// <summary>
/// Frames handed over to the host as they are: a QuickTime file of uncompressed R, G, B of 16 bits ("b48r", QuickTime File Format Specification), which
/// ffmpeg reads without loss.
/// </summary>
internal static class RawMovie
{
    /// <summary>Writes a file.</summary>
    /// <param name="path">A new file.</param>
    /// <param name="frames">Frames of big-endian R, G, B, rows from the top, one or more.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="rateNumerator">Frames in <paramref name="rateDenominator"/> seconds.</param>
    /// <param name="rateDenominator">Seconds.</param>
    public static void Write(string path, IReadOnlyList<byte[]> frames, int width, int height, int rateNumerator, int rateDenominator)
    {
        var frameBytes = checked((uint)(width * height * 6));
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        stream.Write(Box("ftyp", Text("qt  "), UInt32(0), Text("qt  ")));
        // A 64-bit length, so that long contexts of large pictures fit.
        var data = 16 + frameBytes * (ulong)frames.Count;
        var start = (ulong)stream.Position + 16;
        stream.Write([.. UInt32(1), .. "mdat"u8, .. UInt64(data)]);
        foreach (var frame in frames) stream.Write(frame);
        stream.Write(Movie(frames.Count, frameBytes, start, width, height, (uint)rateNumerator, (uint)rateDenominator));
    }

    private static byte[] Movie(int count, uint frameBytes, ulong start, int width, int height, uint timescale, uint step)
    {
        var duration = UInt32((uint)count * step);
        byte[] matrix = [.. UInt32(0x10000), .. new byte[12], .. UInt32(0x10000), .. new byte[12], .. UInt32(0x40000000)];
        var header = Box("mvhd", new byte[12], UInt32(timescale), duration, UInt32(0x10000), [1, 0], new byte[10], matrix, new byte[24], UInt32(2));
        var track = Box("tkhd", [0, 0, 0, 7], new byte[8], UInt32(1), new byte[4], duration, new byte[16], matrix, UInt32((uint)width << 16), UInt32((uint)height << 16));
        var mediaHeader = Box("mdhd", new byte[12], UInt32(timescale), duration, new byte[4]);
        var handler = Box("hdlr", new byte[4], Text("mhlrvide"), new byte[12], [0]);
        var entry = Box("b48r", new byte[6], [0, 1], new byte[16], UInt16(width), UInt16(height), UInt32(72 << 16), UInt32(72 << 16), new byte[4], UInt16(1), new byte[32], UInt16(48), UInt16(0xFFFF));
        var samples = Box("stbl",
            Box("stsd", new byte[4], UInt32(1), entry),
            Box("stts", new byte[4], UInt32(1), UInt32((uint)count), UInt32(step)),
            Box("stsc", new byte[4], UInt32(1), UInt32(1), UInt32((uint)count), UInt32(1)),
            Box("stsz", new byte[4], UInt32(frameBytes), UInt32((uint)count)),
            Box("co64", new byte[4], UInt32(1), UInt64(start)));
        var place = Box("dinf", Box("dref", new byte[4], UInt32(1), Box("alis", [0, 0, 0, 1])));
        var information = Box("minf", Box("vmhd", [0, 0, 0, 1], new byte[8]), Box("hdlr", new byte[4], Text("dhlralis"), new byte[12], [0]), place, samples);
        return Box("moov", header, Box("trak", track, Box("mdia", mediaHeader, handler, information)));
    }

    private static byte[] Box(string name, params byte[][] parts)
    {
        var length = 8;
        foreach (var part in parts) length += part.Length;
        var box = new byte[length];
        BinaryPrimitives.WriteUInt32BigEndian(box, (uint)length);
        for (var i = 0; i < 4; i++) box[4 + i] = (byte)name[i];
        var at = 8;
        foreach (var part in parts)
        {
            part.CopyTo(box, at);
            at += part.Length;
        }

        return box;
    }

    private static byte[] Text(string letters) => System.Text.Encoding.ASCII.GetBytes(letters);

    private static byte[] UInt16(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }

    private static byte[] UInt32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] UInt64(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
