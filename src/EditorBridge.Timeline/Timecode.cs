using System.Globalization;

namespace EditorBridge.Timeline;

/// <summary>
/// SMPTE timecode (ST 12-1): the label of a frame. Drop-frame leaves out labels, never frames: at 29.97 the labels 00 and 01
/// (at 59.94: 00 to 03) of every minute that is not a multiple of ten.
/// </summary>
/// <param name="Frame">The frame, counted from 00:00:00:00.</param>
/// <param name="Rate">Frames per second.</param>
/// <param name="DropFrame">Whether labels are dropped.</param>
public readonly record struct Timecode(long Frame, FrameRate Rate, bool DropFrame = false)
{
    private const int MostHours = 99;

    /// <summary>Whether drop-frame counting exists for <paramref name="rate"/>: 30000/1001 and 60000/1001 only.</summary>
    public static bool CanDropFrames(FrameRate rate) =>
        rate.Denominator == 1001 && rate.Numerator is 30000 or 60000;

    /// <summary>
    /// Reads HH:MM:SS:FF. A ';', '.' or ',' before the frames (or ';' throughout) says drop-frame.
    /// </summary>
    /// <param name="text">The label.</param>
    /// <param name="rate">The rate it counts at.</param>
    /// <param name="dropFrame">Overrides what the punctuation says.</param>
    /// <returns>The frame, or why the label names none.</returns>
    public static Outcome<Timecode> Parse(string text, FrameRate rate, bool? dropFrame = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        var trimmed = text.Trim();
        Span<Range> parts = stackalloc Range[6];
        var span = trimmed.AsSpan();
        if (span.SplitAny(parts, ":;.,") != 4)
            return Malformed(trimmed, "it needs four fields, hours:minutes:seconds:frames");
        Span<int> fields = stackalloc int[4];
        for (var i = 0; i < 4; i++)
        {
            var field = span[parts[i]];
            if (field.Length is 0 or > 3 || !int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out fields[i]))
                return Malformed(trimmed, $"'{field}' is not a number of at most three digits");
        }

        var drop = dropFrame ?? span[parts[3].Start.Value - 1] is not ':';
        if (drop && !CanDropFrames(rate))
            return Malformed(trimmed, $"drop-frame counting exists for 29.97 and 59.94 only, not for {rate}; write it with ':'");
        var (hours, minutes, seconds, frames) = (fields[0], fields[1], fields[2], fields[3]);
        var nominal = rate.Nominal;
        if (hours > MostHours) return Malformed(trimmed, $"hours end at {MostHours}");
        if (minutes > 59) return Malformed(trimmed, "minutes end at 59");
        if (seconds > 59) return Malformed(trimmed, "seconds end at 59");
        if (frames >= nominal) return Malformed(trimmed, $"frames end at {nominal - 1} at {rate} frames per second");
        var dropped = drop ? nominal / 15 : 0;
        if (drop && seconds == 0 && frames < dropped && minutes % 10 != 0)
            return Malformed(trimmed, $"drop-frame counting leaves this label out; the next one is {hours:00}:{minutes:00}:00;{dropped:00}");

        var minutesInAll = hours * 60L + minutes;
        var count = (minutesInAll * 60 + seconds) * nominal + frames - dropped * (minutesInAll - minutesInAll / 10);
        return new Timecode(count, rate, drop);
    }

    /// <summary>The label, HH:MM:SS:FF, with ';' before the frames in drop-frame; a '-' in front of frames before zero.</summary>
    public override string ToString()
    {
        if (Rate == default) return Frame.ToString(CultureInfo.InvariantCulture);
        var nominal = Rate.Nominal;
        var label = Math.Abs(Frame);
        if (DropFrame)
        {
            // Ten minutes hold ten minutes of labels less nine times the dropped ones; only the first minute of ten is whole.
            var dropped = nominal / 15;
            var tenMinutes = nominal * 600L - dropped * 9;
            var minute = nominal * 60L - dropped;
            var (tens, rest) = Math.DivRem(label, tenMinutes);
            label += tens * 9 * dropped;
            if (rest >= nominal * 60L) label += dropped * (1 + (rest - nominal * 60L) / minute);
        }

        var frames = label % nominal;
        var seconds = label / nominal;
        return string.Create(CultureInfo.InvariantCulture,
            $"{(Frame < 0 ? "-" : "")}{seconds / 3600:00}:{seconds / 60 % 60:00}:{seconds % 60:00}{(DropFrame ? ';' : ':')}{frames:00}");
    }

    private static Refusal Malformed(string text, string why) => new("TIMECODE_INVALID", $"'{text}' is not a timecode here: {why}.");
}
