using EditorBridge.Timeline.Json;

namespace EditorBridge.Timeline.Otio;

/// <summary>Makes the index of a document's tracks.</summary>
internal sealed class OtioIndexer(FrameRate rate)
{
    public static string SchemaOf(JsonValue node) => node["OTIO_SCHEMA"]?.AsString() ?? "";

    public static string SchemaName(JsonValue node)
    {
        var schema = SchemaOf(node);
        var dot = schema.LastIndexOf('.');
        return dot < 0 ? schema : schema[..dot];
    }

    /// <summary>The reference that a clip shows its picture from; a Clip.1 has one, a Clip.2 several by name.</summary>
    public static JsonValue? ActiveReference(JsonValue clip) =>
        clip["media_references"] is { Kind: JsonKind.Object } references
            ? references[clip["active_media_reference_key"]?.AsString() ?? "DEFAULT_MEDIA"]
            : clip["media_reference"];

    public Track IndexTrack(JsonValue node, int index, TrackKind kind, int number)
    {
        var name = node["name"]?.AsString() ?? "";
        var label = kind switch { TrackKind.Video => "V", TrackKind.Audio => "A", _ => "track " } + number;
        var track = new Track { Index = index, Number = number, Kind = kind, Name = name, Enabled = node["enabled"]?.AsBoolean() ?? true };
        if (SchemaName(node) != "Track")
        {
            return track with { Problem = new Refusal("TRACK_NOT_EDITABLE", $"The timeline holds a {SchemaOf(node)} beside its tracks: move it onto a track first.") };
        }

        Refusal? problem = null;
        if (node["source_range"] is { Kind: not JsonKind.Null })
            problem = new Refusal("TRACK_NOT_EDITABLE", $"Track {label} is trimmed as a whole (it has a source_range): flatten it first.");
        else if (node["metadata"]?["Resolve_OTIO"]?["Locked"]?.AsBoolean() == true)
            problem = new Refusal("TRACK_LOCKED", $"{label} is locked: unlock it in DaVinci Resolve.");

        var items = new List<TrackItem>();
        var at = 0L;
        var children = node["children"]?.Items ?? [];
        for (var i = 0; i < children.Count; i++)
        {
            if (!IndexItem(children[i], i, at).TryGet(out var item, out var refusal))
            {
                problem ??= refusal with { Message = $"Track {label} cannot be edited: {refusal.Message}" };
                break;
            }

            items.Add(item);
            if (item.Kind != ItemKind.Transition) at = item.RecordRange.End;
            if (at > FrameRange.MostFrames)
            {
                problem ??= new Refusal("ITEM_UNKNOWN", $"Track {label} cannot be edited: with {item.Label} it has more frames than can be counted.");
                break;
            }
        }

        return track with { Items = items, Problem = problem, Duration = at };
    }

    private Outcome<TrackItem> IndexItem(JsonValue node, int index, long at)
    {
        var schema = SchemaName(node);
        var item = new TrackItem
        {
            Index = index,
            Kind = schema switch
            {
                "Gap" => ItemKind.Gap,
                "Transition" => ItemKind.Transition,
                "Stack" or "Track" => ItemKind.Nested,
                _ => ItemKind.Clip,
            },
            Name = node["name"]?.AsString() ?? "",
            RecordRange = new FrameRange(at, 0),
            Enabled = node["enabled"]?.AsBoolean() ?? true,
            Effects = [.. (node["effects"]?.Items ?? []).Select(IndexEffect)],
        };
        var place = $"{(item.Name.Length > 0 ? $"'{item.Name}'" : $"its child {index + 1}")}";
        switch (schema)
        {
            case "Transition":
                if (Offset(node, "in_offset") is not { } before || Offset(node, "out_offset") is not { } after)
                    return new Refusal("OFF_GRID", $"the transition {place} does not begin and end on frames of {rate} per second.");
                if (before < 0 || after < 0) return new Refusal("TRANSITION_IN_WAY", $"the transition {place} ends before it begins (an offset is negative).");
                return item with { Cut = at, RecordRange = FrameRange.Between(at - before, at + after) };
            case "Clip" or "Gap" or "Stack" or "Track":
                break;
            default:
                return new Refusal("ITEM_UNKNOWN", $"{place} is a {(SchemaOf(node) is { Length: > 0 } named ? named : "thing without OTIO_SCHEMA")}, whose length is not known.");
        }

        var media = schema == "Clip" && ActiveReference(node) is { Kind: JsonKind.Object } reference ? IndexReference(reference) : null;
        if (node["source_range"] is { Kind: not JsonKind.Null } trimmed)
        {
            if (OtioTimeRange.Read(trimmed) is not { } range)
                return new Refusal("ITEM_UNKNOWN", $"{place} has a source_range that is not a range of time.");
            if (range.Duration.At(rate) is not { } frames)
                return OffGrid(place, range.Duration);
            return item with { RecordRange = new FrameRange(at, frames), Media = media, SourceRange = schema == "Clip" ? range.ToMediaRange() : null };
        }

        switch (schema)
        {
            case "Clip":
                if (ActiveReference(node) is not { } shown || OtioTimeRange.Read(shown["available_range"]) is not { } available)
                    return new Refusal("ITEM_UNKNOWN", $"{place} has neither a source_range nor media that says how long it is.");
                if (available.Duration.At(rate) is not { } held) return OffGrid(place, available.Duration);
                return item with { RecordRange = new FrameRange(at, held), Media = media, SourceRange = available.ToMediaRange() };
            case "Gap":
                return item;
            default:
                return NestedDuration(node, schema, 0).TryGet(out var length, out var refusal) ? item with { RecordRange = new FrameRange(at, length) } : refusal;
        }
    }

