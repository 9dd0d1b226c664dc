using System.Globalization;

namespace EditorBridge.Timeline.Edl;

/// <summary>Tells what an EDL holds.</summary>
internal sealed class EdlIndexer(byte[] bytes, FrameRate rate)
{
    private const int MostEvents = 1_000_000;

    public byte[] Bytes => bytes;

    public List<EdlLine> Lines { get; } = EdlLine.Split(bytes);

    public List<EdlGroup> Groups { get; } = [];

    /// <summary>For each track the events of its items; null for emptiness.</summary>
    public List<List<EdlEvent?>> Places { get; } = [];

    public long StartFrame { get; private set; }

    public bool DropFrame { get; private set; }

    public IEnumerable<EdlEvent> Events => Groups.SelectMany(group => group.Events);

    public Outcome<TimelineIndex> Index()
    {
        var title = "";
        EdlGroup? group = null;
        for (var i = 0; i < Lines.Count; i++)
        {
            var line = Lines[i];
            var text = line.Text.Trim();
            if (text.StartsWith("TITLE:", StringComparison.OrdinalIgnoreCase) && group is null) title = text[6..].Trim();
            else if (text.StartsWith("FCM:", StringComparison.OrdinalIgnoreCase)) DropFrame = Timecode.CanDropFrames(rate) && !text.Contains("NON", StringComparison.OrdinalIgnoreCase);
            else if (text.Length > 0 && char.IsAsciiDigit(text[0]) && line.Words(bytes) is { Count: >= 8 } words && LooksLikeEvent(words))
            {
                if (group is null || group.Events[0].Number != words[0].Text) Groups.Add(group = new EdlGroup());
                if (ReadEvent(line, words, group, i + 1) is { } refusal) return refusal;
                if (Groups.Count > MostEvents) return new Refusal("DOCUMENT_TOO_LARGE", $"The EDL has more than {MostEvents} events.");
            }
            else if (text.Length > 0 && group is not null)
            {
                group.Remarks.Add(line);
            }
        }

        if (Groups.Count == 0) return new Refusal("DOCUMENT_UNKNOWN", "The EDL has no events.");
        var first = Events.Min(each => each.Record.Start);
        // Timelines start on an hour; what comes later within its first minutes follows a gap.
        var hour = first - first % (3600L * rate.Nominal);
        StartFrame = DropFrame ? new Timecode(first, rate, true).ToString() is var label && Timecode.Parse(label[..2] + ":00:00;00", rate).TryGet(out var full, out _) ? full.Frame : first : hour;
        if (first - StartFrame > 600L * rate.Nominal) StartFrame = first;
        List<Track> tracks = [ReadTrack(TrackKind.Video, 1, Events.Where(each => each.HasPicture))];
        foreach (var number in Events.SelectMany(each => each.AudioTracks).Distinct().Order())
            tracks.Add(ReadTrack(TrackKind.Audio, number, Events.Where(each => each.AudioTracks.Contains(number))));
        return new TimelineIndex { Name = title, Rate = rate, StartFrame = StartFrame, DropFrame = DropFrame, Tracks = tracks, HasOneVideoTrack = true };
    }

    private static bool LooksLikeEvent(List<EdlWord> words) =>
        words[0].Text.All(char.IsAsciiDigit) && words.Skip(words.Count - 4).All(word => word.Text.AsSpan().IndexOfAny(":;") > 0);

    private Refusal? ReadEvent(EdlLine line, List<EdlWord> words, EdlGroup group, int number)
    {
        Refusal Malformed(string why) => new("DOCUMENT_MALFORMED", $"Line {number} of the EDL, event {words[0].Text}, cannot be read: {why}.");
        var labels = words.Skip(words.Count - 4).Select(word => word.Text).ToList();
        var sourceDrops = SourceDrops(labels);
        if (!ReadTimes(labels[..2], sourceDrops).TryGet(out var source, out var refusal)) return Malformed(refusal.Message.TrimEnd('.'));
        if (!ReadTimes(labels[2..], labels[2..].Exists(Drops)).TryGet(out var record, out refusal)) return Malformed(refusal.Message.TrimEnd('.'));
        if (words.Any(word => word.Text.Contains(';', StringComparison.Ordinal)) && words[^2].Text.Contains(';', StringComparison.Ordinal)) DropFrame = Timecode.CanDropFrames(rate);
        var type = words[3].Text.ToUpperInvariant();
        var mix = 0L;
        if (type is not "C")
        {
            if (type[0] is not ('D' or 'W' or 'K')) return Malformed($"'{words[3].Text}' is no transition");
            if (type[0] != 'K' && (words.Count < 9 || !long.TryParse(words[4].Text, NumberStyles.None, CultureInfo.InvariantCulture, out mix) || mix > 1_000_000)) return Malformed("its transition has no length");
        }

        if (record.Duration < 0 || source.Duration < 0) return Malformed("it ends before it begins");
        group.Events.Add(new EdlEvent { Line = line, Words = words, Source = source, SourceDrops = sourceDrops, Record = record, Mix = mix, Group = group });
        return null;
    }

