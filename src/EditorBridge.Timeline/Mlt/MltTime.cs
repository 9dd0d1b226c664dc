using System.Globalization;

namespace EditorBridge.Timeline.Mlt;

/// <summary>
/// Times as MLT spells them: frames, clock values (00:00:01.960) and timecodes (00:00:01:24). The rounding is that of MLT's
/// mlt_property.c, in exact arithmetic.
/// </summary>
public static class MltTime
{
    // Longer than any timeline; keeps sums far from overflow.
    private const long MostFrames = 1L << 40;

    /// <summary>Reads a time.</summary>
    /// <param name="text">Its spelling.</param>
    /// <param name="rate">The profile's rate.</param>
    /// <returns>Whole frames at that rate; null when it is no time.</returns>
    public static long? Parse(string? text, FrameRate rate)
    {
        text = text?.Trim();
        if (string.IsNullOrEmpty(text)) return null;
        var colons = text.Count(letter => letter is ':' or ';');
        if (colons == 0 && text.IndexOfAny(['.', ',']) < 0)
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var frames) && frames is > -MostFrames and < MostFrames ? frames : null;
        if (colons == 3) return Timecode.Parse(text, rate).TryGet(out var timecode, out _) ? timecode.Frame : null;
        var parts = text.Split(':');
        if (parts.Length > 3 || !decimal.TryParse(parts[^1].Replace(',', '.'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) || seconds > 1_000_000)
            return null;
        long minutes = 0, hours = 0;
        if (parts.Length > 1 && !Whole(parts[^2], out minutes)) return null;
        if (parts.Length > 2 && !Whole(parts[^3], out hours)) return null;
        var total = Seconds(hours * 3600, rate) + Seconds(minutes * 60, rate)
            + (long)Math.Round(seconds * rate.Numerator / rate.Denominator, MidpointRounding.ToEven);
        return total < MostFrames ? total : null;
    }

    /// <summary>Frames spelled as an example is; as a number where no example shows another way.</summary>
    /// <param name="frames">How many.</param>
    /// <param name="rate">The profile's rate.</param>
    /// <param name="example">Another time of the document.</param>
    public static string Spell(long frames, FrameRate rate, string? example)
    {
        if (example?.Contains(':', StringComparison.Ordinal) != true || frames < 0) return frames.ToString(CultureInfo.InvariantCulture);
        var text = example.Contains('.', StringComparison.Ordinal) || example.Contains(',', StringComparison.Ordinal)
            ? Clock(frames, rate)
            : new Timecode(frames, rate, example.Contains(';', StringComparison.Ordinal)).ToString();
        // A rate whose frames are shorter than the clock's milliseconds cannot be spelled so.
        return Parse(text, rate) == frames ? text : frames.ToString(CultureInfo.InvariantCulture);
    }

    private static string Clock(long frames, FrameRate rate)
    {
        var hours = frames * rate.Denominator / (rate.Numerator * 3600);
        frames -= Seconds(hours * 3600, rate);
        var minutes = frames * rate.Denominator / (rate.Numerator * 60);
        if (minutes == 60)
        {
            hours++;
            minutes = 0;
            frames -= Seconds(3600, rate);
        }

        frames -= Seconds(minutes * 60, rate);
        var seconds = (decimal)frames * rate.Denominator / rate.Numerator;
        return string.Create(CultureInfo.InvariantCulture, $"{hours:00}:{minutes:00}:{seconds:00.000}");
    }

    private static long Seconds(long seconds, FrameRate rate) => seconds * rate.Numerator / rate.Denominator;

    private static bool Whole(string text, out long value) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value < 1_000_000;
}
