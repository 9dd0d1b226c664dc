namespace EditorBridge.Media;

/// <summary>Where a delivered frame lies: at canvas frame <see cref="Frame"/>, or <see cref="Fraction"/> of the way to the next.</summary>
/// <param name="Frame">A canvas frame; −1 is the last real frame before, the count is the first real frame after.</param>
/// <param name="Fraction">From 0 to less than 1.</param>
public readonly record struct FramePosition(int Frame, double Fraction);

/// <summary>
/// Makes the delivered frames of one rate out of canvas frames of another as they stream by. Frames between two canvas frames follow the motion
/// between them (<see cref="MotionBlend"/>). Exactly as many come out as there are positions.
/// </summary>
public static class FrameResampler
{
    /// <summary>Resamples.</summary>
    /// <param name="canvas">Canvas frames 0, 1, …; disposed as they are used up.</param>
    /// <param name="positions">Where each delivered frame lies, strictly increasing.</param>
    /// <param name="before">The real frame before, at canvas size, or null; stays the caller's.</param>
    /// <param name="after">The real frame after, at canvas size, or null; stays the caller's.</param>
    /// <returns>One frame for each position, the receiver's to dispose.</returns>
    /// <exception cref="ArgumentException">Positions do not increase, or lean on a real frame that was not given.</exception>
    /// <exception cref="InvalidOperationException">The canvas frames ended too early.</exception>
    public static IEnumerable<VideoFrame> Resample(
        IEnumerable<VideoFrame> canvas, IReadOnlyList<FramePosition> positions, VideoFrame? before = null, VideoFrame? after = null)
    {
        ArgumentNullException.ThrowIfNull(canvas);
        ArgumentNullException.ThrowIfNull(positions);
        for (var i = 0; i < positions.Count; i++)
        {
            var (frame, fraction) = positions[i];
            if (!(fraction is >= 0 and < 1)) throw new ArgumentException($"Position {i} has the fraction {fraction}.", nameof(positions));
            if (frame < -1 || (frame == -1 && before is null)) throw new ArgumentException($"Position {i} leans on a frame before the first, and none was given.", nameof(positions));
            if (i > 0 && (frame < positions[i - 1].Frame || (frame == positions[i - 1].Frame && fraction <= positions[i - 1].Fraction)))
                throw new ArgumentException($"Position {i} does not follow position {i - 1}: a frame would be repeated.", nameof(positions));
        }

        return Run(canvas, positions, before, after);
    }

    private static IEnumerable<VideoFrame> Run(IEnumerable<VideoFrame> canvas, IReadOnlyList<FramePosition> positions, VideoFrame? before, VideoFrame? after)
    {
        using var source = canvas.GetEnumerator();
        // Frames `at` and `at + 1`; owned unless they are the real ones.
        var at = -1;
        var left = before;
        var right = Next(source, after);
        MotionBlend? motion = null;
        try
        {
            for (var i = 0; i < positions.Count; i++)
            {
                var (frame, fraction) = positions[i];
                while (at < frame)
                {
                    motion = null;
                    if (left is not null && !ReferenceEquals(left, before)) left.Dispose();
                    left = right ?? throw TooFew(i, positions.Count);
                    right = ReferenceEquals(left, after) ? null : Next(source, after);
                    at++;
                }

                if (left is null) throw TooFew(i, positions.Count);
                if (fraction == 0)
                {
                    yield return left.Clone();
                    continue;
                }

                if (right is null) throw TooFew(i, positions.Count);
                motion ??= MotionBlend.Between(left, right);
                yield return motion.At(fraction);
            }
        }
        finally
        {
            if (left is not null && !ReferenceEquals(left, before) && !ReferenceEquals(left, after)) left.Dispose();
            if (right is not null && !ReferenceEquals(right, after)) right.Dispose();
        }
    }

    private static VideoFrame? Next(IEnumerator<VideoFrame> source, VideoFrame? after) => source.MoveNext() ? source.Current : after;

    private static InvalidOperationException TooFew(int delivered, int wanted) =>
        new($"The canvas frames ended after {delivered} of {wanted} delivered frames.");
}
