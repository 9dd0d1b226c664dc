using System.Globalization;
using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>Carries an edit out on the text of an MLT document.</summary>
internal sealed class MltSplicer(MltDocument document, TimelineEdit edit, List<TextSplice> splices)
{
    private readonly MltIndexer indexer = document.Indexer;
    private readonly MltNewClip news = new(document);

    private sealed record Wanted(FrameRange Place, XmlNode? Node, MediaRange? Source, string? Text);

    public Refusal? Splice()
    {
        if (edit.Ripple is { } ripple && MltLimits.WhyNotRipple(indexer, ripple.At) is { } unsafeRipple) return unsafeRipple;
        foreach (var change in edit.Changes)
        {
            if (change.Track is not null && MltLimits.BreaksGroup(indexer, change) is { } grouped) return grouped;
        }

        foreach (var change in edit.Changes)
        {
            if (change.Track is null && !MltIndexer.TracksOf(indexer.Tractor).Any())
                return new Refusal("TRACK_NOT_EDITABLE", "The timeline's tractor has no track, not even the background, so none can be added: put a track into it in its editor first.");
            if (change.Track is null) new MltTrackAdder(document, news, splices).Add(change, Define(change, document.Indexer.Tractor));
            else if (SpliceTrack(change) is { } refusal) return refusal;
        }

        new MltDuration(document, splices).Grow(edit);
        return null;
    }

    private Refusal? SpliceTrack(TrackChange change)
    {
        var track = indexer.Tracks[change.Track!.Index];
        var places = indexer.Places[change.Track.Index];
        var wanted = track.Playlists.Select(_ => new List<Wanted>()).ToList();
        var entries = new Queue<string>(Define(change, track.Playlists[0]));
        var at = 0L;
        foreach (var piece in change.Pieces)
        {
            var range = new FrameRange(at, piece.Duration);
            at = range.End;
            if (piece is ClipPiece) wanted[0].Add(new Wanted(range, null, null, entries.Dequeue()));
            if (piece is not KeptPiece { Item: { Kind: not ItemKind.Gap } item } kept) continue;
            var place = places[item.Index];
            if (item.Kind == ItemKind.Transition)
            {
                var moved = place.Place.Shift(range.Start - item.Cut);
                if (place.Playlist >= 0) wanted[place.Playlist].Add(new Wanted(moved, place.Node, null, null));
                else if (moved != place.Place) SetEnds(place.Node!, moved.Start, (indexer.Time(place.Node!["out"]) ?? place.Place.End - 1) + moved.Start - place.Place.Start);
                continue;
            }

            // An end that stays as it was keeps what a transition there shortened or lengthened it by.
            var first = kept.Offset == 0 ? place.Place.Start - item.RecordRange.Start : 0;
            var last = kept.Offset + kept.Duration == item.RecordRange.Duration ? place.Place.End - item.RecordRange.End : 0;
            var taken = FrameRange.Between(range.Start + first, range.End + last);
            if (TrackPieces.OnlyMixLeft(change.Track, kept) is { } refusal) return refusal;
            MediaRange? source = kept.IsWhole ? null : item.SourceRange is { } was
                ? new MediaRange(indexer.Rate, was.Start + kept.Offset + first, taken.Duration)
                : new MediaRange(indexer.Rate, (indexer.Time(place.Node!["in"]) ?? 0) + kept.Offset + first, taken.Duration);
            wanted[place.Playlist].Add(new Wanted(taken, place.Node, source, null));
        }

        for (var i = 0; i < wanted.Count; i++) LayOut(track.Playlists[i], wanted[i]);
        return null;
    }

    /// <summary>Writes the media of new clips where they are known before the playlist names them.</summary>
    /// <returns>For each new clip its entry.</returns>
    private List<string> Define(TrackChange change, XmlNode before)
    {
        var entries = new List<string>();
        foreach (var clip in change.Pieces.OfType<ClipPiece>().Select(piece => piece.Clip))
        {
            var source = MltNewClip.Source(clip, indexer.Rate);
            var lead = EntryLead(before.Name == "playlist" ? before : indexer.Tracks.SelectMany(track => track.Playlists).FirstOrDefault());
            if (indexer.Dialect != MltDialect.Kdenlive)
            {
                var (id, text) = news.Producer(clip, before.Lead, isSound: (change.Track?.Kind ?? change.NewTrackKind) == TrackKind.Audio);
                Insert(before, text);
                entries.Add(news.Entry(id, source, lead));
                continue;
            }

            var bin = indexer.MainBin!;
            var number = NewBinNumber();
            var first = bin.Start < before.Start ? bin : before;
            var (binId, binText) = news.Producer(clip, first.Lead, number, onTrack: false);
            var (trackId, trackText) = news.Producer(clip, first.Lead, number);
            Insert(first, binText + first.Lead + trackText);
            var length = MltNewClip.Length(clip, indexer.Rate);
            var binLead = EntryLead(bin);
            XmlChildren.Append(bin, news.Entry(binId, new MediaRange(indexer.Rate, 0, length), binLead), binLead, splices);
            entries.Add(news.Entry(trackId, source, lead, number));
        }

        return entries;
    }

