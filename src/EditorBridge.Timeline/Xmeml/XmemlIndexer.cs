using System.Globalization;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Xmeml;

/// <summary>An item in the document.</summary>
/// <param name="Node">Its clipitem, generatoritem or transitionitem.</param>
/// <param name="Rate">The rate that its in and out count at.</param>
/// <param name="In">The frame of its medium, counted from the medium's first, at its record range's start.</param>
internal sealed record XmemlPlace(XmlNode Node, FrameRate Rate, long In);

/// <summary>Tells what an FCP7 XML document holds.</summary>
internal sealed class XmemlIndexer(XmlNode root)
{
    // Longer than any timeline; keeps sums far from overflow.
    private const long MostFrames = 1L << 40;

    private readonly Dictionary<string, XmlNode> files = [];

    public XmlNode Sequence { get; private set; } = null!;

    public FrameRate Rate { get; private set; }

    /// <summary>The element of each track of the index.</summary>
    public List<XmlNode> Tracks { get; } = [];

    /// <summary>For each track the places of its items; null for emptiness.</summary>
    public List<List<XmemlPlace?>> Places { get; } = [];

    /// <summary>A whole number; some programs write it with a fraction of zero.</summary>
    public static long? Number(XmlNode? node)
    {
        var text = node?.Text.Trim() ?? "";
        var point = text.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0 && text.AsSpan(point + 1).IndexOfAnyExcept('0') < 0) text = text[..point];
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value is > -MostFrames and < MostFrames ? value : null;
    }

    public static bool IsTrue(XmlNode? node) => node?.Text.Trim().Equals("TRUE", StringComparison.OrdinalIgnoreCase) == true;

    public static FrameRate? RateOf(XmlNode? owner) =>
        owner?.Child("rate") is { } rate && Number(rate.Child("timebase")) is > 0 and <= 1000 and var timebase
            ? IsTrue(rate.Child("ntsc")) ? new FrameRate(timebase * 1000, 1001) : new FrameRate(timebase)
            : null;

    /// <summary>The definition of a file: only its first mention holds more than its id.</summary>
    public XmlNode? File(XmlNode? mention) => mention?["id"] is { } id && files.TryGetValue(id, out var file) ? file : mention;

    /// <summary>A file URL as the document spells its own: with localhost where they have it.</summary>
    public string SpellUrl(string url) =>
        url.StartsWith("file:///", StringComparison.Ordinal) && files.Values.Any(file => file.Child("pathurl")?.Text.StartsWith("file://localhost/", StringComparison.OrdinalIgnoreCase) == true)
            ? "file://localhost" + url[7..]
            : url;

    public Outcome<TimelineIndex> Index()
    {
        if (root["version"] is not ("4" or "5"))
            return new Refusal("DOCUMENT_UNKNOWN", $"The document is xmeml {root["version"] ?? "of an unknown version"}; 4 and 5 are read: export Final Cut Pro XML from Premiere, Resolve or Final Cut Pro 7.");
        // A sequence in a clip is nested; what stands by itself is a timeline.
        var sequences = Outer(root).ToList();
        if (sequences.Count != 1)
        {
            var names = string.Join(", ", sequences.Select(node => $"'{node.Child("name")?.Text}'").Take(5));
            return new Refusal("DOCUMENT_UNKNOWN", sequences.Count == 0
                ? "The document holds clips but no sequence: export the sequence that is to be edited."
                : $"The document holds {sequences.Count} sequences ({names}): export the one to edit on its own.");
        }

        Sequence = sequences[0];
        if (RateOf(Sequence) is not { } rate) return new Refusal("RATE_UNKNOWN", "The sequence does not tell its frame rate: export it from its editor again.");
        Rate = rate;
        foreach (var file in root.SelfAndInner().Where(node => node.Name == "file" && node["id"] is not null && node.Children.Count > 0))
        {
            if (!files.TryAdd(file["id"]!, file)) return new Refusal("DOCUMENT_MALFORMED", $"Two files of the document are called '{file["id"]}'.");
        }

        var (start, dropFrame) = (0L, false);
        if (Sequence.Child("timecode") is { } timecode)
        {
            dropFrame = timecode.Child("displayformat")?.Text.Trim() == "DF" && Timecode.CanDropFrames(rate);
            if (StartOf(timecode, rate) is not { } frame) return new Refusal("DOCUMENT_MALFORMED", "The sequence's timecode is none: export it from its editor again.");
            start = frame;
        }

        var media = Sequence.Child("media");
        return new TimelineIndex
        {
            Name = Sequence.Child("name")?.Text ?? "",
            Rate = rate,
            StartFrame = start,
            DropFrame = dropFrame,
            Tracks = [.. ReadTracks(media?.Child("video"), TrackKind.Video), .. ReadTracks(media?.Child("audio"), TrackKind.Audio)],
        };
    }

    private static IEnumerable<XmlNode> Outer(XmlNode node) =>
        node.Children.SelectMany(child => child.Name == "sequence" ? child.Child("media") is null ? [] : [child] : child.Name is "clipitem" or "clip" ? [] : Outer(child));

    /// <summary>A timecode element's frame, counted from 00:00:00:00; null when it has none.</summary>
    private static long? StartOf(XmlNode timecode, FrameRate rate)
    {
        var own = RateOf(timecode) ?? rate;
        var frame = Number(timecode.Child("frame"))
            ?? (timecode.Child("string") is { } label && Timecode.Parse(label.Text, own, timecode.Child("displayformat")?.Text.Trim() == "DF").TryGet(out var parsed, out _) ? parsed.Frame : null);
        return frame is { } counted ? FrameConversion.Exactly(counted, own, rate) ?? (own.Nominal == rate.Nominal ? counted : null) : null;
    }

    private IEnumerable<Track> ReadTracks(XmlNode? owner, TrackKind kind)
    {
        var number = 0;
        foreach (var node in owner?.All("track") ?? [])
        {
            number++;
            var track = new Track { Index = Tracks.Count, Number = number, Kind = kind, Name = node["MZ.TrackName"] ?? "", Enabled = node.Child("enabled") is null || IsTrue(node.Child("enabled")) };
            Tracks.Add(node);
            var items = new List<TrackItem>();
            var places = new List<XmemlPlace?>();
            var problem = ReadItems(node, items, places);
            Places.Add(places);
            if (problem is not null) problem = problem with { Message = $"Track {track.Label} cannot be edited: {problem.Message}" };
            else if (IsTrue(node.Child("locked"))) problem = new Refusal("TRACK_LOCKED", $"{track.Label} is locked: unlock it in the editor.");
            yield return track with { Items = items, Problem = problem, Duration = items.Count == 0 ? 0 : items.Max(item => item.RecordRange.End) };
        }
    }

    private Refusal? ReadItems(XmlNode track, List<TrackItem> items, List<XmemlPlace?> places)
    {
        var nodes = track.Children.Where(child => child.Name is "clipitem" or "generatoritem" or "transitionitem").ToList();
        var at = 0L;
        for (var i = 0; i < nodes.Count; i++)
        {
            var (node, before, after) = (nodes[i], i > 0 ? nodes[i - 1] : null, i + 1 < nodes.Count ? nodes[i + 1] : null);
            if (!(node.Name == "transitionitem" ? Transition(node) : Clip(node, before, after)).TryGet(out var read, out var refusal)) return refusal;
            var (item, place) = read;
            var start = item.Kind == ItemKind.Transition ? item.Cut : item.RecordRange.Start;
            if (start < at) return new Refusal("ITEM_UNKNOWN", $"{item.Label} overlaps the item before it.");
            if (start > at)
            {
                items.Add(new TrackItem { Index = items.Count, Kind = ItemKind.Gap, Name = "", RecordRange = FrameRange.Between(at, start) });
                places.Add(null);
            }

            items.Add(item with { Index = items.Count });
            places.Add(place);
            at = item.Kind == ItemKind.Transition ? start : item.RecordRange.End;
        }

        return null;
    }

    private Outcome<(TrackItem Item, XmemlPlace Place)> Transition(XmlNode node)
    {
        if (Number(node.Child("start")) is not (>= 0 and var start) || Number(node.Child("end")) is not { } end || end < start)
            return new Refusal("TRANSITION_IN_WAY", "a transition has no place.");
        var item = new TrackItem
        {
            Index = 0,
            Kind = ItemKind.Transition,
            Name = node.Child("effect")?.Child("name")?.Text ?? "",
            RecordRange = FrameRange.Between(start, end),
            Cut = CutOf(node, start, end),
        };
        return (item, new XmemlPlace(node, Rate, 0));
    }

    private static long CutOf(XmlNode transition, long start, long end) => transition.Child("alignment")?.Text.Trim() switch
    {
        "start" or "start-black" => start,
        "end" or "end-black" => end,
        _ => start + (end - start) / 2,
    };

    private Outcome<(TrackItem Item, XmemlPlace Place)> Clip(XmlNode node, XmlNode? before, XmlNode? after)
    {
        var name = node.Child("name")?.Text ?? "";
        var label = name.Length > 0 ? $"'{name}'" : node["id"] ?? "an item";
        Refusal Unknown(string why) => new("ITEM_UNKNOWN", $"{label} {why}.");
        if (Number(node.Child("start")) is not { } start || Number(node.Child("end")) is not { } end || Number(node.Child("in")) is not { } first || Number(node.Child("out")) is not { } last)
            return Unknown("has no start, end, in or out that can be counted with");
        var rate = RateOf(node) ?? Rate;
        // -1 stands for the cut within the transition there; in and out hold the mixed frames.
        var (from, to) = (start, end);
        if (start == -1)
        {
            if (Number(before?.Child("start")) is not { } mixStart || before!.Name != "transitionitem" || Number(before.Child("end")) is not { } mixEnd) return Unknown("begins in a transition that is not there");
            (start, from) = (CutOf(before, mixStart, mixEnd), mixStart);
        }

        if (end == -1)
        {
            if (Number(after?.Child("start")) is not { } mixStart || after!.Name != "transitionitem" || Number(after.Child("end")) is not { } mixEnd) return Unknown("ends in a transition that is not there");
            (end, to) = (CutOf(after, mixStart, mixEnd), mixEnd);
        }

        if (start < 0 || end < start || last < first) return Unknown("has a start, end, in or out that can not be");
        var file = File(node.Child("file"));
        var nested = node.Child("sequence") is not null || node.Child("multiclip") is not null;
        var head = FrameConversion.Exactly(start - from, Rate, rate);
        var steady = head is not null && FrameConversion.Exactly(to - from, Rate, rate) is { } length && length == last - first;
        var item = new TrackItem
        {
            Index = 0,
            Kind = nested ? ItemKind.Nested : ItemKind.Clip,
            Name = name,
            RecordRange = FrameRange.Between(start, end),
            Enabled = node.Child("enabled") is null || IsTrue(node.Child("enabled")),
            Effects = [.. Effects(node, steady)],
            Media = nested ? null : node.Child("file") is null ? new MediaReference { Schema = node.Name } : Media(file!, rate, IsTrue(node.Child("stillframe"))),
        };
        if (!nested && node.Child("file") is not null && head is { } mixed)
        {
            var (fileRate, fileStart) = Clock(file!, rate);
            if (FrameConversion.Exactly(first + mixed, rate, fileRate) is { } source && FrameConversion.Floor(end - start, Rate, fileRate) is { } shown)
                item = item with { SourceRange = new MediaRange(fileRate, fileStart + source, shown) };
        }

        return (item, new XmemlPlace(node, rate, first + (head ?? 0)));
    }

    private static (FrameRate Rate, long Start) Clock(XmlNode file, FrameRate clipRate)
    {
        var rate = RateOf(file) ?? clipRate;
        return (rate, file.Child("timecode") is { } timecode ? StartOf(timecode, rate) ?? 0 : 0);
    }

    private static MediaReference Media(XmlNode file, FrameRate clipRate, bool isStill)
    {
        var (rate, start) = Clock(file, clipRate);
        return new MediaReference
        {
            Schema = "file",
            Url = file.Child("pathurl")?.Text.Trim() is { Length: > 0 } url ? url : null,
            AvailableRange = !isStill && Number(file.Child("duration")) is > 1 and var frames ? new MediaRange(rate, start, frames) : null,
        };
    }

    private static IEnumerable<ItemEffect> Effects(XmlNode node, bool steady)
    {
        var retimed = false;
        foreach (var effect in node.All("filter").Select(filter => filter.Child("effect")).OfType<XmlNode>())
        {
            var id = effect.Child("effectid")?.Text.Trim() ?? "";
            var name = effect.Child("name")?.Text ?? id;
            if (id.Equals("timeremap", StringComparison.OrdinalIgnoreCase))
            {
                var speed = effect.All("parameter").FirstOrDefault(parameter => parameter.Child("parameterid")?.Text.Trim() == "speed")?.Child("value")?.Text.Trim();
                if (speed is "100" or "100.0" && steady && !effect.All("parameter").Any(parameter => parameter.Child("parameterid")?.Text.Trim() == "reverse" && IsTrue(parameter.Child("value")))) continue;
                retimed = true;
                yield return new ItemEffect(id, name, ChangesTime: true);
            }
            else if (!(id.ToLowerInvariant() is "basic" or "crop" or "opacity" or "audiolevels" or "audiopan") || effect.SelfAndInner().Any(inner => inner.Name == "keyframe"))
            {
                yield return new ItemEffect(id, name, ChangesTime: false);
            }
        }

        if (!steady && !retimed) yield return new ItemEffect("rate", "speed", ChangesTime: true);
    }
}
