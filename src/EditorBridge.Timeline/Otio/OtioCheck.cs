using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Otio;

/// <summary>Reads an edited document back: what was to stay must be there to the byte, what is new at its exact place.</summary>
internal static class OtioCheck
{
    public static void Edited(OtioDocument before, TimelineEdit edit, OtioDocument after)
    {
        var added = edit.Changes.Where(change => change.Track is null).Select(change => change.Index).ToHashSet();
        if (after.Index.Tracks.Count != before.Index.Tracks.Count + added.Count) throw Defect("the number of tracks");
        if (after.Index.Rate != before.Index.Rate || after.Index.StartFrame != before.Index.StartFrame) throw Defect("the clock");
        var old = 0;
        for (var i = 0; i < after.Index.Tracks.Count; i++)
        {
            var track = added.Contains(i) ? null : before.Index.Tracks[old++];
            if (edit.Changes.FirstOrDefault(change => change.Index == i) is { } change)
                CheckTrack(track is null ? null : before, track, change.Pieces, after, i);
            else if (edit.Ripple is null && !before.TrackNodes[track!.Index].Raw.Span.SequenceEqual(after.TrackNodes[i].Raw.Span))
                throw Defect($"track {track.Label}");
        }
    }

    private static void CheckTrack(OtioDocument? before, Track? track, IReadOnlyList<TrackPiece> pieces, OtioDocument after, int index)
    {
        var result = after.Index.Tracks[index];
        if (result.Problem is not null || result.Items.Count != pieces.Count) throw Defect($"the children of {result.Label}");
        var at = 0L;
        for (var i = 0; i < pieces.Count; i++)
        {
            var item = result.Items[i];
            if (item.Kind != ItemKind.Transition && item.RecordRange != new FrameRange(at, pieces[i].Duration)) throw Defect($"the place of {item.Label}");
            at += pieces[i].Duration;
            switch (pieces[i])
            {
                case KeptPiece { IsWhole: true } kept:
                    var oldNode = before!.TrackNodes[track!.Index]["children"]!.Items[kept.Item.Index];
                    if (!oldNode.Raw.Span.SequenceEqual(after.TrackNodes[index]["children"]!.Items[i].Raw.Span)) throw Defect($"{item.Label}, which was to stay");
                    break;
                case KeptPiece { Item: { Kind: ItemKind.Clip, SourceRange: { } source } } kept:
                    var offset = FrameConversion.Exactly(kept.Offset, after.Index.Rate, source.Rate);
                    if (item.SourceRange is not { } now || now.Start != source.Start + offset) throw Defect($"the source range of {item.Label}");
                    break;
                case ClipPiece { Clip: var clip }:
                    if (item.Name != clip.Name || item.SourceRange != clip.SourceRange || item.Media?.AvailableRange != clip.AvailableRange || item.Media.Url != clip.MediaUrl)
                        throw Defect($"the new clip {item.Label}");
                    break;
            }
        }
    }

    private static ReadBackDiffers Defect(string what) => new(what);
}
