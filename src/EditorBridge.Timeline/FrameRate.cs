using System.Globalization;

namespace EditorBridge.Timeline;

/// <summary>An exact frame rate in frames per second, a reduced fraction of positive integers.</summary>
public readonly record struct FrameRate : IComparable<FrameRate>
{
    /// <summary>24000/1001, what documents spell 23.976, 23.98 or 23.97.</summary>
    public static readonly FrameRate Film = new(24000, 1001);

    /// <summary>24 frames per second, the rate of the shipped model's canvas.</summary>
    public static readonly FrameRate F24 = new(24, 1);

    /// <summary>25 frames per second.</summary>
    public static readonly FrameRate Pal = new(25, 1);

    /// <summary>30000/1001, what documents spell 29.97.</summary>
    public static readonly FrameRate Ntsc = new(30000, 1001);

    /// <summary>Makes the rate <paramref name="numerator"/>/<paramref name="denominator"/>, reduced.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Either part is not positive.</exception>
    public FrameRate(long numerator, long denominator = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(numerator);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(denominator);
        var divisor = GreatestCommonDivisor(numerator, denominator);
        Numerator = numerator / divisor;
        Denominator = denominator / divisor;
    }

    /// <summary>Frames in <see cref="Denominator"/> seconds.</summary>
    public long Numerator { get; }

    /// <summary>Seconds that <see cref="Numerator"/> frames take.</summary>
    public long Denominator { get; }

    /// <summary>The rate as a double, for display only: positions are never computed with it.</summary>
    public double Approximate => (double)Numerator / Denominator;

    /// <summary>Frames that timecode counts in one second: 24 for 24000/1001, 30 for 30000/1001.</summary>
    public int Nominal => (int)((Numerator + Denominator - 1) / Denominator);

    /// <summary>The rate a decimal spelling stands for: an integer, or n·1000/1001 for 23.976, 23.98, 29.97, 59.94 and their like.</summary>
    /// <param name="framesPerSecond">A rate as documents and probes spell it.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not a finite number between 1/1000 and 100000.</exception>
    public static FrameRate Snap(double framesPerSecond)
    {
        if (!double.IsFinite(framesPerSecond) || framesPerSecond < 0.001 || framesPerSecond > 100_000)
            throw new ArgumentOutOfRangeException(nameof(framesPerSecond), framesPerSecond, "A frame rate lies between 0.001 and 100000.");
        var nearest = Math.Round(framesPerSecond);
        if (nearest >= 1 && Math.Abs(framesPerSecond - nearest) < 1e-4) return new FrameRate((long)nearest);
        var ceiling = Math.Ceiling(framesPerSecond);
        // The coarsest spellings in use are two decimals, cut off rather than rounded: 23.97 for 23.976.
        if (Math.Abs(framesPerSecond - ceiling * 1000 / 1001) < 0.0075) return new FrameRate((long)ceiling * 1000, 1001);
        return new FrameRate((long)Math.Round(framesPerSecond * 1000), 1000);
    }

    /// <summary>Reads "24000/1001", "25" or "23.976".</summary>
    /// <returns>False when the text is none of these, or no rate between 1/1000 and 100000.</returns>
    public static bool TryParse(string? text, out FrameRate rate)
    {
        rate = default;
        if (string.IsNullOrWhiteSpace(text)) return false;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            if (!long.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out var numerator) || numerator <= 0
                || !long.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var denominator) || denominator <= 0)
                return false;
            if ((Int128)denominator * 100_000 < numerator || (Int128)numerator * 1000 < denominator) return false;
            rate = new FrameRate(numerator, denominator);
            return true;
        }

        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            || !double.IsFinite(value) || value < 0.001 || value > 100_000)
            return false;
        rate = Snap(value);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(FrameRate other) =>
        ((Int128)Numerator * other.Denominator).CompareTo((Int128)other.Numerator * Denominator);

    /// <summary>"24" or "24000/1001", which ffmpeg and <see cref="TryParse"/> read back.</summary>
    public override string ToString() => Denominator == 1
        ? Numerator.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Numerator}/{Denominator}");

    private static long GreatestCommonDivisor(long a, long b)
    {
        while (b != 0) (a, b) = (b, a % b);
        return a;
    }
}
