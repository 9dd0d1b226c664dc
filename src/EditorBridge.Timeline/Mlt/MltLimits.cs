using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>What a document places on the timeline beside its tracks, and an edit would leave behind.</summary>
internal static class MltLimits
{
    /// <summary>Why the items of a track cannot change so: Kdenlive's groups name clips by their first frame.</summary>
    public static Refusal? BreaksGroup(MltIndexer indexer, TrackChange change)
    {
        if (indexer.Grouped.Count == 0) return null;
        var number = indexer.Tracks[change.Track!.Index].Number - 1;
        var places = indexer.Places[change.Track.Index];
        var at = 0L;
        var staying = new HashSet<int>();
        foreach (var piece in change.Pieces)
        {
            if (piece is KeptPiece { Offset: 0 } kept && at == kept.Item.RecordRange.Start) staying.Add(kept.Item.Index);
            at += piece.Duration;
        }

        var broken = change.Track.Items.FirstOrDefault(item => item.Kind is ItemKind.Clip or ItemKind.Nested
            && !staying.Contains(item.Index) && indexer.Grouped.Contains((number, places[item.Index].Place.Start)));
        return broken is null ? null : new Refusal("LINKED_ITEM",
            $"{broken.Label} on {change.Track.Label} is grouped with others (its audio, perhaps), which would come apart: ungroup it in Kdenlive or place the clip above.");
    }

    /// <summary>Why not everything can move that lies after a frame.</summary>
    public static Refusal? WhyNotRipple(MltIndexer indexer, long at)
    {
        Refusal Refuse(string what) => new("RIPPLE_REFUSED", $"Everything on every track has to move, but {what} would stay where it is: remove it or place the clip above.");
        foreach (var transition in indexer.Tractor.All("transition"))
        {
            var automatic = MltIndexer.Property(transition, "always_active") == "1" || MltIndexer.Property(transition, "internal_added") is not null;
            if (!automatic && transition["out"] is not null && indexer.Time(transition["out"]) is not { } end) return Refuse("a composition");
            if (!automatic && indexer.Time(transition["out"]) is { } last && last >= at) return Refuse("a composition between tracks");
        }

        var owners = indexer.Tracks.SelectMany(track => track.Playlists.Append(track.Tractor)).OfType<XmlNode>().Append(indexer.Tractor);
        if (owners.SelectMany(owner => owner.All("filter")).Any(filter => MltIndexer.Property(filter, "internal_added") is null))
            return Refuse("an effect on a whole track");
        if (indexer.Tractor.All("properties").Any(list => list["name"] == "shotcut:markers" && list.Children.Count > 0)) return Refuse("a marker");
        if (indexer.Grouped.Any(place => place.Frame >= at)) return Refuse("the grouping of clips");
        foreach (var (owner, prefix) in new[] { (indexer.Tractor, "kdenlive:sequenceproperties."), (indexer.MainBin ?? indexer.Tractor, "kdenlive:docproperties.") })
        {
            foreach (var (name, what) in new[] { ("guides", "a guide"), ("subtitlesList", "a subtitle"), ("subtitles", "a subtitle") })
            {
                if (MltIndexer.Property(owner, prefix + name) is { } text && text.AsSpan().IndexOfAny("{\"") >= 0) return Refuse(what);
            }
        }

        return null;
    }
}
