using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>How many canvas frames N delivered frames need, and where each delivered frame lies between them. Integers throughout.</summary>
public static class RateConversion
{
    /// <summary>Whether the two rates are within 10 % of the canvas's: then one canvas frame stands for one delivered frame.</summary>
    public static bool OneToOne(FrameRate delivery, FrameRate canvas)
    {
        var ours = (Int128)delivery.Numerator * canvas.Denominator;
        var theirs = (Int128)canvas.Numerator * delivery.Denominator;
        return 10 * Int128.Abs(ours - theirs) <= theirs;
    }

    /// <summary>
    /// The mapping for <paramref name="frames"/> frames at <paramref name="delivery"/>. Between rates more than 10 % apart, N_c = round((N+1)·f/R) − 1 canvas
    /// frames (at least 1) lie between the last frame before at time 0 and the first frame after at time N_c+1, and delivered frame d at
    /// (d+1)·(N_c+1)/(N+1): both ends are fixed. An end without a shot beside it has no fixed frame there, so the canvas frame that
    /// the outermost delivered frame leans on is generated too.
    /// </summary>
    /// <param name="frames">N, at least 1.</param>
    /// <param name="delivery">R.</param>
    /// <param name="canvas">f.</param>
    /// <param name="fixedStart">Whether a real frame lies before the first.</param>
    /// <param name="fixedEnd">Whether a real frame lies after the last.</param>
    public static FrameMapping Map(int frames, FrameRate delivery, FrameRate canvas, bool fixedStart, bool fixedEnd)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 1);
        if (OneToOne(delivery, canvas))
        {
            return new FrameMapping { OneToOne = true, CanvasFrames = frames, DeliveredFrames = frames, FirstNumerator = 0, StepNumerator = 1, Denominator = 1 };
        }

        long intervals = frames + 1;
        var span = Math.Max(2, (long)RoundHalfUp((Int128)intervals * canvas.Numerator * delivery.Denominator, (Int128)canvas.Denominator * delivery.Numerator));
        var first = fixedStart ? 1 : span / intervals;
        var last = fixedEnd ? span - 1 : CeilingDivide(frames * span, intervals);
        return new FrameMapping
        {
            OneToOne = false,
            CanvasFrames = checked((int)(last - first + 1)),
            DeliveredFrames = frames,
            FirstNumerator = span - first * intervals,
            StepNumerator = span,
            Denominator = intervals,
        };
    }

    /// <summary>The mapping of a still: every delivered frame is the one canvas frame.</summary>
    public static FrameMapping Still(int frames) =>
        new() { OneToOne = false, CanvasFrames = 1, DeliveredFrames = frames, FirstNumerator = 0, StepNumerator = 0, Denominator = 1 };

    /// <summary>
    /// Offsets from the cut, in frames of the media, of <paramref name="count"/> context frames that lie one canvas frame apart: the nearest media
    /// frame to each time counted from the cut.
    /// </summary>
    /// <param name="count">How many, the one at the cut included.</param>
    /// <param name="media">The media's rate.</param>
    /// <param name="step">Rate whose frames are the steps: the sequence's where canvas and sequence go one to one, else the canvas's.</param>
    public static IReadOnlyList<long> ContextOffsets(int count, FrameRate media, FrameRate step)
    {
        var offsets = new long[count];
        for (var i = 0; i < count; i++)
            offsets[i] = (long)RoundHalfUp((Int128)i * media.Numerator * step.Denominator, (Int128)media.Denominator * step.Numerator);
        return offsets;
    }

    internal static long CeilingDivide(long numerator, long denominator) => (numerator + denominator - 1) / denominator;

    private static Int128 RoundHalfUp(Int128 numerator, Int128 denominator) => (2 * numerator + denominator) / (2 * denominator);
}