    private Outcome<long> NestedDuration(JsonValue node, string schema, int depth)
    {
        if (depth > 32) return new Refusal("ITEM_UNKNOWN", "sequences are nested more than 32 deep.");
        var longest = 0L;
        var sum = 0L;
        var children = node["children"]?.Items ?? [];
        for (var i = 0; i < children.Count; i++)
        {
            var childSchema = SchemaName(children[i]);
            Outcome<long> duration = childSchema is "Stack" or "Track" && children[i]["source_range"] is null or { Kind: JsonKind.Null }
                ? NestedDuration(children[i], childSchema, depth + 1)
                : IndexItem(children[i], i, 0).TryGet(out var item, out var unknown) ? (item.Kind == ItemKind.Transition ? 0 : item.RecordRange.Duration) : unknown;
            if (!duration.TryGet(out var frames, out var refusal)) return refusal;
            longest = Math.Max(longest, frames);
            sum += frames;
            if (sum > FrameRange.MostFrames) return new Refusal("ITEM_UNKNOWN", "a nested sequence has more frames than can be counted.");
        }

        return schema == "Stack" ? longest : sum;
    }

    private long? Offset(JsonValue node, string name) =>
        node[name] is null or { Kind: JsonKind.Null } ? 0 : OtioTime.Read(node[name])?.At(rate);

    private Refusal OffGrid(string place, OtioTime duration) => new("OFF_GRID",
        Math.Abs(duration.Value) >= FrameRange.MostFrames
            ? $"{place} lasts {duration.ValueNode.RawText} frames at {duration.Rate}, more than can be counted."
            : $"{place} lasts {duration.ValueNode.RawText} frames at {duration.Rate}, which is no whole number of frames at the timeline's {rate}.");

    private static ItemEffect IndexEffect(JsonValue node)
    {
        var schema = SchemaOf(node);
        // A FreezeFrame is a LinearTimeWarp of speed 0; a warp of speed 1 is none.
        var changesTime = SchemaName(node) is "LinearTimeWarp" or "FreezeFrame" or "TimeEffect"
            && !(SchemaName(node) == "LinearTimeWarp" && node["time_scalar"]?.AsNumber() == 1.0);
        return new ItemEffect(schema, node["effect_name"]?.AsString() ?? node["name"]?.AsString() ?? "", changesTime);
    }

    private static MediaReference IndexReference(JsonValue node)
    {
        var available = OtioTimeRange.Read(node["available_range"])?.ToMediaRange();
        var schema = SchemaOf(node);
        switch (SchemaName(node))
        {
            case "ExternalReference":
                return new MediaReference { Schema = schema, Url = node["target_url"]?.AsString(), AvailableRange = available };
            case "ImageSequenceReference":
                var folder = node["target_url_base"]?.AsString() ?? "";
                if (folder.Length > 0 && !folder.EndsWith('/')) folder += "/";
                var padding = (int)Math.Clamp(node["frame_zero_padding"]?.AsNumber() ?? 0, 0, 20);
                return new MediaReference
                {
                    Schema = schema,
                    Url = $"{folder}{node["name_prefix"]?.AsString()}{(padding > 1 ? $"%0{padding}d" : "%d")}{node["name_suffix"]?.AsString()}",
                    AvailableRange = available,
                    IsImageSequence = true,
                };
            default:
                return new MediaReference { Schema = schema, AvailableRange = available };
        }
    }
}
