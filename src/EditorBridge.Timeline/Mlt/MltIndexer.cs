using System.Globalization;
using EditorBridge.Timeline.Json;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>Tells what an MLT document holds.</summary>
internal sealed class MltIndexer
{
    private readonly XmlNode root;
    private readonly Dictionary<string, XmlNode> byId = [];
    private readonly Dictionary<string, XmlNode> binByKdenliveId = [];
    private readonly Dictionary<string, int> mentions = [];

    public MltIndexer(XmlNode root) => this.root = root;

    public MltDialect Dialect { get; private set; }

    public FrameRate Rate { get; private set; }

    /// <summary>The tractor whose tracks the timeline's are.</summary>
    public XmlNode Tractor { get; private set; } = null!;

    /// <summary>The tracks, in the order of the index.</summary>
    public List<MltTrack> Tracks { get; } = [];

    /// <summary>For each track the places of its items.</summary>
    public List<List<MltPlace>> Places { get; } = [];

    /// <summary>Kdenlive's bin.</summary>
    public XmlNode? MainBin { get; private set; }

    /// <summary>Whether the timeline is one of Kdenlive's sequences rather than the document's only one.</summary>
    public bool IsSequence { get; private set; }

    /// <summary>Places that Kdenlive groups (audio with its video, among others), as track number without the background and first frame.</summary>
    public HashSet<(int Track, long Frame)> Grouped { get; } = [];

    public XmlNode? ById(string? id) => id is not null && byId.TryGetValue(id, out var node) ? node : null;

    public static string? Property(XmlNode node, string name) => PropertyNode(node, name)?.Text;

    public static XmlNode? PropertyNode(XmlNode node, string name) => node.All("property").LastOrDefault(property => property["name"] == name);

    /// <summary>The elements of a tractor that name its tracks; older documents put them into a multitrack.</summary>
    public static IEnumerable<XmlNode> TracksOf(XmlNode tractor) =>
        tractor.Children.SelectMany(child => child.Name == "multitrack" ? child.All("track") : child.Name == "track" ? [child] : []);

    public long? Time(string? text) => MltTime.Parse(text, Rate);

    public string FullResource(string resource)
    {
        var folder = root["root"];
        return string.IsNullOrEmpty(folder) || Path.IsPathRooted(resource) || resource.Contains("://", StringComparison.Ordinal)
            ? resource
            : folder.TrimEnd('/') + "/" + resource;
    }

    public Outcome<TimelineIndex> Index()
    {
        var profile = root.Child("profile");
        if (profile is null || !long.TryParse(profile["frame_rate_num"], NumberStyles.None, CultureInfo.InvariantCulture, out var numerator)
            || !long.TryParse(profile["frame_rate_den"], NumberStyles.None, CultureInfo.InvariantCulture, out var denominator)
            || numerator is <= 0 or > int.MaxValue || denominator is <= 0 or > int.MaxValue || numerator / denominator > 100_000)
            return new Refusal("RATE_UNKNOWN", "The document has no profile with a frame rate: open it in its editor and save it again.");
        Rate = new FrameRate(numerator, denominator);
        foreach (var node in root.Children)
        {
            if (node["id"] is { } id && !byId.TryAdd(id, node)) return new Refusal("DOCUMENT_MALFORMED", $"Two elements of the document are called '{id}'.");
        }

        foreach (var node in root.SelfAndInner().Where(node => node.Name is "track" or "entry"))
        {
            if (node["producer"] is { } producer) mentions[producer] = mentions.GetValueOrDefault(producer) + 1;
        }

        MainBin = ById("main_bin") is { Name: "playlist" } bin ? bin : null;
        if (FindTractor() is { } refusal) return refusal;
        if (Dialect == MltDialect.Kdenlive) ReadBin();
        var tracks = ReadTracks();
        return new TimelineIndex
        {
            Name = Property(Tractor, "kdenlive:clipname") ?? (Dialect == MltDialect.Plain ? root["title"] ?? "" : ""),
            Rate = Rate,
            Tracks = tracks,
        };
    }

    private Refusal? FindTractor()
    {
        var tractors = root.All("tractor").ToList();
        var kdenlive = MainBin?.All("property").Any(property => property["name"]?.StartsWith("kdenlive:", StringComparison.Ordinal) == true) == true;
        Dialect = kdenlive ? MltDialect.Kdenlive : tractors.Exists(tractor => Property(tractor, "shotcut") == "1") ? MltDialect.Shotcut : MltDialect.Plain;
        if (Dialect == MltDialect.Shotcut)
        {
            Tractor = tractors.Last(tractor => Property(tractor, "shotcut") == "1");
            return null;
        }

        if (tractors.Count == 0) return new Refusal("DOCUMENT_UNKNOWN", "The MLT document has no tractor, so there are no tracks: put the clips on a timeline first.");
        Tractor = tractors[^1];
        if (Dialect != MltDialect.Kdenlive) return null;
        var sequences = tractors.Where(tractor => Property(tractor, "kdenlive:uuid") is not null && Property(tractor, "kdenlive:projectTractor") is null).ToList();
        if (sequences.Count == 0) return null;
        IsSequence = true;
        var project = tractors.Find(tractor => Property(tractor, "kdenlive:projectTractor") == "1");
        var active = Property(MainBin!, "kdenlive:docproperties.activetimeline") ?? Property(MainBin!, "kdenlive:docproperties.uuid");
        var chosen = sequences.Find(tractor => Property(tractor, "kdenlive:uuid") == active || tractor["id"] == active)
            ?? (project is null ? null : sequences.Find(tractor => TracksOf(project).Any(track => track["producer"] == tractor["id"])))
            ?? (sequences.Count == 1 ? sequences[0] : null);
        if (chosen is null) return new Refusal("DOCUMENT_UNKNOWN", $"The document holds {sequences.Count} sequences and does not say which one is active: open the one to edit in Kdenlive and save.");
        Tractor = chosen;
        return null;
    }

