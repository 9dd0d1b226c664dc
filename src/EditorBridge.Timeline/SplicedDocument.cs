using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline;

/// <summary>A document whose gaps are what lies between its items: edits make splices, and the result is read back and compared.</summary>
public abstract class SplicedDocument : TimelineDocument
{
    private protected SplicedDocument(byte[] bytes, TimelineIndex index)
        : base(bytes, index)
    {
    }

    /// <inheritdoc/>
    public override Outcome<EditedTimeline> Apply(TimelineEdit edit)
    {
        ArgumentNullException.ThrowIfNull(edit);
        var splices = new List<TextSplice>();
        if (Splice(edit, splices) is { } refusal) return refusal;
        try
        {
            var edited = Spliced(splices);
            Check(edit, (SplicedDocument)edited.Document);
            return edited;
        }
        catch (ReadBackDiffers difference)
        {
            return difference.Refusal;
        }
    }

    /// <inheritdoc/>
    public override EditedTimeline? RespellMedia(Func<string, string> spell)
    {
        ArgumentNullException.ThrowIfNull(spell);
        if (MediaPlaces() is not { } places) return null;
        var splices = new List<TextSplice>();
        foreach (var (old, spelledAs) in places)
        {
            var now = spell(old);
            if (now != old) splices.Add(spelledAs(now));
        }

        try
        {
            return Spliced(splices);
        }
        catch (ReadBackDiffers)
        {
            return null;
        }
    }

    private EditedTimeline Spliced(List<TextSplice> splices)
    {
        // Insertions at one byte keep their order, and come before what gives way there. What is wanted twice of one place is done once.
        var ordered = new List<TextSplice>();
        foreach (var splice in splices.OrderBy(splice => splice.Start).ThenBy(splice => splice.Length > 0))
        {
            if (splice.Length > 0 && ordered.Count > 0 && ordered[^1] is var last && last.Start == splice.Start && last.Length == splice.Length && last.Replacement.Span.SequenceEqual(splice.Replacement.Span)) continue;
            if (ordered.Count > 0 && ordered[^1].End > splice.Start) throw new ReadBackDiffers("what changes lies within each other");
            ordered.Add(splice);
        }

        return Reread(TextSplice.Apply(Bytes.Span, ordered)).TryGet(out var result, out var unreadable)
            ? new EditedTimeline(result, ordered)
            : throw new ReadBackDiffers(unreadable.Message.TrimEnd('.'));
    }

    private protected abstract Refusal? Splice(TimelineEdit edit, List<TextSplice> splices);

    /// <summary>Where the document names files, in use or not: each as it stands, and the splice that spells it otherwise. Null as for <see cref="RespellMedia"/>.</summary>
    private protected virtual IEnumerable<(string Path, Func<string, TextSplice> Spelled)>? MediaPlaces() => null;

    private protected abstract Outcome<SplicedDocument> Reread(byte[] bytes);

    /// <summary>The bytes that spell an item, places on the track left out where the format writes them into items.</summary>
    private protected abstract ReadOnlyMemory<byte> Spelling(int track, int item);

    /// <summary>A new clip as this format reads it back.</summary>
    private protected abstract (string Name, MediaRange Source, string Url) AsRead(NewClip clip);

    private void Check(TimelineEdit edit, SplicedDocument after)
    {
        var added = edit.Changes.Where(change => change.Track is null).Select(change => change.Index).ToHashSet();
        if (after.Index.Tracks.Count != Index.Tracks.Count + added.Count) throw Defect("the number of tracks");
        if (after.Index.Rate != Index.Rate || after.Index.StartFrame != Index.StartFrame) throw Defect("the clock");
        var old = 0;
        for (var i = 0; i < after.Index.Tracks.Count; i++)
        {
            var track = added.Contains(i) ? null : Index.Tracks[old++];
            var now = after.Index.Tracks[i];
            if (now.Problem?.Reason != track?.Problem?.Reason) throw Defect($"track {now.Label}");
            if (track?.Problem is not null)
            {
                // What is not understood is never edited, and read the same again.
                if (!track.Items.Select(item => (item.Kind, item.Name, item.RecordRange)).SequenceEqual(now.Items.Select(item => (item.Kind, item.Name, item.RecordRange)))) throw Defect($"track {now.Label}");
                continue;
            }

            var change = edit.Changes.FirstOrDefault(change => change.Index == i);
            if (now.Kind != (track?.Kind ?? change!.NewTrackKind)) throw Defect($"the kind of track {now.Label}");
            var pieces = change?.Pieces ?? TrackPieces.Of(track!);
            CheckTrack(track, pieces, after, now);
        }
    }

    private void CheckTrack(Track? before, IReadOnlyList<TrackPiece> pieces, SplicedDocument after, Track now)
    {
        var items = now.Items.Where(item => item.Kind != ItemKind.Gap).ToList();
        var next = 0;
        var at = 0L;
        foreach (var piece in pieces)
        {
            if (piece is GapPiece or KeptPiece { Item.Kind: ItemKind.Gap })
            {
                at += piece.Duration;
                continue;
            }

            if (next == items.Count) throw Defect($"the items of {now.Label}");
            var item = items[next++];
            var place = piece is KeptPiece { Item: { Kind: ItemKind.Transition } mix } ? mix.RecordRange.Shift(at - mix.Cut) : new FrameRange(at, piece.Duration);
            if (item.RecordRange != place) throw Defect($"the place of {item.Label}");
            at += piece.Duration;
            if (piece is ClipPiece { Clip: var clip })
            {
                var (name, source, url) = AsRead(clip);
                if (item.Name != name || item.SourceRange != source || item.Media?.Url != url) throw Defect($"the new clip {item.Label}");
                continue;
            }

            var kept = (KeptPiece)piece;
            if (!SameContent(kept.Item, item)) throw Defect($"{item.Label}, which was to stay");
            if (kept.Item.SourceRange is { } was && item.SourceRange?.Start != was.Start + FrameConversion.Exactly(kept.Offset, Index.Rate, was.Rate))
                throw Defect($"the source range of {item.Label}");
            if (kept.IsWhole && !Spelling(before!.Index, kept.Item.Index).Span.SequenceEqual(after.Spelling(now.Index, item.Index).Span))
                throw Defect($"{item.Label}, which was to stay to the byte");
        }

        if (next != items.Count) throw Defect($"the items of {now.Label}");
    }

    private static bool SameContent(TrackItem one, TrackItem other) => one.Kind == other.Kind && one.Name == other.Name
        && one.Enabled == other.Enabled && one.Media == other.Media && one.Effects.SequenceEqual(other.Effects);

    private static ReadBackDiffers Defect(string what) => new(what);
}
