using System.Globalization;
using EditorBridge.Timeline.Json;

namespace EditorBridge.Timeline.Osp;

/// <summary>An item in the document.</summary>
/// <param name="Node">Its clip, or the mask of a transition.</param>
/// <param name="Place">The frames that a clip takes there. They differ from its record range beside transitions.</param>
/// <param name="Start">The frame of its medium at the start of those.</param>
internal sealed record OspPlace(JsonValue Node, FrameRange Place, long Start);

/// <summary>Tells what an OpenShot project holds: each layer is a track, times are seconds in floating point.</summary>
internal sealed class OspIndexer(JsonValue root)
{
    private const double MostSeconds = 1e8;

    private readonly Dictionary<string, JsonValue> files = [];

    public FrameRate Rate { get; private set; }

    /// <summary>The layers, lowest first, as the tracks of the index.</summary>
    public List<(JsonValue Node, long Number)> Layers { get; } = [];

    /// <summary>For each track the places of its items; null for emptiness and for transitions.</summary>
    public List<List<OspPlace?>> Places { get; } = [];

    public static long? Whole(JsonValue? value) => value?.AsNumber() is { } number && Math.Abs(number) < 1e15 && Math.Floor(number) == number ? (long)number : null;

    /// <summary>Seconds as the frame they mean.</summary>
    public long? Frames(JsonValue? value) =>
        value?.AsNumber() is { } seconds && double.IsFinite(seconds) && Math.Abs(seconds) < MostSeconds ? (long)Math.Round(seconds * Rate.Numerator / Rate.Denominator) : null;

    /// <summary>Frames as seconds that mean exactly them.</summary>
    public string Seconds(long frames)
    {
        var text = ((double)((decimal)frames * Rate.Denominator / Rate.Numerator)).ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny(".eE") >= 0 ? text : text + ".0";
    }

    public Outcome<TimelineIndex> Index()
    {
        if (Whole(root["fps"]?["num"]) is not (> 0 and <= int.MaxValue and var numerator) || Whole(root["fps"]?["den"]) is not (> 0 and <= int.MaxValue and var denominator) || numerator / denominator > 1000)
            return new Refusal("RATE_UNKNOWN", "The project does not tell its frame rate: open it in OpenShot and save it again.");
        Rate = new FrameRate(numerator, denominator);
        foreach (var file in root["files"]?.Items ?? [])
        {
            if (file["id"]?.AsString() is { } id) files.TryAdd(id, file);
        }

        foreach (var layer in root["layers"]!.Items)
        {
            if (Whole(layer["number"]) is not { } number || Layers.Exists(other => other.Number == number))
                return new Refusal("DOCUMENT_MALFORMED", "A layer of the project has no number of its own: open it in OpenShot and save it again.");
            Layers.Add((layer, number));
        }

        Layers.Sort((one, other) => one.Number.CompareTo(other.Number));
        var tracks = new List<Track>();
        var counts = new Dictionary<TrackKind, int>();
        foreach (var (node, number) in Layers)
        {
            var track = ReadTrack(node, number, tracks.Count);
            counts[track.Kind] = counts.GetValueOrDefault(track.Kind) + 1;
            tracks.Add(track with { Number = counts[track.Kind] });
        }

        return new TimelineIndex { Name = "", Rate = Rate, Tracks = tracks, TracksAreLayers = true };
    }

    private Track ReadTrack(JsonValue layer, long number, int index)
    {
        var track = new Track { Index = index, Number = index + 1, Kind = TrackKind.Video, Name = layer["label"]?.AsString() ?? "" };
        var found = new List<(TrackItem Item, OspPlace Place)>();
        Refusal? problem = layer["lock"]?.AsBoolean() == true ? new Refusal("TRACK_LOCKED", $"{track.Label} is locked: unlock it in OpenShot.") : null;
        foreach (var clip in root["clips"]!.Items.Where(clip => Whole(clip["layer"]) == number))
        {
            if (ReadClip(clip) is { } read) found.Add(read);
            else problem = new Refusal("ITEM_UNKNOWN", $"Track {track.Label} cannot be edited: '{clip["title"]?.AsString()}' has no position, start or end that can be counted with.");
        }

        found.Sort((one, other) => one.Place.Place.Start.CompareTo(other.Place.Place.Start));
        var (items, places) = (new List<TrackItem>(), new List<OspPlace?>());
        Places.Add(places);
        if (AddMixes(found) is { } overlap) problem = overlap with { Message = $"Track {track.Label} cannot be edited: {overlap.Message}" };
        var at = 0L;
        foreach (var (item, place) in found)
        {
            if (item.Kind != ItemKind.Transition && item.RecordRange.Start > at)
            {
                items.Add(new TrackItem { Index = items.Count, Kind = ItemKind.Gap, Name = "", RecordRange = FrameRange.Between(at, item.RecordRange.Start) });
                places.Add(null);
            }

            items.Add(item with { Index = items.Count });
            places.Add(item.Kind == ItemKind.Transition ? null : place);
            if (item.Kind != ItemKind.Transition) at = item.RecordRange.End;
        }

        var sounds = found.Count > 0 && found.TrueForAll(entry => entry.Item.Kind == ItemKind.Transition || IsSoundOnly(entry.Place.Node));
        return track with { Items = items, Problem = problem, Duration = at, Kind = sounds ? TrackKind.Audio : TrackKind.Video };
    }

