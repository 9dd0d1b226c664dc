namespace EditorBridge.Native.OpenFx;

/// <summary>
/// A picture of the host's, fetched from a clip, and released when it is disposed. Its rows are counted from the top here, while the standard's go from
/// the bottom; the distance from one to the next may be negative there. Nothing outside what the host says is its memory is touched.
/// </summary>
internal readonly unsafe ref struct HostImage
{
    private readonly nint _handle;
    private readonly byte* _top;
    private readonly long _down;

    private HostImage(nint handle, byte* top, long down, int width, int height, PixelFormat format)
    {
        _handle = handle;
        _top = top;
        _down = down;
        (Width, Height, Format) = (width, height, format);
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    public PixelFormat Format { get; }

    /// <summary>Left edge and top edge (one past the uppermost row, y upwards) in the picture's own pixels.</summary>
    public (int Left, int Top) Origin { get; init; }

    /// <summary>The rectangle the whole picture would have: left, bottom, right, top.</summary>
    public (int X1, int Y1, int X2, int Y2) Whole { get; init; }

    /// <summary>Whether there is a picture that can be read or written.</summary>
    public bool IsThere => _top is not null;

    /// <summary>Fetches the picture of a clip at a time.</summary>
    /// <param name="clip">The clip's handle.</param>
    /// <param name="time">Frames.</param>
    /// <returns>The picture; one that is not there when the host has none or gives one that makes no sense.</returns>
    public static HostImage Fetch(nint clip, double time)
    {
        nint handle = 0;
        if (clip == 0 || Suites.Effect->ClipGetImage(clip, time, null, &handle) != (int)OfxStatus.Ok || handle == 0) return default;
        var image = new PropertySet(handle);
        var data = image.Pointer("OfxImagePropData"u8);
        var rowBytes = image.Int("OfxImagePropRowBytes"u8) ?? 0;
        int? Bound(int index) => image.Int("OfxImagePropBounds"u8, index);
        var depth = DepthOf(image, "OfxImageEffectPropPixelDepth"u8);
        var channels = image.Is("OfxImageEffectPropComponents"u8, "OfxImageComponentRGBA"u8) ? 4
            : image.Is("OfxImageEffectPropComponents"u8, "OfxImageComponentRGB"u8) ? 3
            : image.Is("OfxImageEffectPropComponents"u8, "OfxImageComponentAlpha"u8) ? 1 : 0;
        if (data is null || depth is null || channels == 0 || Bound(0) is not { } x1 || Bound(1) is not { } y1 || Bound(2) is not { } x2 || Bound(3) is not { } y2)
            return new HostImage(handle, null, 0, 0, 0, default);
        var format = new PixelFormat(depth.Value, channels, image.Is("OfxImageEffectPropPixelOrder"u8, "OfxImagePixelOrderBGRA"u8));
        var (width, height) = ((long)x2 - x1, (long)y2 - y1);
        var isSound = width is > 0 and <= 1 << 16 && height is > 0 and <= 1 << 16 && Math.Abs((long)rowBytes) >= width * format.PixelBytes;
        if (!isSound) return new HostImage(handle, null, 0, 0, 0, default);
        int Defined(int index, int otherwise) => image.Int("OfxImagePropRegionOfDefinition"u8, index) ?? otherwise;
        var whole = (X1: Defined(0, x1), Y1: Defined(1, y1), X2: Defined(2, x2), Y2: Defined(3, y2));
        if (whole.X2 <= whole.X1 || whole.Y2 <= whole.Y1) whole = (x1, y1, x2, y2);
        // The data begin with the lowest row.
        return new HostImage(handle, data + (height - 1) * rowBytes, -(long)rowBytes, (int)width, (int)height, format)
        {
            Origin = (x1, y2), Whole = whole,
        };
    }

    /// <summary>The bytes of a row, counted from the top.</summary>
    public Span<byte> Row(int fromTop) => new(_top + fromTop * _down, Width * Format.PixelBytes);

    /// <summary>Reads the colours of rows of the picture's left part, several at a time, as <see cref="PixelRows.Read"/> does it.</summary>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="height">One past the last row.</param>
    /// <param name="first">The first row, counted from the top.</param>
    /// <param name="rows">Rows in a piece.</param>
    /// <param name="rowBytes">Bytes of a row of theirs.</param>
    /// <param name="pieces">Where they go.</param>
    public void ReadColours(int width, int height, int first, int rows, int rowBytes, IReadOnlyList<byte[]> pieces)
    {
        var (top, down, format) = ((nint)_top, _down, Format);
        Parallel.For(0, pieces.Count, piece =>
        {
            var begin = first + piece * rows;
            for (var y = begin; y < Math.Min(begin + rows, height); y++)
                PixelRows.Read(new ReadOnlySpan<byte>((byte*)top + y * down, width * format.PixelBytes), format, pieces[piece].AsSpan((y - begin) * rowBytes, rowBytes));
        });
    }

    /// <summary>Gives the picture back to the host.</summary>
    public void Dispose()
    {
        if (_handle != 0) _ = Suites.Effect->ClipReleaseImage(_handle);
    }

    /// <summary>The depth a property names; null when it names none of the four.</summary>
    public static PixelDepth? DepthOf(PropertySet properties, ReadOnlySpan<byte> name) =>
        properties.Is(name, "OfxBitDepthByte"u8) ? PixelDepth.Byte
        : properties.Is(name, "OfxBitDepthShort"u8) ? PixelDepth.Short
        : properties.Is(name, "OfxBitDepthHalf"u8) ? PixelDepth.Half
        : properties.Is(name, "OfxBitDepthFloat"u8) ? PixelDepth.Float
        : null;
}
