namespace EditorBridge.Timeline.Edits;

/// <summary>Cuts and joins the pieces of one track. Nothing is changed in place.</summary>
internal static class TrackPieces
{
    public static List<TrackPiece> Of(Track track) =>
        [.. track.Items.Select(item => new KeptPiece(item, 0, item.Kind == ItemKind.Transition ? 0 : item.RecordRange.Duration))];

    public static long DurationOf(IReadOnlyList<TrackPiece> pieces) => pieces.Sum(piece => piece.Duration);

    /// <summary>Refuses when a transition overlaps the range or joins what the range would replace.</summary>
    public static Refusal? TransitionIn(TimelineIndex index, Track track, FrameRange range)
    {
        foreach (var item in track.Items)
        {
            if (item.Kind != ItemKind.Transition) continue;
            if (item.RecordRange.Overlaps(range) || (item.RecordRange.Start < range.Start && item.RecordRange.End > range.Start)
                || (item.Cut >= range.Start && item.Cut <= range.End))
            {
                return new Refusal("TRANSITION_IN_WAY",
                    $"A transition on {track.Label} ({index.Label(item.RecordRange.Start)} to {index.Label(item.RecordRange.End)}) lies in or at the edge of "
                    + $"{index.Label(range.Start)} to {index.Label(range.End)}: remove it or choose another range.");
            }
        }

        return null;
    }

    /// <summary>Makes a boundary at a frame, splitting what lies across it.</summary>
    public static Outcome<List<TrackPiece>> Cut(TimelineIndex index, Track track, List<TrackPiece> pieces, long frame)
    {
        var result = new List<TrackPiece>(pieces.Count + 1);
        var start = 0L;
        foreach (var piece in pieces)
        {
            var end = start + piece.Duration;
            if (frame <= start || frame >= end)
            {
                result.Add(piece);
            }
            else
            {
                if (piece is KeptPiece { Item.Kind: not ItemKind.Gap } solid && WhyNotSplit(index, track, solid.Item, frame) is { } refusal) return refusal;
                var head = frame - start;
                result.Add(piece with { Duration = head });
                result.Add(piece switch
                {
                    KeptPiece kept => kept with { Offset = kept.Offset + head, Duration = kept.Duration - head },
                    _ => piece with { Duration = piece.Duration - head },
                });
            }

            start = end;
        }

        return result;
    }

    /// <summary>
    /// Takes out what lies in a range that has boundaries at both ends and puts something in its place; before the end of the
    /// track a gap leads up to it.
    /// </summary>
    public static List<TrackPiece> Replace(IReadOnlyList<TrackPiece> pieces, FrameRange range, TrackPiece? replacement)
    {
        var before = new List<TrackPiece>();
        var after = new List<TrackPiece>();
        var start = 0L;
        foreach (var piece in pieces)
        {
            var end = start + piece.Duration;
            if (end <= range.Start) before.Add(piece);
            else if (start >= range.End) after.Add(piece);
            start = end;
        }

        if (start < range.Start)
        {
            var missing = range.Start - start;
            if (before is [.., KeptPiece { Item.Kind: ItemKind.Gap } last]) before[^1] = last with { Duration = last.Duration + missing };
            else before.Add(new GapPiece(missing));
        }

        if (replacement is not null) before.Add(replacement);
        before.AddRange(after);
        return before;
    }

    /// <summary>Opens frames at a boundary: a gap that ends or starts there grows, else a new gap is put in. After the end nothing is needed.</summary>
    public static List<TrackPiece> Open(IReadOnlyList<TrackPiece> pieces, long at, long frames)
    {
        var result = new List<TrackPiece>(pieces);
        var start = 0L;
        for (var i = 0; i < result.Count; i++)
        {
            if (start == at && result[i].Duration > 0)
            {
                if (result[i] is KeptPiece { Item.Kind: ItemKind.Gap } following) result[i] = following with { Duration = following.Duration + frames };
                else if (i > 0 && result[i - 1] is KeptPiece { Item.Kind: ItemKind.Gap } leading) result[i - 1] = leading with { Duration = leading.Duration + frames };
                else result.Insert(i, new GapPiece(frames));
                break;
            }

            start += result[i].Duration;
        }

        return result;
    }

    /// <summary>
    /// Refuses a cut that leaves nothing of an item but frames of a transition at its other end: formats whose transitions are two items lying over each
    /// other cannot say that.
    /// </summary>
    public static Refusal? OnlyMixLeft(Track track, KeptPiece kept)
    {
        var item = kept.Item;
        var mixed = track.Items.Where(other => other.Kind == ItemKind.Transition)
            .Sum(mix => kept.Offset == 0 && mix.Cut == item.RecordRange.Start ? mix.RecordRange.End - mix.Cut
                : kept.Offset + kept.Duration == item.RecordRange.Duration && mix.Cut == item.RecordRange.End ? mix.Cut - mix.RecordRange.Start : 0);
        return kept.Duration <= mixed && !kept.IsWhole
            ? new Refusal("TRANSITION_IN_WAY", $"Only frames of a transition would be left of {item.Label} on {track.Label}: choose a range further from it, or remove the transition.")
            : null;
    }

    private static Refusal? WhyNotSplit(TimelineIndex index, Track track, TrackItem item, long frame)
    {
        var where = $"{item.Label} on {track.Label} would be cut at {index.Label(frame)}";
        if (item.Kind == ItemKind.Nested) return new Refusal("NESTED_ITEM", $"{where}, but it is a nested sequence: choose a range outside it.");
        if (item.Effects.Count > 0)
        {
            var effect = item.Effects[0];
            return new Refusal("ITEM_HAS_EFFECTS",
                $"{where}, but it carries the effect {(effect.Name.Length > 0 ? $"'{effect.Name}'" : effect.Schema)}, which a cut could damage: choose a range outside it.");
        }

        return null;
    }
}
