namespace EditorBridge.Media;

/// <summary>The luma weights of a YUV matrix (ITU-T H.273, table 4), and the integers-to-RGB arithmetic of its range.</summary>
internal sealed record YuvMatrix(double Kr, double Kb)
{
    public static readonly YuvMatrix Bt601 = new(0.299, 0.114);
    public static readonly YuvMatrix Bt709 = new(0.2126, 0.0722);
    private static readonly YuvMatrix Bt2020 = new(0.2627, 0.0593);
    private static readonly YuvMatrix Smpte240 = new(0.212, 0.087);
    private static readonly YuvMatrix Fcc = new(0.30, 0.11);

    /// <summary>The matrix of ffmpeg's name, or null when it has no weights (unknown, ycgco, ictcp).</summary>
    public static YuvMatrix? Named(string? name) => name switch
    {
        "bt709" => Bt709,
        "smpte170m" or "bt470bg" => Bt601,
        "bt2020nc" or "bt2020c" => Bt2020,
        "smpte240m" => Smpte240,
        "fcc" => Fcc,
        _ => null,
    };

    /// <summary>
    /// RGB of planar YUV 4:4:4, whose 16-bit values are codes of <paramref name="bitDepth"/> bits shifted to the top (what ffmpeg makes of any
    /// integer YUV format, exactly).
    /// </summary>
    /// <param name="planes">Y, U and V, each as long as the picture has pixels.</param>
    /// <param name="rgb">Receives interleaved RGB, 16 bits.</param>
    /// <param name="fullRange">Whether all codes are used.</param>
    /// <param name="bitDepth">Bits of the source's codes; matters for full range only.</param>
    public void ToRgb(ReadOnlySpan<ushort> planes, Span<ushort> rgb, bool fullRange, int bitDepth)
    {
        var area = rgb.Length / 3;
        var y = planes[..area];
        var u = planes.Slice(area, area);
        var v = planes.Slice(2 * area, area);
        var top = (float)(((1 << bitDepth) - 1) << (16 - bitDepth));
        var yOffset = fullRange ? 0f : 16 * 256f;
        var yScale = 65535f / (fullRange ? top : 219 * 256f);
        var cScale = 65535f / (fullRange ? top : 224 * 256f);
        var kg = 1 - Kr - Kb;
        var vToR = (float)(2 * (1 - Kr)) * cScale;
        var uToB = (float)(2 * (1 - Kb)) * cScale;
        var vToG = (float)(-2 * (1 - Kr) * Kr / kg) * cScale;
        var uToG = (float)(-2 * (1 - Kb) * Kb / kg) * cScale;
        for (int i = 0, p = 0; i < area; i++, p += 3)
        {
            var luma = (y[i] - yOffset) * yScale;
            var cb = u[i] - 32768f;
            var cr = v[i] - 32768f;
            rgb[p] = Round(luma + vToR * cr);
            rgb[p + 1] = Round(luma + uToG * cb + vToG * cr);
            rgb[p + 2] = Round(luma + uToB * cb);
        }
    }

    private static ushort Round(float value) => value >= 65535f ? (ushort)65535 : value > 0 ? (ushort)(value + 0.5f) : (ushort)0;
}
