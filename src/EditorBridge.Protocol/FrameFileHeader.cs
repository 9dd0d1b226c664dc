using System.Buffers.Binary;

namespace EditorBridge.Protocol.V1;

/// <summary>The first bytes of a frame file (<see cref="FrameFile"/> has the layout).</summary>
public static class FrameFileHeader
{
    /// <summary>Bytes before the first frame: a page, so that frames can be mapped.</summary>
    public const int Length = 4096;

    private const int Form = 1;
    private const int Numbers = 11;

    private static ReadOnlySpan<byte> Mark => "EBFRAMES"u8;

    /// <summary>The layout of a file that holds frames of this size.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="bits">8 or 16.</param>
    /// <param name="frames">Number of frames.</param>
    /// <param name="rate">Frame rate.</param>
    /// <exception cref="OverflowException">The file would have more bytes than there are numbers for.</exception>
    public static FrameFile Layout(int width, int height, int bits, long frames, FrameRate rate)
    {
        var row = checked((long)width * 4 * (bits / 8));
        // Each frame begins on a page.
        var frame = checked((row * height + Length - 1) / Length * Length);
        return new FrameFile
        {
            Size = new PixelSize { Width = width, Height = height }, Bits = bits, Rate = rate, Frames = frames, HeaderBytes = Length, RowBytes = row, FrameBytes = frame,
            SizeBytes = checked(Length + frame * frames),
        };
    }

    /// <summary>The header's bytes.</summary>
    public static byte[] Write(FrameFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var header = new byte[Length];
        Mark.CopyTo(header);
        long[] numbers =
        [
            Form, file.HeaderBytes, file.Size.Width, file.Size.Height, file.Bits, file.RowBytes, file.FrameBytes, file.Frames, file.Rate.Numerator, file.Rate.Denominator,
            file.SizeBytes,
        ];
        for (var i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8 + 8 * i), numbers[i]);
        return header;
    }

    /// <summary>What a file's first bytes say; null when it is no frame file, or one whose numbers do not fit together or its length.</summary>
    /// <param name="header">The first <see cref="Length"/> bytes.</param>
    /// <param name="fileBytes">Bytes of the whole file.</param>
    public static FrameFile? Read(ReadOnlySpan<byte> header, long fileBytes)
    {
        if (header.Length < Length || !header.StartsWith(Mark)) return null;
        Span<long> numbers = stackalloc long[Numbers];
        for (var i = 0; i < Numbers; i++) numbers[i] = BinaryPrimitives.ReadInt64LittleEndian(header[(8 + 8 * i)..]);
        var (width, height, bits, frames) = (numbers[2], numbers[3], numbers[4], numbers[7]);
        if (numbers[0] != Form || width is < 1 or > 1 << 16 || height is < 1 or > 1 << 16 || bits is not (8 or 16) || frames < 1 || frames > fileBytes / Length) return null;
        if (numbers[8] < 1 || numbers[9] < 1) return null;
        var file = Layout((int)width, (int)height, (int)bits, frames, new FrameRate { Numerator = numbers[8], Denominator = numbers[9] });
        return numbers[1] == Length && numbers[5] == file.RowBytes && numbers[6] == file.FrameBytes && numbers[10] == file.SizeBytes && fileBytes == file.SizeBytes ? file : null;
    }
}
