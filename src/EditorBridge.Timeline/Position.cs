using System.Globalization;

namespace EditorBridge.Timeline;

/// <summary>Reads a place on a timeline as people type it.</summary>
public static class Position
{
    /// <summary>
    /// Reads a timecode on the sequence's own clock ("01:00:05:00"), a plain frame number counted from the start of the
    /// timeline ("120"), or, where <paramref name="relativeTo"/> is given, a number of frames after it ("+48").
    /// </summary>
    /// <param name="text">What was typed.</param>
    /// <param name="rate">The sequence rate.</param>
    /// <param name="startFrame">The timecode of the timeline's first frame, in frames.</param>
    /// <param name="relativeTo">The frame that "+N" counts from.</param>
    /// <returns>The frame, counted from the start of the timeline, or why there is none.</returns>
    public static Outcome<long> Parse(string text, FrameRate rate, long startFrame, long? relativeTo = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        var trimmed = text.Trim();
        if (trimmed.StartsWith('+'))
        {
            if (relativeTo is not { } from)
                return new Refusal("POSITION_INVALID", $"'{trimmed}' counts from an in point: give it as --out-point.");
            return long.TryParse(trimmed.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var after) && after <= int.MaxValue
                ? from + after
                : new Refusal("POSITION_INVALID", $"'{trimmed}' is not a number of frames: write it as +48.");
        }

        if (trimmed.Length > 0 && trimmed.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0)
        {
            return long.TryParse(trimmed, NumberStyles.None, CultureInfo.InvariantCulture, out var frame) && frame <= int.MaxValue
                ? frame
                : new Refusal("POSITION_INVALID", $"'{trimmed}' is too large for a frame number.");
        }

        if (!Timecode.Parse(trimmed, rate).TryGet(out var timecode, out var refusal))
            return refusal with { Message = refusal.Message.TrimEnd('.') + "; a plain number counts frames from the start of the timeline." };
        var position = timecode.Frame - startFrame;
        return position >= 0
            ? position
            : new Refusal("RANGE_OUTSIDE",
                $"'{trimmed}' lies before the timeline, which starts at {new Timecode(startFrame, rate, timecode.DropFrame)}.");
    }
}