    private void ReadBin()
    {
        foreach (var entry in MainBin!.All("entry"))
        {
            if (ById(entry["producer"]) is { } producer && Property(producer, "kdenlive:id") is { } id) binByKdenliveId.TryAdd(id, producer);
        }

        var groups = Property(Tractor, "kdenlive:sequenceproperties.groups") ?? Property(MainBin!, "kdenlive:docproperties.groups");
        if (groups is not null && JsonReader.Read(System.Text.Encoding.UTF8.GetBytes(groups)).TryGet(out var value, out _)) ReadGroups(value);
    }

    private void ReadGroups(JsonValue value)
    {
        foreach (var inner in value.Items) ReadGroups(inner);
        foreach (var member in value.Members) ReadGroups(member.Value);
        if (value["data"]?.AsString()?.Split(':') is not [var track, var frame, ..]) return;
        if (int.TryParse(track, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && long.TryParse(frame, NumberStyles.None, CultureInfo.InvariantCulture, out var start))
            Grouped.Add((number, start));
    }

    private List<Track> ReadTracks()
    {
        var found = new List<(MltTrack Track, TrackKind Kind)>();
        var number = -1;
        foreach (var reference in TracksOf(Tractor))
        {
            number++;
            var target = ById(reference["producer"]);
            if (number == 0 && (target is null or { Name: not ("playlist" or "tractor") } || target["id"] == "background")) continue;
            var tractor = target is { Name: "tractor" } ? target : null;
            var playlists = tractor is null
                ? new List<XmlNode?> { target }
                : [.. TracksOf(tractor).Select(track => ById(track["producer"]))];
            var audio = Property(target ?? reference, "kdenlive:audio_track") == "1" || Property(target ?? reference, "shotcut:audio") == "1"
                || reference["hide"] == "video" || (tractor is not null && TracksOf(tractor).Any() && TracksOf(tractor).All(track => track["hide"] == "video"));
            found.Add((new MltTrack(number, reference, [.. playlists.OfType<XmlNode>().Where(node => node.Name == "playlist")], tractor), audio ? TrackKind.Audio : TrackKind.Video));
        }

        // Kdenlive puts audio tracks first, the last of them called A1.
        var audios = found.Where(track => track.Kind == TrackKind.Audio).ToList();
        if (Dialect == MltDialect.Kdenlive) audios.Reverse();
        var tracks = new List<Track>();
        foreach (var group in new[] { found.Where(track => track.Kind == TrackKind.Video).ToList(), audios })
        {
            for (var i = 0; i < group.Count; i++)
            {
                Tracks.Add(group[i].Track);
                tracks.Add(ReadTrack(group[i].Track, tracks.Count, i + 1, group[i].Kind));
            }
        }

        return tracks;
    }

    private bool Reaches(IEnumerable<XmlNode> from, XmlNode target)
    {
        var seen = new HashSet<int>();
        // Not by recursion: a document can lead from element to element as far as it is long.
        var waiting = new Stack<XmlNode>(from);
        while (waiting.TryPop(out var node))
        {
            if (node == target) return true;
            if (!seen.Add(node.Start)) continue;
            foreach (var child in node.SelfAndInner().Where(child => child.Name is "track" or "entry"))
            {
                if (ById(child["producer"]) is { } producer) waiting.Push(producer);
            }
        }

        return false;
    }

    private Track ReadTrack(MltTrack source, int index, int number, TrackKind kind)
    {
        var owner = source.Tractor ?? source.Playlists.FirstOrDefault();
        var hide = source.Reference["hide"];
        var track = new Track
        {
            Index = index,
            Number = number,
            Kind = kind,
            Name = owner is null ? "" : Property(owner, "kdenlive:track_name") ?? Property(owner, "shotcut:name") ?? "",
            Enabled = hide != "both" && !(kind == TrackKind.Video && hide == "video"),
        };
        Places.Add([]);
        if (owner is null || source.Playlists.Count == 0 || source.Playlists.Count > 2)
            return track with { Problem = new Refusal("TRACK_NOT_EDITABLE", $"{track.Label} is no playlist of clips, so it cannot be edited.") };
        if (source.Playlists.Append(source.Tractor).OfType<XmlNode>().Any(node => node == MainBin || (node["id"] is { } id && mentions.GetValueOrDefault(id) > 1)))
            return track with { Problem = new Refusal("TRACK_NOT_EDITABLE", $"What {track.Label} plays is played in another place too, which an edit would change with it: give the track clips of its own in its editor.") };
        if (Reaches(source.Playlists.Append(source.Tractor).OfType<XmlNode>(), Tractor))
            return track with { Problem = new Refusal("TRACK_NOT_EDITABLE", $"{track.Label} plays the timeline that it is a track of, without end: remove that from the track in its editor.") };
        if (Property(owner, "kdenlive:locked_track") == "1" || Property(owner, "shotcut:lock") == "1")
            track = track with { Problem = new Refusal("TRACK_LOCKED", $"{track.Label} is locked: unlock it in the editor.") };

        var reader = new MltTrackReader(this, source, binByKdenliveId);
        var problem = reader.Read();
        Places[^1] = reader.Places;
        return track with
        {
            Items = reader.Items,
            Duration = reader.Items.Count == 0 ? 0 : reader.Items.Max(item => item.RecordRange.End),
            Problem = problem is null ? track.Problem : problem with { Message = $"Track {track.Label} cannot be edited: {problem.Message}" },
        };
    }
}
