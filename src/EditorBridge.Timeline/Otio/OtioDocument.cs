using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Json;

namespace EditorBridge.Timeline.Otio;

/// <summary>
/// An OpenTimelineIO document (Timeline.1 JSON): its bytes, and an index of what they say. Edits go through
/// <see cref="OtioSplicer"/>; the document itself never changes.
/// </summary>
public sealed class OtioDocument : TimelineDocument
{
    private OtioDocument(byte[] bytes, JsonValue root, JsonValue timeline, TimelineIndex index, IReadOnlyList<JsonValue> tracks)
        : base(bytes, index)
    {
        Root = root;
        Timeline = timeline;
        TrackNodes = tracks;
    }

    /// <inheritdoc/>
    public override string Format => "OpenTimelineIO";

    /// <inheritdoc/>
    public override Outcome<EditedTimeline> Apply(TimelineEdit edit) =>
        OtioSplicer.Apply(this, edit).TryGet(out var edited, out var refusal) ? new EditedTimeline(edited.Document, edited.Splices) : refusal;

    /// <inheritdoc/>
    public override EditedTimeline RespellMedia(Func<string, string> spell)
    {
        ArgumentNullException.ThrowIfNull(spell);
        var edited = OtioMediaPaths.Respell(this, spell);
        return new EditedTimeline(edited.Document, edited.Splices);
    }

    internal JsonValue Root { get; }

    /// <summary>Why no track can be edited or added; null when they can.</summary>
    internal Refusal? IsTrimmed => Timeline["tracks"]!["source_range"] is { Kind: not JsonKind.Null } ? Trimmed : null;

    private static Refusal Trimmed => new("TRACK_NOT_EDITABLE", "The stack of tracks is trimmed as a whole (it has a source_range): flatten it first.");

    internal JsonValue Timeline { get; }

    /// <summary>The children of the timeline's stack, one for each track of the index.</summary>
    internal IReadOnlyList<JsonValue> TrackNodes { get; }

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">Its text, UTF-8, with or without a byte order mark. Copied.</param>
    /// <param name="rate">The sequence rate, for documents that do not tell it. A rate the document tells wins.</param>
    /// <returns>The document, or where and why it cannot be read.</returns>
    public static Outcome<OtioDocument> Read(ReadOnlySpan<byte> bytes, FrameRate? rate = null)
    {
        var copy = bytes.ToArray();
        if (!JsonReader.Read(copy).TryGet(out var root, out var refusal)) return refusal;
        if (!FindTimeline(root).TryGet(out var timeline, out refusal)) return refusal;
        if (timeline["tracks"] is not { Kind: JsonKind.Object } stack || OtioIndexer.SchemaName(stack) != "Stack")
            return new Refusal("DOCUMENT_UNKNOWN", "The timeline has no stack of tracks.");
        if (stack["children"] is not { Kind: JsonKind.Array, Items: var nodes })
            return new Refusal("DOCUMENT_UNKNOWN", "The timeline's stack has no list of tracks.");
        var start = OtioTime.Read(timeline["global_start_time"]);
        // Without a rate 0 is 0 all the same.
        if (start is null && timeline["global_start_time"] is { Kind: not JsonKind.Null } written && written["value"]?.AsNumber() is not 0)
            return new Refusal("DOCUMENT_MALFORMED", "The timeline's global_start_time is no time with a value and a rate: export it again.");
        if ((FindRate(start, nodes) ?? rate) is not { } sequenceRate)
            return new Refusal("RATE_UNKNOWN", "The timeline is empty and has no global_start_time, so its frame rate is unknown: give it with --rate.");

        var indexer = new OtioIndexer(sequenceRate);
        var counts = new Dictionary<TrackKind, int>();
        var tracks = new List<Track>();
        for (var i = 0; i < nodes.Count; i++)
        {
            var kind = KindOf(nodes[i]);
            counts[kind] = counts.GetValueOrDefault(kind) + 1;
            tracks.Add(indexer.IndexTrack(nodes[i], i, kind, counts[kind]));
        }

        if (stack["source_range"] is { Kind: not JsonKind.Null })
        {
            tracks = [.. tracks.Select(track => track with { Problem = Trimmed })];
        }

        var startFrame = 0L;
        if (start is not null)
        {
            if (start.At(sequenceRate) is not { } frames)
                return new Refusal("OFF_GRID", $"The timeline's start, {start.ValueNode.RawText} at {start.Rate}, is no whole number of frames at {sequenceRate}.");
            startFrame = frames;
        }

        var index = new TimelineIndex
        {
            Name = timeline["name"]?.AsString() ?? "",
            Rate = sequenceRate,
            StartFrame = startFrame,
            Tracks = tracks,
        };
        return new OtioDocument(copy, root, timeline, index, nodes);
    }

    private static TrackKind KindOf(JsonValue node) => OtioIndexer.SchemaName(node) != "Track"
        ? TrackKind.Other
        : node["kind"]?.AsString() switch { "Video" or null => TrackKind.Video, "Audio" => TrackKind.Audio, _ => TrackKind.Other };

    private static Outcome<JsonValue> FindTimeline(JsonValue root)
    {
        switch (OtioIndexer.SchemaName(root))
        {
            case "Timeline":
                return root;
            case "SerializableCollection":
                var timelines = (root["children"]?.Items ?? []).Where(child => OtioIndexer.SchemaName(child) == "Timeline").ToList();
                return timelines.Count == 1
                    ? timelines[0]
                    : new Refusal("DOCUMENT_UNKNOWN", $"The document is a collection of {timelines.Count} timelines: export the one to edit on its own.");
            case "":
                return new Refusal("DOCUMENT_UNKNOWN", "The document is JSON but not OpenTimelineIO: it has no OTIO_SCHEMA.");
            default:
                return new Refusal("DOCUMENT_UNKNOWN", $"The document is a {OtioIndexer.SchemaOf(root)}, not a timeline.");
        }
    }

    // A document has no rate of its own. Its start time tells it; else the rate that most items of its video tracks last at.
    private static FrameRate? FindRate(OtioTime? start, IReadOnlyList<JsonValue> tracks)
    {
        if (start is not null) return start.Rate;
        foreach (var kind in new[] { TrackKind.Video, TrackKind.Audio })
        {
            var rates = tracks.Where(track => KindOf(track) == kind)
                .SelectMany(track => track["children"]?.Items ?? [])
                .Select(RateOf).OfType<FrameRate>()
                .GroupBy(rate => rate).OrderByDescending(group => group.Count()).ToList();
            if (rates.Count > 0) return rates[0].Key;
        }

        return null;
    }

    private static FrameRate? RateOf(JsonValue item)
    {
        if (OtioIndexer.SchemaName(item) == "Transition") return null;
        var time = OtioTime.Read(item["source_range"]?["duration"])
            ?? OtioTime.Read(OtioIndexer.ActiveReference(item)?["available_range"]?["duration"]);
        return time?.Rate;
    }
}
