using System.Globalization;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Fcpx;

/// <summary>An element of the timeline and where it lies.</summary>
internal sealed class FcpxElement
{
    public required XmlNode Node { get; init; }

    /// <summary>The element it is connected to; null for those of the primary storyline.</summary>
    public FcpxElement? Host { get; init; }

    /// <summary>The connected storyline that it lies in.</summary>
    public FcpxElement? Storyline { get; init; }

    public required int Lane { get; init; }

    /// <summary>Its start, in seconds from the start of the sequence.</summary>
    public required FcpTime Start { get; init; }

    /// <summary>Its own clock at its first frame, on which what is connected to it is placed.</summary>
    public required FcpTime Base { get; init; }

    /// <summary>What is connected to it, or, for a connected storyline, lies in it.</summary>
    public List<FcpxElement> Inner { get; } = [];

    /// <summary>Where the index has it: track and item; -1 where it has none, as for gaps in the primary storyline's place.</summary>
    public int Track { get; set; } = -1;

    public int Item { get; set; } = -1;

    public bool IsStoryline => Node.Name == "spine";

    public IEnumerable<FcpxElement> SelfAndInner() => Inner.SelectMany(inner => inner.SelfAndInner()).Prepend(this);
}

/// <summary>Tells what an FCPXML document holds: the primary storyline and each lane of connected clips as a track.</summary>
internal sealed class FcpxIndexer(XmlNode root)
{
    private readonly SortedDictionary<(int Lane, TrackKind Kind), FcpxLane> lanes = [];

    public FcpxResources Resources { get; } = new(root);

    public int MinorVersion { get; private set; }

    public XmlNode Sequence { get; private set; } = null!;

    public XmlNode Spine { get; private set; } = null!;

    public FrameRate Rate { get; private set; }

    /// <summary>The denominator that times are spelled over.</summary>
    public long Over { get; private set; }

    /// <summary>What the offsets in the primary storyline count from.</summary>
    public FcpTime SpineBase { get; private set; }

    /// <summary>The primary storyline: its elements in order, transitions and gaps among them.</summary>
    public List<FcpxElement> Primary { get; } = [];

    /// <summary>For each track the elements of its items; null for emptiness that is no element.</summary>
    public List<List<FcpxElement?>> Elements { get; } = [];

    public int PrimaryTrack { get; private set; }

    public int LowestLane => lanes.Count == 0 ? 0 : Math.Min(0, lanes.Keys.Min(key => key.Lane));

    public int HighestLane => lanes.Count == 0 ? 0 : Math.Max(0, lanes.Keys.Max(key => key.Lane));

    /// <summary>The lane of a track.</summary>
    public List<int> Lanes { get; } = [];

    public Outcome<TimelineIndex> Index()
    {
        if (root["version"]?.Split('.') is not ["1", var minor] || !int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out var version) || version is < 8 or > 13)
            return new Refusal("DOCUMENT_UNKNOWN", $"The document is FCPXML {root["version"] ?? "of an unknown version"}; 1.8 to 1.13 are read: export it in one of those.");
        MinorVersion = version;
        if (Resources.Duplicate is { } twice) return new Refusal("DOCUMENT_MALFORMED", $"Two resources of the document are called '{twice}'.");
        if (FindSequence() is { } refusal) return refusal;
        if (FcpxResources.RateOf(Resources.Find(Sequence["format"], "format")) is not { } rate)
            return new Refusal("RATE_UNKNOWN", "The sequence's format does not tell its frame rate: export the project from its editor again.");
        (_, Rate, Over) = rate;
        var tcStart = FcpTime.Zero;
        if (Sequence["tcStart"] is { } written)
        {
            if (FcpTime.Parse(written) is not { } parsed) return new Refusal("DOCUMENT_MALFORMED", $"The sequence's start, tcStart=\"{written}\", is no time.");
            tcStart = parsed;
        }

