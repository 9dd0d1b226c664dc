using System.Globalization;

namespace EditorBridge.Timeline.Fcpx;

/// <summary>A time of FCPXML: a rational number of seconds, reduced.</summary>
public readonly record struct FcpTime
{
    // Longer than any timeline and finer than any clock; sums of two stay exact in 128 bits.
    private const long MostNumerator = 1L << 53;
    private const long MostDenominator = 1L << 31;


    private FcpTime(long numerator, long denominator) => (Numerator, Denominator) = (numerator, denominator);

    /// <summary>No time.</summary>
    public static FcpTime Zero => new(0, 1);

    /// <summary>Seconds, times <see cref="Denominator"/>.</summary>
    public long Numerator { get; }

    /// <summary>The part of a second that is counted in.</summary>
    public long Denominator { get; }

    /// <summary>Reads "1001/24000s", "5s" or "2.5s".</summary>
    /// <returns>Null when it is no time, or one too large to count with.</returns>
    public static FcpTime? Parse(string? text)
    {
        var span = text.AsSpan().Trim();
        if (span.Length < 2 || span[^1] != 's') return null;
        span = span[..^1];
        var slash = span.IndexOf('/');
        if (slash >= 0)
        {
            return long.TryParse(span[..slash], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var numerator)
                && long.TryParse(span[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var denominator)
                ? Of(numerator, denominator)
                : null;
        }

        if (long.TryParse(span, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return Of(whole, 1);
        var point = span.IndexOf('.');
        if (point < 0 || span.Length - point > 9
            || !long.TryParse(string.Concat(span[..point], span[(point + 1)..]), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var digits))
            return null;
        var scale = 1L;
        for (var i = point + 1; i < span.Length; i++) scale *= 10;
        return Of(digits, scale);
    }

    /// <summary>Whether so many frames at a rate are a time that can be counted with.</summary>
    public static bool CanCount(long frames, FrameRate rate) => Of((Int128)frames * rate.Denominator, rate.Numerator) is not null;

    /// <summary>So many frames at a rate.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They cannot be counted with: see <see cref="CanCount"/>.</exception>
    public static FcpTime Frames(long frames, FrameRate rate) =>
        Of((Int128)frames * rate.Denominator, rate.Numerator) ?? throw new ArgumentOutOfRangeException(nameof(frames));

    /// <summary>The sum; null when it cannot be counted with.</summary>
    public FcpTime? Plus(FcpTime other) =>
        Of((Int128)Numerator * other.Denominator + (Int128)other.Numerator * Denominator, (Int128)Denominator * other.Denominator);

    /// <summary>The difference; null when it cannot be counted with.</summary>
    public FcpTime? Minus(FcpTime other) => Plus(new FcpTime(-other.Numerator, other.Denominator));

    /// <summary>The whole number of frames at a rate; null when it is none.</summary>
    public long? ToFrames(FrameRate rate)
    {
        var product = (Int128)Numerator * rate.Numerator;
        var divisor = (Int128)Denominator * rate.Denominator;
        return product % divisor == 0 && Int128.Abs(product / divisor) < MostNumerator ? (long)(product / divisor) : null;
    }

    /// <summary>Frames at a rate, rounded down.</summary>
    public long Floor(FrameRate rate)
    {
        var product = (Int128)Numerator * rate.Numerator;
        var divisor = (Int128)Denominator * rate.Denominator;
        var quotient = product / divisor;
        return (long)Int128.Clamp(product % divisor < 0 ? quotient - 1 : quotient, -MostNumerator, MostNumerator);
    }

    /// <summary>Frames at a rate, rounded up.</summary>
    public long Ceiling(FrameRate rate) => -new FcpTime(-Numerator, Denominator).Floor(rate);

    /// <summary>Spelled over a denominator where it can be, such as that of the sequence's frame duration; whole seconds without one.</summary>
    public string Spell(long over)
    {
        if (Denominator == 1) return string.Create(CultureInfo.InvariantCulture, $"{Numerator}s");
        var (numerator, below) = over % Denominator == 0 && Math.Abs(Numerator) < MostNumerator / (over / Denominator)
            ? (Numerator * (over / Denominator), over)
            : (Numerator, Denominator);
        return string.Create(CultureInfo.InvariantCulture, $"{numerator}/{below}s");
    }

    private static FcpTime? Of(Int128 numerator, Int128 denominator)
    {
        if (denominator <= 0) return null;
        var (a, b) = (Int128.Abs(numerator), denominator);
        while (b != 0) (a, b) = (b, a % b);
        if (a > 1) (numerator, denominator) = (numerator / a, denominator / a);
        return Int128.Abs(numerator) <= MostNumerator && denominator <= MostDenominator ? new FcpTime((long)numerator, (long)denominator) : null;
    }
}
