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
            || !Rebase(available, used.Rate, out var held))
            return null;
        return new Handles(Math.Max(0, FrameConversion.Floor(used.Start - held.Start, used.Rate, rate)),
            Math.Max(0, FrameConversion.Floor(held.End - used.End, used.Rate, rate)));
    }

    private static bool Rebase(MediaRange range, FrameRate rate, out MediaRange rebased)
    {
        rebased = range;
        if (range.Rate == rate) return true;
        if (FrameConversion.Exactly(range.Start, range.Rate, rate) is not { } start) return false;
        rebased = new MediaRange(rate, start, FrameConversion.Floor(range.Duration, range.Rate, rate));
        return true;
    }
}
