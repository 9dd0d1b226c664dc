using System.Globalization;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>An exact time in seconds, a reduced fraction. Zero is a file's first frame unless said otherwise.</summary>
public readonly record struct MediaTime : IComparable<MediaTime>
{
    // One less than the denominator, so that default(MediaTime) is zero seconds and equal to it.
    private readonly long denominatorLessOne;

    /// <summary>Makes the time <paramref name="numerator"/>/<paramref name="denominator"/> seconds, reduced.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The denominator is not positive.</exception>
    public MediaTime(long numerator, long denominator = 1)
        : this((Int128)numerator, denominator)
    {
    }

    private MediaTime(Int128 numerator, Int128 denominator)
    {
        if (denominator <= 0) throw new ArgumentOutOfRangeException(nameof(denominator), (double)denominator, "A time's denominator is positive.");
        var (a, b) = (Int128.Abs(numerator), denominator);
        while (b != 0) (a, b) = (b, a % b);
        if (a == 0) a = 1;
        Numerator = (long)(numerator / a);
        denominatorLessOne = (long)(denominator / a) - 1;
    }

    /// <summary>The numerator; negative for times before zero.</summary>
    public long Numerator { get; }

    /// <summary>The denominator, positive.</summary>
    public long Denominator => denominatorLessOne + 1;

    /// <summary>For display only.</summary>
    public double Seconds => (double)Numerator / Denominator;

    /// <summary>When frame <paramref name="frame"/> begins at <paramref name="rate"/>.</summary>
    public static MediaTime OfFrame(long frame, FrameRate rate) => new((Int128)frame * rate.Denominator, rate.Numerator);

    /// <summary>The frame shown at this time: the last that begins at or before it.</summary>
    public long FrameAt(FrameRate rate) => Floor((Int128)Numerator * rate.Numerator, (Int128)Denominator * rate.Denominator);

    /// <summary>This time in ticks of <paramref name="timeBase"/> seconds, rounded to the nearest.</summary>
    internal long Ticks(MediaTime timeBase) =>
        Floor(2 * (Int128)Numerator * timeBase.Denominator + (Int128)Denominator * timeBase.Numerator, 2 * (Int128)Denominator * timeBase.Numerator);

    /// <summary>The sum.</summary>
    public static MediaTime operator +(MediaTime a, MediaTime b) =>
        new((Int128)a.Numerator * b.Denominator + (Int128)b.Numerator * a.Denominator, (Int128)a.Denominator * b.Denominator);

    /// <summary>The difference.</summary>
    public static MediaTime operator -(MediaTime a, MediaTime b) =>
        new((Int128)a.Numerator * b.Denominator - (Int128)b.Numerator * a.Denominator, (Int128)a.Denominator * b.Denominator);

    /// <summary>Whether the left time is the earlier.</summary>
    public static bool operator <(MediaTime a, MediaTime b) => a.CompareTo(b) < 0;

    /// <summary>Whether the left time is the later.</summary>
    public static bool operator >(MediaTime a, MediaTime b) => a.CompareTo(b) > 0;

    /// <summary>Whether the left time is not the later.</summary>
    public static bool operator <=(MediaTime a, MediaTime b) => a.CompareTo(b) <= 0;

    /// <summary>Whether the left time is not the earlier.</summary>
    public static bool operator >=(MediaTime a, MediaTime b) => a.CompareTo(b) >= 0;

    /// <inheritdoc/>
    public int CompareTo(MediaTime other) => ((Int128)Numerator * other.Denominator).CompareTo((Int128)other.Numerator * Denominator);

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string? text, out MediaTime time)
    {
        time = default;
        if (text is null) return false;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var whole = slash < 0 ? text.AsSpan() : text.AsSpan(0, slash);
        long denominator = 1;
        if (!long.TryParse(whole, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var numerator)) return false;
        if (slash >= 0 && (!long.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out denominator) || denominator <= 0))
            return false;
        time = new MediaTime(numerator, denominator);
        return true;
    }

    /// <summary>"3" or "1001/24000".</summary>
    public override string ToString() => Denominator == 1
        ? Numerator.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Numerator}/{Denominator}");

    /// <summary><paramref name="count"/> times <paramref name="time"/>.</summary>
    internal static MediaTime Scale(long count, MediaTime time) => new((Int128)count * time.Numerator, time.Denominator);

    internal static long Floor(Int128 numerator, Int128 denominator)
    {
        var quotient = numerator / denominator;
        return (long)(numerator % denominator < 0 ? quotient - 1 : quotient);
    }
}
