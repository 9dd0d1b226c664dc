namespace EditorBridge.Timeline;

/// <summary>Real frames of a clip's medium that the timeline does not use, in whole frames of the sequence.</summary>
/// <param name="Head">Frames before its first used frame.</param>
/// <param name="Tail">Frames after its last used frame.</param>
public readonly record struct Handles(long Head, long Tail)
{
    /// <summary>What is left in a clip's medium.</summary>
    /// <param name="item">A clip.</param>
    /// <param name="rate">The sequence rate.</param>
    /// <returns>Null when the document does not say what the medium holds, or an effect changes the clip's speed.</returns>
    public static Handles? Of(TrackItem item, FrameRate rate)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (item.ChangesTime || item.SourceRange is not { } used || item.Media?.AvailableRange is not { } available
            || !Rebase(available, used.Rate, out var held)
            || FrameConversion.Floor(used.Start - held.Start, used.Rate, rate) is not { } head || FrameConversion.Floor(held.End - used.End, used.Rate, rate) is not { } tail)
            return null;
        return new Handles(Math.Max(0, head), Math.Max(0, tail));
    }

    private static bool Rebase(MediaRange range, FrameRate rate, out MediaRange rebased)
    {
        rebased = range;
        if (range.Rate == rate) return true;
        if (FrameConversion.Exactly(range.Start, range.Rate, rate) is not { } start || FrameConversion.Floor(range.Duration, range.Rate, rate) is not { } duration) return false;
        rebased = new MediaRange(rate, start, duration);
        return true;
    }
}
