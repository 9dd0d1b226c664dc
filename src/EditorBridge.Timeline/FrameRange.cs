namespace EditorBridge.Timeline;

/// <summary>A half-open range of frames: <see cref="Start"/> is in it, <see cref="End"/> is the first frame after it.</summary>
/// <param name="Start">First frame.</param>
/// <param name="Duration">Number of frames, zero or more.</param>
public readonly record struct FrameRange(long Start, long Duration)
{
    /// <summary>Longer than any timeline; sums of as many as a document can hold stay far from overflow when each total is held against it.</summary>
    public const long MostFrames = 1L << 50;

    /// <summary>The first frame after the range.</summary>
    public long End => Start + Duration;

    /// <summary>Whether the range holds no frame.</summary>
    public bool IsEmpty => Duration <= 0;

    /// <summary>The range from <paramref name="start"/> up to but not including <paramref name="end"/>.</summary>
    public static FrameRange Between(long start, long end) => new(start, end - start);

    /// <summary>Whether <paramref name="frame"/> lies in the range.</summary>
    public bool Contains(long frame) => frame >= Start && frame < End;

    /// <summary>Whether all of <paramref name="other"/> lies in the range.</summary>
    public bool Contains(FrameRange other) => other.Start >= Start && other.End <= End;

    /// <summary>Whether the two share a frame.</summary>
    public bool Overlaps(FrameRange other) => Start < other.End && other.Start < End;

    /// <summary>The frames in both, empty (at the later start) when they share none.</summary>
    public FrameRange Intersect(FrameRange other)
    {
        var start = Math.Max(Start, other.Start);
        return new FrameRange(start, Math.Max(0, Math.Min(End, other.End) - start));
    }

    /// <summary>The same frames, counted from <paramref name="offset"/> frames later.</summary>
    public FrameRange Shift(long offset) => this with { Start = Start + offset };
}