        if (tcStart.ToFrames(Rate) is not { } startFrame)
            return new Refusal("OFF_GRID", $"The sequence starts at {Sequence["tcStart"]}, which is no whole number of frames at {Rate}.");
        // The primary storyline's own offsets count from the start timecode; some programs count them from 0.
        SpineBase = FcpTime.Parse(Spine.Children.FirstOrDefault()?["offset"]) ?? tcStart;
        var primary = Lane(0, TrackKind.Video);
        if (SpineBase != tcStart && SpineBase != FcpTime.Zero)
            primary.Problem ??= new Refusal("ITEM_UNKNOWN", $"its first item lies at {SpineBase.Spell(Over)}, not at the start of the sequence.");
        new FcpxReader(this).ReadSpine(Spine, FcpTime.Zero, SpineBase, 0, null, null, Primary);
        var tracks = MakeTracks();
        return new TimelineIndex
        {
            Name = Sequence.Parent is { Name: "project" } project ? project["name"] ?? "" : Sequence["name"] ?? "",
            Rate = Rate,
            StartFrame = startFrame,
            DropFrame = Sequence["tcFormat"] == "DF" && Timecode.CanDropFrames(Rate),
            Tracks = tracks,
        };
    }

    public FcpxLane Lane(int lane, TrackKind kind)
    {
        if (!lanes.TryGetValue((lane, kind), out var found)) lanes.Add((lane, kind), found = new FcpxLane());
        return found;
    }

    private Refusal? FindSequence()
    {
        var projects = root.SelfAndInner().Where(node => node.Name == "sequence" && node.Parent is { Name: "project" or "fcpxml" }).ToList();
        if (projects.Count != 1)
        {
            var names = string.Join(", ", projects.Select(node => $"'{node.Parent!["name"]}'").Take(5));
            return new Refusal("DOCUMENT_UNKNOWN", projects.Count == 0
                ? "The document holds clips but no project: export the project that is to be edited."
                : $"The document holds {projects.Count} projects ({names}): export the one to edit on its own.");
        }

        Sequence = projects[0];
        if (Sequence.Child("spine") is not { } spine) return new Refusal("DOCUMENT_MALFORMED", "The sequence has no spine.");
        Spine = spine;
        return null;
    }

    private List<Track> MakeTracks()
    {
        var tracks = new List<Track>();
        foreach (var kind in new[] { TrackKind.Video, TrackKind.Audio, TrackKind.Other })
        {
            var number = 0;
            // Sound counts from the primary storyline away, as it lies below it.
            var ofKind = lanes.Where(entry => entry.Key.Kind == kind);
            foreach (var (key, lane) in kind == TrackKind.Audio ? ofKind.Reverse() : ofKind)
            {
                number++;
                if (key.Lane == 0 && kind == TrackKind.Video) PrimaryTrack = tracks.Count;
                var track = new Track
                {
                    Index = tracks.Count,
                    Number = number,
                    Kind = kind,
                    Name = key.Lane == 0 && kind == TrackKind.Video ? "primary storyline" : string.Create(CultureInfo.InvariantCulture, $"lane {key.Lane}"),
                };
                var (items, elements) = lane.Items(tracks.Count);
                Elements.Add(elements);
                Lanes.Add(key.Lane);
                tracks.Add(track with
                {
                    Items = items,
                    Duration = items.Count == 0 ? 0 : items.Max(item => item.RecordRange.End),
                    Problem = lane.Problem is { } problem ? problem with { Message = $"Track {track.Label} cannot be edited: {problem.Message}" } : null,
                });
            }
        }

        return tracks;
    }
}

/// <summary>What was found in one lane.</summary>
internal sealed class FcpxLane
{
    private readonly List<(TrackItem Item, FcpxElement Element)> found = [];

    public Refusal? Problem { get; set; }

    public void Add(TrackItem item, FcpxElement element) => found.Add((item, element));

    public (List<TrackItem> Items, List<FcpxElement?> Elements) Items(int track)
    {
        var items = new List<TrackItem>();
        var elements = new List<FcpxElement?>();
        // A stable sort: a transition that begins where its second clip does stays before it.
        var at = 0L;
        foreach (var (item, element) in found.OrderBy(entry => entry.Item.Kind == ItemKind.Transition ? entry.Item.Cut : entry.Item.RecordRange.Start))
        {
            var start = item.Kind == ItemKind.Transition ? item.Cut : item.RecordRange.Start;
            if (start < at || (item.Kind != ItemKind.Transition && item.RecordRange.Start < 0))
            {
                Problem ??= new Refusal("ITEM_UNKNOWN", start < 0 ? $"{item.Label} begins before the sequence." : $"{item.Label} overlaps another in the same lane.");
            }
            else if (start > at)
            {
                items.Add(new TrackItem { Index = items.Count, Kind = ItemKind.Gap, Name = "", RecordRange = FrameRange.Between(at, start) });
                elements.Add(null);
            }

            (element.Track, element.Item) = (track, items.Count);
            items.Add(item with { Index = items.Count });
            elements.Add(element);
            at = Math.Max(at, item.Kind == ItemKind.Transition ? start : item.RecordRange.End);
        }

        return (items, elements);
    }
}
