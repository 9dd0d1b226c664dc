using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>Reads the items of one track.</summary>
internal sealed class MltTrackReader(MltIndexer indexer, MltTrack track, Dictionary<string, XmlNode> bin)
{
    private readonly List<(TrackItem Item, MltPlace Place)> found = [];

    public List<TrackItem> Items { get; } = [];

    public List<MltPlace> Places { get; } = [];

    public Refusal? Read()
    {
        var end = 0L;
        for (var i = 0; i < track.Playlists.Count; i++)
        {
            var at = 0L;
            foreach (var node in track.Playlists[i].Children)
            {
                if (node.Name == "blank")
                {
                    if (indexer.Time(node["length"]) is not (>= 0 and var length)) return new Refusal("ITEM_UNKNOWN", "a blank has no length.");
                    at += length;
                }
                else if (node.Name == "entry")
                {
                    if (!ReadEntry(node, at).TryGet(out var item, out var refusal)) return refusal;
                    found.Add((item, new MltPlace(node, i, item.RecordRange)));
                    at = item.RecordRange.End;
                }
            }

            end = Math.Max(end, at);
        }

        found.Sort((one, other) => one.Place.Place.Start.CompareTo(other.Place.Place.Start));
        if ((track.Tractor is null ? JoinTransitions() : AddMixes()) is { } problem) return problem;
        AddGaps(end);
        return null;
    }

    private Outcome<TrackItem> ReadEntry(XmlNode entry, long at)
    {
        var id = entry["producer"];
        if (indexer.ById(id) is not { } producer)
            return new Refusal("ITEM_UNKNOWN", $"an entry names '{id}', which the document does not hold.");
        var whole = indexer.Time(MltIndexer.Property(producer, "length"));
        var first = indexer.Time(entry["in"]) ?? indexer.Time(producer["in"]) ?? 0;
        var last = indexer.Time(entry["out"]) ?? indexer.Time(producer["out"]) ?? whole - 1;
        if (last is not { } end || first < 0 || end < first) return new Refusal("ITEM_UNKNOWN", $"the length of '{id}' cannot be told.");
        var isTransition = producer.Name == "tractor" && MltIndexer.Property(producer, "shotcut:transition") is not null;
        var service = MltIndexer.Property(producer, "mlt_service") ?? "";
        var nested = producer.Name is "tractor" or "playlist" or "multitrack" || service is "xml" or "xml-nogl" or "consumer" or "xml-clip";
        var binClip = MltIndexer.Property(producer, "kdenlive:id") is { } clip && bin.TryGetValue(clip, out var known) ? known : null;
        return new TrackItem
        {
            Index = 0,
            Kind = isTransition ? ItemKind.Transition : nested ? ItemKind.Nested : ItemKind.Clip,
            Name = MltIndexer.Property(producer, "shotcut:caption") ?? MltIndexer.Property(binClip ?? producer, "kdenlive:clipname")
                ?? MltIndexer.Property(producer, "editorbridge:name") ?? "",
            RecordRange = FrameRange.Between(at, at + end - first + 1),
            Enabled = !(MltIndexer.Property(producer, "set.test_image") == "1" && MltIndexer.Property(producer, "set.test_audio") == "1"),
            SourceRange = isTransition || nested ? null : new MediaRange(indexer.Rate, first, end - first + 1),
            Media = isTransition || nested ? null : Media(producer, binClip, service, whole),
            Effects = isTransition ? [] : [.. Effects(entry, producer, service)],
        };
    }

    private MediaReference Media(XmlNode producer, XmlNode? binClip, string service, long? length)
    {
        // A proxy stands in for the file that Kdenlive renders from.
        var original = MltIndexer.Property(producer, "kdenlive:originalurl") is { Length: > 0 } own ? own
            : binClip is not null && MltIndexer.Property(binClip, "kdenlive:originalurl") is { Length: > 0 } proxied ? proxied : null;
        var resource = original ?? (service == "timewarp" ? MltIndexer.Property(producer, "warp_resource") : MltIndexer.Property(producer, "resource"));
        var isFile = service is "" or "avformat" or "avformat-novalidate" or "timewarp" or "qimage" or "pixbuf" or "framebuffer" or "vorbis" or "glaxnimate";
        var isStill = service is "qimage" or "pixbuf";
        return new MediaReference
        {
            Schema = service,
            Url = isFile && !string.IsNullOrEmpty(resource) ? indexer.FullResource(resource) : null,
            AvailableRange = isFile && !isStill && service != "timewarp" && length is > 0 and var frames ? new MediaRange(indexer.Rate, 0, frames) : null,
            IsImageSequence = isStill && resource is not null && (resource.Contains('%', StringComparison.Ordinal) || resource.Contains("/.all.", StringComparison.Ordinal)),
        };
    }