    // Folders and clips of the bin share one count.
    private long NewBinNumber()
    {
        var most = 0L;
        foreach (var property in document.Root.SelfAndInner().Where(node => node.Name == "property"))
        {
            var text = property["name"] == "kdenlive:id" ? property.Text
                : property["name"] is { } name && name.StartsWith("kdenlive:folder.", StringComparison.Ordinal) ? name[(name.LastIndexOf('.') + 1)..] : "";
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < int.MaxValue) most = Math.Max(most, number);
        }

        return most + 1;
    }

    private void LayOut(XmlNode playlist, List<Wanted> wanted)
    {
        var nodes = playlist.Children.Where(child => child.Name is "blank" or "entry").ToList();
        var next = 0;
        var at = 0L;
        var pending = new List<string>();
        foreach (var item in wanted)
        {
            if (item.Place.Start > at)
            {
                var gap = item.Place.Start - at;
                if (next < nodes.Count && nodes[next].Name == "blank")
                {
                    ReplaceRun(playlist, nodes, next, 0, pending);
                    pending = [];
                    if (indexer.Time(nodes[next]["length"]) != gap) splices.Add(nodes[next].WithAttribute("length", MltTime.Spell(gap, indexer.Rate, nodes[next]["length"])));
                    next++;
                }
                else
                {
                    pending.Add(news.Blank(gap));
                }
            }

            at = item.Place.End;
            var index = item.Node is null ? -1 : nodes.IndexOf(item.Node);
            if (item.Node is null)
            {
                pending.Add(item.Text!);
            }
            else if (index >= next)
            {
                ReplaceRun(playlist, nodes, next, index - next, pending);
                pending = [];
                next = index + 1;
                if (item.Source is { } source) SetEnds(item.Node, source.Start, source.End - 1);
            }
            else
            {
                // The second half of a split item: the same text once more, with the other half's ends.
                var copy = item.Source is { } part ? Ends(item.Node, part.Start, part.End - 1).ToList() : [];
                pending.Add(Encoding.UTF8.GetString(TextSplice.Apply(item.Node.Raw.Span, [.. copy.Select(splice => splice with { Start = splice.Start - item.Node.Start })])));
            }
        }

        if (pending.Count == 0 && nodes.Skip(next).All(node => node.Name == "blank")) return;
        ReplaceRun(playlist, nodes, next, nodes.Count - next, pending);
    }

    private void ReplaceRun(XmlNode playlist, List<XmlNode> nodes, int at, int removed, List<string> texts) =>
        XmlChildren.ReplaceRun(playlist, nodes, at, removed, texts, EntryLead(playlist), splices);

    private void Insert(XmlNode before, string text) => splices.Add(new TextSplice(before.Start, 0, Encoding.UTF8.GetBytes(text + before.Lead)));

    private void SetEnds(XmlNode node, long first, long last) => splices.AddRange(Ends(node, first, last));

    private IEnumerable<TextSplice> Ends(XmlNode node, long first, long last)
    {
        var edits = new List<TextSplice>();
        if (indexer.Time(node["in"]) != first) edits.Add(node.WithAttribute("in", Spell(first, node)));
        if (indexer.Time(node["out"]) != last) edits.Add(node.WithAttribute("out", Spell(last, node)));
        return edits.OrderBy(splice => splice.Start);
    }

    private string Spell(long frames, XmlNode node) => (node["out"] ?? node["in"]) is { } example ? MltTime.Spell(frames, indexer.Rate, example) : news.Time(frames);

    private static string EntryLead(XmlNode? playlist) => playlist is null ? ""
        : (playlist.Children.FirstOrDefault(child => child.Name is "blank" or "entry") ?? playlist.Children.FirstOrDefault())?.Lead ?? MltNewClip.Inner(playlist.Lead);
}