    private bool Drops(string label) => label.Contains(';', StringComparison.Ordinal) || (DropFrame && !label.Contains('.', StringComparison.Ordinal));

    /// <summary>
    /// Whether a source counts in drop-frame. Reels have a count of their own: where record times are written with ';' a ':' says non-drop, and a label that
    /// drop-frame leaves out says so anywhere.
    /// </summary>
    private bool SourceDrops(List<string> labels)
    {
        var marked = labels[..2].Exists(label => label.Contains(';', StringComparison.Ordinal));
        if (marked || !labels[..2].Exists(Drops)) return marked;
        return !labels[2..].Exists(label => label.Contains(';', StringComparison.Ordinal)) && labels[..2].TrueForAll(label => Timecode.Parse(label, rate, true).TryGet(out _, out _));
    }

    private Outcome<FrameRange> ReadTimes(List<string> labels, bool drop)
    {
        if (!Timecode.Parse(labels[0], rate, drop).TryGet(out var start, out var refusal) || !Timecode.Parse(labels[1], rate, drop).TryGet(out var end, out refusal)) return refusal;
        return FrameRange.Between(start.Frame, end.Frame);
    }

    private Track ReadTrack(TrackKind kind, int number, IEnumerable<EdlEvent> events)
    {
        var items = new List<TrackItem>();
        var places = new List<EdlEvent?>();
        var track = new Track { Index = Places.Count, Number = number, Kind = kind, Name = "" };
        Places.Add(places);
        Refusal? problem = null;
        var at = 0L;
        foreach (var each in events.OrderBy(each => each.Record.Start).ThenBy(each => each.Record.End))
        {
            // The first line of a dissolve is a cut of no frames to what it comes from.
            if (each.Record.IsEmpty) continue;
            var place = each.Record.Shift(-StartFrame);
            if (place.Start < at)
            {
                problem = new Refusal("ITEM_UNKNOWN", $"Track {track.Label} cannot be edited: event {each.Number} overlaps the one before it.");
                break;
            }

            if (place.Start > at) Add(new TrackItem { Index = 0, Kind = ItemKind.Gap, Name = "", RecordRange = FrameRange.Between(at, place.Start) }, null);
            if (each.Mix > 0)
            {
                var mixed = new FrameRange(place.Start, Math.Min(each.Mix, place.Duration));
                Add(new TrackItem { Index = 0, Kind = ItemKind.Transition, Name = each.Type, RecordRange = mixed, Cut = place.Start }, each);
            }

            Add(Item(each, place), each);
            at = place.End;
        }

        return track with { Items = items, Duration = at, Problem = problem };

        void Add(TrackItem item, EdlEvent? each)
        {
            items.Add(item with { Index = items.Count });
            places.Add(each);
        }
    }

    private TrackItem Item(EdlEvent each, FrameRange place)
    {
        if (each.IsBlack && each.Mix == 0) return new TrackItem { Index = 0, Kind = ItemKind.Gap, Name = "", RecordRange = place };
        var named = (each.Mix > 0 ? each.Group.Remark("TO CLIP NAME:") : null) ?? each.Group.Remark("FROM CLIP NAME:") ?? "";
        var file = each.Group.Remark("SOURCE FILE PATH:") ?? each.Group.Remark("SOURCE FILE:");
        if (file is not null && !IsPath(file) && !EdlDocument.IsFile(file)) file = null;
        var effects = new List<ItemEffect>();
        if (each.Group.IsRetimed(each.Reel) || each.Source.Duration != each.Record.Duration) effects.Add(new ItemEffect("M2", "speed", ChangesTime: true));
        if (each.Type[0] == 'K') effects.Add(new ItemEffect(each.Type, "key", ChangesTime: false));
        return new TrackItem
        {
            Index = 0,
            Kind = ItemKind.Clip,
            Name = EdlDocument.NameOf(named),
            RecordRange = place,
            SourceRange = new MediaRange(rate, each.Source.Start, each.Source.Duration),
            Effects = effects,
            Media = new MediaReference { Schema = "reel", Url = file ?? (EdlDocument.IsFile(named) ? named : null) },
        };
    }

    private static bool IsPath(string text) => text.Contains('/', StringComparison.Ordinal) || text.Contains('\\', StringComparison.Ordinal);
}
