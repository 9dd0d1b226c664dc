namespace EditorBridge.Timeline;

/// <summary>Exact conversion of frame counts between rates.</summary>
public static class FrameConversion
{
    /// <summary>How many frames at <paramref name="to"/> last exactly as long as <paramref name="frames"/> at <paramref name="from"/>.</summary>
    /// <returns>Null when that is not a whole number.</returns>
    public static long? Exactly(long frames, FrameRate from, FrameRate to)
    {
        if (from == to) return frames;
        var (numerator, denominator) = Ratio(frames, from, to);
        return numerator % denominator == 0 ? (long)(numerator / denominator) : null;
    }

    /// <summary>As <see cref="Exactly"/>, rounded towards negative infinity.</summary>
    public static long Floor(long frames, FrameRate from, FrameRate to)
    {
        var (numerator, denominator) = Ratio(frames, from, to);
        var quotient = numerator / denominator;
        return (long)(numerator % denominator < 0 ? quotient - 1 : quotient);
    }

    private static (Int128 Numerator, Int128 Denominator) Ratio(long frames, FrameRate from, FrameRate to) =>
        ((Int128)frames * to.Numerator * from.Denominator, (Int128)to.Denominator * from.Numerator);
}
