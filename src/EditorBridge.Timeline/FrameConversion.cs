using System.Numerics;

namespace EditorBridge.Timeline;

/// <summary>Exact conversion of frame counts between rates. What does not fit a count of 64 bits has no answer, rather than a wrong one.</summary>
public static class FrameConversion
{
    /// <summary>How many frames at <paramref name="to"/> last exactly as long as <paramref name="frames"/> at <paramref name="from"/>.</summary>
    /// <returns>Null when that is not a whole number, or one too large to count with.</returns>
    public static long? Exactly(long frames, FrameRate from, FrameRate to)
    {
        if (from == to) return frames;
        var (numerator, denominator) = Ratio(frames, from, to);
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        return remainder.IsZero ? Counted(quotient) : null;
    }

    /// <summary>As <see cref="Exactly"/>, rounded towards negative infinity.</summary>
    /// <returns>Null when it is too large to count with.</returns>
    public static long? Floor(long frames, FrameRate from, FrameRate to)
    {
        if (from == to) return frames;
        var (numerator, denominator) = Ratio(frames, from, to);
        var quotient = BigInteger.DivRem(numerator, denominator, out var remainder);
        return Counted(remainder.Sign < 0 ? quotient - 1 : quotient);
    }

    // The product of three 64-bit numbers does not fit 128 bits.
    private static (BigInteger Numerator, BigInteger Denominator) Ratio(long frames, FrameRate from, FrameRate to) =>
        ((BigInteger)frames * to.Numerator * from.Denominator, (BigInteger)to.Denominator * from.Numerator);

    private static long? Counted(BigInteger number) => number >= long.MinValue && number <= long.MaxValue ? (long)number : null;
}
