namespace EditorBridge.Media;

/// <summary>
/// Turns RGB of 16 bits into the planes an encoder takes: BT.709, limited range, chroma on the left pixel of each pair and (4:2:0) between rows, as
/// H.264 and ProRes files are read. Every value is rounded once, so that codes which came from video go back to the same codes.
/// </summary>
internal sealed class YuvEncoding
{
    private readonly int width, height;
    private readonly bool halfHeight;
    private readonly int bits;
    private readonly float[] cb, cr;

    /// <param name="width">Even.</param>
    /// <param name="height">Even where <paramref name="halfHeight"/> is.</param>
    /// <param name="halfHeight">4:2:0 rather than 4:2:2.</param>
    /// <param name="bits">8 or 10.</param>
    public YuvEncoding(int width, int height, bool halfHeight, int bits)
    {
        (this.width, this.height, this.halfHeight, this.bits) = (width, height, halfHeight, bits);
        cb = new float[width * height];
        cr = new float[width * height];
        var chroma = width / 2 * (halfHeight ? height / 2 : height);
        ByteCount = (width * height + 2 * chroma) * (bits > 8 ? 2 : 1);
    }

    /// <summary>Bytes of one encoded picture.</summary>
    public int ByteCount { get; }

    /// <summary>Converts one picture.</summary>
    public void Convert(VideoFrame frame, byte[] target)
    {
        var matrix = YuvMatrix.Bt709;
        var unit = 1 << (bits - 8);
        var lumaScale = 219f * unit / 65535f;
        var chromaScale = 224f * unit / 65535f;
        var (kr, kb) = ((float)matrix.Kr, (float)matrix.Kb);
        var kg = 1 - kr - kb;
        var (toCb, toCr) = (chromaScale / (2 * (1 - kb)), chromaScale / (2 * (1 - kr)));
        Parallel.For(0, height, y =>
        {
            ReadOnlySpan<ushort> rgb = frame.Pixels.Slice(y * width * 3, width * 3);
            for (int x = 0, p = 0, i = y * width; x < width; x++, p += 3, i++)
            {
                var luma = kr * rgb[p] + kg * rgb[p + 1] + kb * rgb[p + 2];
                cb[i] = (rgb[p + 2] - luma) * toCb;
                cr[i] = (rgb[p] - luma) * toCr;
                Put(target, i, 16 * unit + luma * lumaScale);
            }
        });
        var (chromaWidth, chromaHeight) = (width / 2, halfHeight ? height / 2 : height);
        var firstPlane = width * height;
        var secondPlane = firstPlane + chromaWidth * chromaHeight;
        Parallel.For(0, chromaHeight, row =>
        {
            for (var column = 0; column < chromaWidth; column++)
            {
                var at = row * chromaWidth + column;
                Put(target, firstPlane + at, 128 * unit + Gather(cb, column, row));
                Put(target, secondPlane + at, 128 * unit + Gather(cr, column, row));
            }
        });
    }

    // (1 2 1)/4 around the left pixel; for half height the mean of two rows.
    private float Gather(float[] plane, int column, int row)
    {
        var x = 2 * column;
        var (left, right) = (Math.Max(0, x - 1), Math.Min(width - 1, x + 1));
        if (!halfHeight) return At(plane, row * width, left, x, right);
        return 0.5f * (At(plane, 2 * row * width, left, x, right) + At(plane, (2 * row + 1) * width, left, x, right));
    }

    private static float At(float[] plane, int start, int left, int middle, int right) =>
        0.25f * plane[start + left] + 0.5f * plane[start + middle] + 0.25f * plane[start + right];

    private void Put(byte[] target, int index, float value)
    {
        var code = (int)(value + 0.5f);
        if (bits == 8)
        {
            target[index] = (byte)Math.Clamp(code, 1, 254);
            return;
        }

        code = Math.Clamp(code, 4, 1019);
        target[2 * index] = (byte)code;
        target[2 * index + 1] = (byte)(code >> 8);
    }
}
