using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>
/// When each frame of a file is shown, in ticks of its time base: a rule (start and rate) for constant rates, the list of timestamps where the
/// file was walked through.
/// </summary>
public sealed class FrameTimes
{
    private static readonly FrameRate[] Usual =
    [
        FrameRate.Film, FrameRate.F24, FrameRate.Pal, FrameRate.Ntsc, new(30), new(48000, 1001), new(48), new(50), new(60000, 1001), new(60),
        new(100), new(120000, 1001), new(120), new(15), new(12),
    ];

    private readonly long[]? ticks;
    private readonly long start;

    private FrameTimes(MediaTime timeBase, long start, long count, FrameRate rate, bool isRegular, long[]? ticks)
    {
        TimeBase = timeBase;
        this.start = start;
        Count = count;
        Rate = rate;
        IsRegular = isRegular;
        this.ticks = ticks;
    }

    /// <summary>Number of frames.</summary>
    public long Count { get; }

    /// <summary>The exact rate, or for variable rates the nominal one.</summary>
    public FrameRate Rate { get; }

    /// <summary>Whether every frame lies where the rate puts it, to within the rounding of the time base.</summary>
    public bool IsRegular { get; }

    /// <summary>Seconds in a tick.</summary>
    internal MediaTime TimeBase { get; }

    /// <summary>The first frame's timestamp in seconds, as the file counts.</summary>
    public MediaTime Start => MediaTime.Scale(start, TimeBase);

    internal static FrameTimes Regular(MediaTime timeBase, long start, long count, FrameRate rate) => new(timeBase, start, count, rate, true, null);

    /// <summary>The times of a file that was walked through.</summary>
    /// <param name="timeBase">Seconds in a tick.</param>
    /// <param name="ticks">At least one timestamp, in any order.</param>
    /// <param name="candidates">Rates the container claims; the first that fits makes the file regular.</param>
    internal static FrameTimes FromTicks(MediaTime timeBase, long[] ticks, IEnumerable<FrameRate> candidates)
    {
        Array.Sort(ticks);
        var perTick = (double)timeBase.Numerator / timeBase.Denominator;
        var average = ticks.Length > 1 ? (ticks.Length - 1) / ((ticks[^1] - ticks[0]) * perTick) : 0;
        // Containers with coarse clocks claim rates such as 19001/317 for 60000/1001: a rate in use that fits is the better reading.
        var claimed = candidates.ToList();
        var rates = claimed.Where(Usual.Contains).Concat(Usual.OrderBy(u => Math.Abs(u.Approximate - average))).Concat(claimed).ToList();
        if (average is > 0.001 and < 100_000) rates.Add(FrameRate.Snap(average));

        foreach (var rate in rates)
        {
            if (Fits(timeBase, ticks, rate)) return new FrameTimes(timeBase, ticks[0], ticks.Length, rate, true, ticks);
        }

        return new FrameTimes(timeBase, ticks[0], ticks.Length, Nominal(timeBase, ticks), false, ticks);
    }

    /// <summary>The timestamp of frame <paramref name="frame"/> in ticks (rounded where the file was not walked through).</summary>
    internal long TicksOf(long frame) => ticks is not null ? ticks[frame] : start + MediaTime.OfFrame(frame, Rate).Ticks(TimeBase);

    /// <summary>How far from <see cref="TicksOf"/> a decoded frame's timestamp may lie and still be that frame, in ticks.</summary>
    internal long Tolerance => ticks is not null ? 0 : Math.Max(0, (MediaTime.OfFrame(1, Rate).Ticks(TimeBase) - 1) / 2);

    /// <summary>The frame shown at a time: the last that begins at or before it.</summary>
    /// <param name="time">Seconds from the first frame.</param>
    /// <returns>Less than zero before the first frame, <see cref="Count"/> − 1 at any time after the last has begun.</returns>
    public long FrameAt(MediaTime time)
    {
        if (IsRegular) return Math.Min(time.FrameAt(Rate), Count - 1);
        // Timestamps were rounded to ticks when the file was written, so a frame may seem to begin up to a tick late.
        var quarter = Quarter(MediaTime.OfFrame(1, Rate));
        var slack = quarter < TimeBase ? quarter : TimeBase;
        var limit = time + slack;
        long low = 0, high = Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (MediaTime.Scale(ticks![middle] - start, TimeBase) <= limit) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }

    /// <summary>When a frame begins, in seconds from the first frame.</summary>
    public MediaTime TimeOf(long frame) => IsRegular ? MediaTime.OfFrame(frame, Rate) : MediaTime.Scale(ticks![frame] - start, TimeBase);

    /// <summary>How many frames a sequence of another rate shows of this file.</summary>
    public long CountAt(FrameRate rate)
    {
        if (IsRegular && rate == Rate) return Count;
        var end = TimeOf(Count - 1) + MediaTime.OfFrame(1, Rate);
        // The last frame of the sequence begins before the file's end.
        var whole = end.FrameAt(rate);
        return MediaTime.OfFrame(whole, rate) < end ? whole + 1 : whole;
    }

    private static bool Fits(MediaTime timeBase, long[] ticks, FrameRate rate)
    {
        var step = MediaTime.OfFrame(1, rate);
        var perFrame = (double)step.Numerator * timeBase.Denominator / ((double)step.Denominator * timeBase.Numerator);
        // A tick of rounding at each end; never so much that a neighbour would fit too.
        var allowed = Math.Min(1.01, 0.45 * perFrame);
        for (var i = 1; i < ticks.Length; i++)
        {
            if (Math.Abs(ticks[i] - ticks[0] - i * perFrame) > allowed) return false;
        }

        return true;
    }

    // What a phone or a screen recorder was set to: the usual distance between frames where there is one, else the average.
    private static FrameRate Nominal(MediaTime timeBase, long[] ticks)
    {
        var steps = new List<long>();
        for (var i = 1; i < ticks.Length; i++)
        {
            if (ticks[i] > ticks[i - 1]) steps.Add(ticks[i] - ticks[i - 1]);
        }

        if (steps.Count == 0) return FrameRate.F24;
        steps.Sort();
        var median = steps[steps.Count / 2];
        // Dropped frames leave whole multiples of the usual distance; anything else is jitter around the average.
        var isGrid = steps.TrueForAll(s => Math.Abs(s - Math.Round((double)s / median) * median) <= 0.1 * median);
        var step = isGrid ? steps.Sum() / steps.Sum(s => Math.Round((double)s / median)) : steps.Average();
        var rate = timeBase.Denominator / (timeBase.Numerator * step);
        var nearest = Usual.MinBy(u => Math.Abs(u.Approximate - rate));
        return Math.Abs(nearest.Approximate - rate) < 0.01 * rate ? nearest : FrameRate.Snap(Math.Clamp(rate, 0.001, 1000));
    }

    private static MediaTime Quarter(MediaTime time) => new(time.Numerator, checked(time.Denominator * 4));
}
