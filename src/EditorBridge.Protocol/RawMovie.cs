using System.Buffers.Binary;

namespace EditorBridge.Protocol.V1;

/// <summary>
/// The layout of frames that a plugin hands over to the host as they are: a QuickTime file of uncompressed R, G, B ("raw " with 8 bits, "b48r" with 16, QuickTime File Format
/// Specification), which ffmpeg reads without loss. A box at its start repeats the numbers, so that the host knows the file without asking ffprobe.
/// </summary>
public sealed record RawMovie
{
    /// <summary>Bytes before the first frame.</summary>
    public const int HeaderBytes = 20 + BoxBytes + 16;

    private const int BoxBytes = 24 + 8 * Numbers;
    private const int Numbers = 7;
    private const int MostFrames = 4096;

    /// <summary>Pixels in a row, an even number.</summary>
    public required int Width { get; init; }

    /// <summary>Rows, an even number.</summary>
    public required int Height { get; init; }

    /// <summary>Bits of a value: 8, or 16 with the higher byte first.</summary>
    public required int Bits { get; init; }

    /// <summary>Number of frames, one or more.</summary>
    public required int Frames { get; init; }

    /// <summary>Frames in <see cref="RateDenominator"/> seconds.</summary>
    public required int RateNumerator { get; init; }

    /// <summary>Seconds.</summary>
    public required int RateDenominator { get; init; }

    /// <summary>Whether the last frame is the first in the file: frames before a cut are fetched from the cut backwards.</summary>
    public bool IsBackwards { get; init; }

    /// <summary>Bytes of a frame: rows from the top, without gaps.</summary>
    public int FrameBytes => checked(Width * Height * 3 * (Bits / 8));

    private static ReadOnlySpan<byte> Mark => "EBHANDEDOVER0001"u8;

    /// <summary>What stands before the frames.</summary>
    public byte[] Header()
    {
        long[] numbers = [Width, Height, Bits, Frames, RateNumerator, RateDenominator, IsBackwards ? 1 : 0];
        var box = Box("uuid", Mark.ToArray(), [.. numbers.SelectMany(number => UInt64((ulong)number))]);
        // A 64-bit length, so that long contexts of large pictures fit.
        return [.. Box("ftyp", Text("qt  "), UInt32(0), Text("qt  ")), .. box, .. UInt32(1), .. "mdat"u8, .. UInt64(16 + (ulong)FrameBytes * (ulong)Frames)];
    }

    /// <summary>What stands after the frames: where each of them is, in the order of time.</summary>
    public byte[] Trailer()
    {
        var (timescale, step) = ((uint)RateNumerator, (uint)RateDenominator);
        var duration = UInt32(checked((uint)Frames * step));
        var offsets = Enumerable.Range(0, Frames).Select(frame => UInt64(HeaderBytes + (ulong)FrameBytes * (ulong)(IsBackwards ? Frames - 1 - frame : frame)));
        byte[] matrix = [.. UInt32(0x10000), .. new byte[12], .. UInt32(0x10000), .. new byte[12], .. UInt32(0x40000000)];
        var header = Box("mvhd", new byte[12], UInt32(timescale), duration, UInt32(0x10000), [1, 0], new byte[10], matrix, new byte[24], UInt32(2));
        var track = Box("tkhd", [0, 0, 0, 7], new byte[8], UInt32(1), new byte[4], duration, new byte[16], matrix, UInt32((uint)Width << 16), UInt32((uint)Height << 16));
        var mediaHeader = Box("mdhd", new byte[12], UInt32(timescale), duration, new byte[4]);
        var handler = Box("hdlr", new byte[4], Text("mhlrvide"), new byte[12], [0]);
        var entry = Box(Bits == 8 ? "raw " : "b48r",
            new byte[6], [0, 1], new byte[16], UInt16(Width), UInt16(Height), UInt32(72 << 16), UInt32(72 << 16), new byte[4], UInt16(1), new byte[32], UInt16(3 * Bits), UInt16(0xFFFF));
        var samples = Box("stbl",
            Box("stsd", new byte[4], UInt32(1), entry),
            Box("stts", new byte[4], UInt32(1), UInt32((uint)Frames), UInt32(step)),
            Box("stsc", new byte[4], UInt32(1), UInt32(1), UInt32(1), UInt32(1)),
            Box("stsz", new byte[4], UInt32((uint)FrameBytes), UInt32((uint)Frames)),
            Box("co64", new byte[4], UInt32((uint)Frames), [.. offsets.SelectMany(offset => offset)]));
        var place = Box("dinf", Box("dref", new byte[4], UInt32(1), Box("alis", [0, 0, 0, 1])));
        var information = Box("minf", Box("vmhd", [0, 0, 0, 1], new byte[8]), Box("hdlr", new byte[4], Text("dhlralis"), new byte[12], [0]), place, samples);
        return Box("moov", header, Box("trak", track, Box("mdia", mediaHeader, handler, information)));
    }

    /// <summary>The layout of a whole file of this kind; null for any other, and for one whose parts do not fit together to the last byte.</summary>
    /// <param name="file">The file, which can be sought in.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static RawMovie? Read(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var header = new byte[HeaderBytes];
        if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes || !header.AsSpan(28).StartsWith(Mark)) return null;
        var numbers = new long[Numbers];
        for (var i = 0; i < Numbers; i++) numbers[i] = BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(44 + 8 * i));
        if (numbers[0] is < 2 or >= 1 << 16 || numbers[1] is < 2 or >= 1 << 16 || ((numbers[0] | numbers[1]) & 1) != 0 || numbers[2] is not (8 or 16) || numbers[3] is < 1 or > MostFrames || numbers[4] is < 1 or > int.MaxValue
            || numbers[5] is < 1 or > int.MaxValue / MostFrames || numbers[0] * numbers[1] * 6 > int.MaxValue)
        {
            return null;
        }

        var movie = new RawMovie
        {
            Width = (int)numbers[0], Height = (int)numbers[1], Bits = (int)numbers[2], Frames = (int)numbers[3], RateNumerator = (int)numbers[4], RateDenominator = (int)numbers[5],
            IsBackwards = numbers[6] == 1,
        };
        var (trailer, end) = (movie.Trailer(), HeaderBytes + (long)movie.FrameBytes * movie.Frames);
        if (!header.AsSpan().SequenceEqual(movie.Header()) || file.Length != end + trailer.Length) return null;
        file.Position = end;
        var found = new byte[trailer.Length];
        file.ReadExactly(found);
        return found.AsSpan().SequenceEqual(trailer) ? movie : null;
    }

    private static byte[] Box(string name, params byte[][] parts)
    {
        var length = 8 + parts.Sum(part => part.Length);
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