    private static bool IsSoundOnly(JsonValue clip) => clip["reader"]?["has_video"]?.AsBoolean() == false || clip["has_video"]?["Points"]?.Items is [{ } only] && only["co"]?["Y"]?.AsNumber() == 0;

    private (TrackItem Item, OspPlace Place)? ReadClip(JsonValue clip)
    {
        if (Frames(clip["position"]) is not (>= 0 and var position) || Frames(clip["start"]) is not (>= 0 and var start) || Frames(clip["end"]) is not { } end || end < start) return null;
        var range = new FrameRange(position, end - start);
        var reader = clip["reader"];
        var file = clip["file_id"]?.AsString() is { } id ? files.GetValueOrDefault(id) : null;
        var path = reader?["path"]?.AsString() ?? file?["path"]?.AsString();
        var isStill = (reader?["has_single_image"] ?? file?["has_single_image"])?.AsBoolean() == true;
        var held = isStill ? null : Held(reader ?? file);
        var item = new TrackItem
        {
            Index = 0,
            Kind = ItemKind.Clip,
            Name = clip["title"]?.AsString() ?? "",
            RecordRange = range,
            Enabled = true,
            SourceRange = new MediaRange(Rate, start, range.Duration),
            Media = new MediaReference
            {
                Schema = reader?["type"]?.AsString() ?? "",
                Url = path,
                AvailableRange = held is > 0 and var frames ? new MediaRange(Rate, 0, frames) : null,
                IsImageSequence = path?.Contains('%', StringComparison.Ordinal) == true && isStill,
            },
            Effects = [.. Effects(clip, range)],
        };
        return (item, new OspPlace(clip, range, start));
    }

    private long? Held(JsonValue? reader)
    {
        if (reader?["duration"]?.AsNumber() is { } seconds && seconds is > 0 and < MostSeconds) return (long)Math.Floor(seconds * Rate.Numerator / Rate.Denominator + 1e-6);
        return null;
    }

    private IEnumerable<ItemEffect> Effects(JsonValue clip, FrameRange range)
    {
        foreach (var effect in clip["effects"]?.Items ?? []) yield return new ItemEffect(effect["type"]?.AsString() ?? "", effect["name"]?.AsString() ?? "", effect["type"]?.AsString() == "TimeRemap");
        foreach (var member in clip.Members)
        {
            var points = member.Value["Points"]?.Items ?? [];
            if (member.Name == "time" && (points.Count > 1 || points.Any(point => point["co"]?["Y"]?.AsNumber() is not (null or 1)))) yield return new ItemEffect("time", "speed", ChangesTime: true);
            else if (points.Count > 1) yield return new ItemEffect(member.Name, $"{member.Name} keyframes", ChangesTime: false);
        }

        // A mask over the clip fades it in or out; over two clips it mixes them.
        foreach (var mask in root["effects"]?.Items ?? [])
        {
            if (Whole(mask["layer"]) == Whole(clip["layer"]) && PlaceOf(mask) is { } masked && masked.Overlaps(range)) yield return new ItemEffect("transition", mask["title"]?.AsString() ?? "", ChangesTime: false);
        }
    }

    /// <summary>The frames that a transition's mask takes.</summary>
    public FrameRange? PlaceOf(JsonValue mask) => Frames(mask["position"]) is { } position && Frames(mask["start"]) is { } start && Frames(mask["end"]) is { } end && end >= start
        ? new FrameRange(position, end - start)
        : null;

    /// <summary>Clips that overlap are mixed there: they are made to meet within the overlap.</summary>
    private static Refusal? AddMixes(List<(TrackItem Item, OspPlace Place)> found)
    {
        for (var i = 0; i + 1 < found.Count; i++)
        {
            var (one, other) = (found[i], found[i + 1]);
            var overlap = one.Place.Place.Intersect(other.Place.Place);
            if (overlap.IsEmpty) continue;
            if (overlap == one.Place.Place || overlap == other.Place.Place || (i + 2 < found.Count && found[i + 2].Place.Place.Start < one.Place.Place.End))
                return new Refusal("TRANSITION_IN_WAY", $"{other.Item.Label} lies over {one.Item.Label} in a way that is not understood.");
            var cut = overlap.Start + overlap.Duration / 2;
            if (cut <= one.Item.RecordRange.Start) return new Refusal("TRANSITION_IN_WAY", $"{other.Item.Label} lies over {one.Item.Label} in a way that is not understood.");
            found[i] = (To(one.Item, FrameRange.Between(one.Item.RecordRange.Start, cut)), one.Place);
            found[i + 1] = (To(other.Item, FrameRange.Between(cut, other.Item.RecordRange.End)), other.Place);
            found.Insert(++i, (new TrackItem { Index = 0, Kind = ItemKind.Transition, Name = "", RecordRange = overlap, Cut = cut }, one.Place));
        }

        return null;
    }

    private static TrackItem To(TrackItem item, FrameRange range) => item with
    {
        RecordRange = range,
        SourceRange = item.SourceRange is { } source ? source with { Start = source.Start + range.Start - item.RecordRange.Start, Duration = range.Duration } : null,
    };
}