    private static IEnumerable<ItemEffect> Effects(XmlNode entry, XmlNode producer, string service)
    {
        if (service is "timewarp" or "framebuffer") yield return new ItemEffect(service, "speed", ChangesTime: true);
        foreach (var filter in entry.Children.Concat(producer.Name == "tractor" ? [] : producer.Children))
        {
            if (filter.Name is not ("filter" or "link")) continue;
            var kind = MltIndexer.Property(filter, "mlt_service") ?? filter["mlt_service"] ?? filter.Name;
            if (MltIndexer.Property(filter, "internal_added") is not null || MltIndexer.Property(filter, "_loader") == "1") continue;
            yield return new ItemEffect(kind, MltIndexer.Property(filter, "shotcut:filter") ?? MltIndexer.Property(filter, "kdenlive_id") ?? kind, kind is "timeremap" or "freeze");
        }
    }

    /// <summary>
    /// Shotcut puts a transition as an item of its own between two entries that were shortened for it: the clips are made to meet
    /// within it again.
    /// </summary>
    private Refusal? JoinTransitions()
    {
        for (var i = 0; i < found.Count; i++)
        {
            var (item, place) = found[i];
            if (item.Kind != ItemKind.Transition) continue;
            var mix = place.Place;
            if (i == 0 || i + 1 == found.Count || found[i - 1].Item.Kind == ItemKind.Transition || found[i + 1].Item.Kind == ItemKind.Transition
                || found[i - 1].Place.Place.End != mix.Start || found[i + 1].Place.Place.Start != mix.End)
                return new Refusal("TRANSITION_IN_WAY", "a transition does not lie between two clips.");
            var cut = mix.Start + mix.Duration / 2;
            found[i - 1] = (To(found[i - 1].Item, FrameRange.Between(found[i - 1].Item.RecordRange.Start, cut)), found[i - 1].Place);
            found[i + 1] = (To(found[i + 1].Item, FrameRange.Between(cut, found[i + 1].Item.RecordRange.End)), found[i + 1].Place);
            found[i] = (item with { Cut = cut }, place);
        }

        return null;
    }

    /// <summary>
    /// Kdenlive lets mixed clips overlap, one on each playlist, and mixes them by a transition of the track's tractor. It saves that transition's out as
    /// the first frame after it, where MLT means the last frame in it; both are met.
    /// </summary>
    private Refusal? AddMixes()
    {
        for (var i = 0; i + 1 < found.Count; i++)
        {
            var overlap = found[i].Place.Place.Intersect(found[i + 1].Place.Place);
            if (overlap.IsEmpty) continue;
            if (track.Tractor!.All("transition").FirstOrDefault(transition => indexer.Time(transition["in"]) is { } start
                    && indexer.Time(transition["out"]) is { } end && start == overlap.Start && (end == overlap.End - 1 || end == overlap.End)) is not { } mix
                || overlap == found[i].Place.Place || overlap == found[i + 1].Place.Place)
                return new Refusal("TRANSITION_IN_WAY", "clips overlap in a way that is not understood.");
            var cut = overlap.Start + overlap.Duration / 2;
            found[i] = (To(found[i].Item, FrameRange.Between(found[i].Item.RecordRange.Start, cut)), found[i].Place);
            found[i + 1] = (To(found[i + 1].Item, FrameRange.Between(cut, found[i + 1].Item.RecordRange.End)), found[i + 1].Place);
            var transition = new TrackItem { Index = 0, Kind = ItemKind.Transition, Name = "", RecordRange = overlap, Cut = cut };
            found.Insert(++i, (transition, new MltPlace(mix, -1, overlap)));
        }

        return null;
    }

    private static TrackItem To(TrackItem item, FrameRange range) => item with
    {
        RecordRange = range,
        SourceRange = item.SourceRange is { } source
            ? source with { Start = source.Start + range.Start - item.RecordRange.Start, Duration = range.Duration }
            : null,
    };

    private void AddGaps(long end)
    {
        var at = 0L;
        foreach (var (item, place) in found)
        {
            if (item.Kind != ItemKind.Transition && item.RecordRange.Start > at) AddGap(at, item.RecordRange.Start);
            Items.Add(item with { Index = Items.Count });
            Places.Add(place);
            if (item.Kind != ItemKind.Transition) at = item.RecordRange.End;
        }

        if (end > at) AddGap(at, end);
    }

    private void AddGap(long start, long end)
    {
        var range = FrameRange.Between(start, end);
        Items.Add(new TrackItem { Index = Items.Count, Kind = ItemKind.Gap, Name = "", RecordRange = range });
        Places.Add(new MltPlace(null, -1, range));
    }
}
