using System.Globalization;
using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Xmeml;

/// <summary>Carries an edit out on the text of an FCP7 XML document.</summary>
internal sealed class XmemlSplicer(XmemlDocument document, TimelineEdit edit, List<TextSplice> splices)
{
    private readonly XmemlIndexer indexer = document.Indexer;
    private readonly XmemlNewClip news = new(document);

    public Refusal? Splice()
    {
        foreach (var change in edit.Changes)
        {
            if (change.Track is null) AddTrack(change);
            else if (SpliceTrack(change, indexer.Tracks[change.Track.Index]) is { } refusal) return refusal;
        }

        if (edit.Ripple is { } ripple) MoveMarkers(ripple);
        var end = edit.Changes.Select(change => TrackPieces.DurationOf(change.Pieces)).DefaultIfEmpty(0).Max();
        if (end > document.Index.Duration && indexer.Sequence.Child("duration") is { } duration && XmemlIndexer.Number(duration) is { } length && length < end) splices.Add(Text(duration, end));
        return null;
    }

    private void AddTrack(TrackChange change)
    {
        var kind = change.NewTrackKind == TrackKind.Audio ? "audio" : "video";
        var video = indexer.Sequence.Child("media")?.Child(kind);
        var last = video?.All("track").LastOrDefault();
        var lead = last?.Lead ?? XmlChildren.Inner((video ?? indexer.Sequence).Lead);
        var inner = XmlChildren.Inner(lead);
        var text = new StringBuilder("<track>");
        var at = 0L;
        foreach (var piece in change.Pieces)
        {
            if (piece is ClipPiece { Clip: var clip }) text.Append(inner).Append(news.Clip(clip, new FrameRange(at, piece.Duration), inner));
            at += piece.Duration;
        }

        text.Append(CultureInfo.InvariantCulture, $"{inner}<enabled>TRUE</enabled>{inner}<locked>FALSE</locked>{lead}</track>");
        if (last is not null) splices.Add(new TextSplice(last.End, 0, Encoding.UTF8.GetBytes(lead + text)));
        else if (video is not null) XmlChildren.Append(video, text.ToString(), lead, splices);
        else if (indexer.Sequence.Child("media") is { } media) XmlChildren.Append(media, $"<{kind}>{lead}{text}</{kind}>", lead, splices);
        else XmlChildren.Append(indexer.Sequence, $"<media><{kind}>{lead}{text}</{kind}></media>", lead, splices);
    }

    private Refusal? SpliceTrack(TrackChange change, XmlNode track)
    {
        var places = indexer.Places[change.Track!.Index];
        var nodes = places.OfType<XmemlPlace>().Select(place => place.Node).ToList();
        var lead = nodes.Count > 0 ? nodes[0].Lead : track.Children.Count > 0 ? track.Children[0].Lead : XmlChildren.Inner(track.Lead);
        var wanted = new List<XmlPiece>();
        var staying = new HashSet<int>();
        var at = 0L;
        foreach (var piece in change.Pieces)
        {
            var range = new FrameRange(at, piece.Duration);
            at = range.End;
            if (piece is ClipPiece { Clip: var clip }) wanted.Add(new XmlPiece(null, news.Clip(clip, range, lead)));
            if (piece is not KeptPiece { Item: { Kind: not ItemKind.Gap } item } part || places[item.Index] is not { } place) continue;
            if (!EditsOf(place, part, range).TryGet(out var edits, out var refusal)) return refusal;
            if (staying.Add(place.Node.Start))
            {
                splices.AddRange(edits);
                wanted.Add(new XmlPiece(place.Node));
                continue;
            }

            if (place.Node["id"] is not null) edits.Add(place.Node.WithAttribute("id", news.NewId("clipitem-")));
            wanted.Add(new XmlPiece(null, SecondHalf(place.Node, edits)));
        }

        var gone = places.OfType<XmemlPlace>().Where(place => !staying.Contains(place.Node.Start)).ToList();
        foreach (var place in gone)
        {
            if (WhyNotRemove(change.Track, place.Node) is { } needed) return needed;
        }

        if (nodes.Count == 0 && wanted.Count > 0) XmlChildren.Prepend(track, string.Join(lead, wanted.Select(piece => piece.Text)), lead, splices);
        else XmlChildren.Rewrite(track, nodes, wanted, lead, splices);
        CountLinks(nodes, wanted);
        return null;
    }

    /// <summary>The same item once more: links stay with the first half, and what was defined there is only named.</summary>
    private static string SecondHalf(XmlNode node, List<TextSplice> edits)
    {
        edits.AddRange(node.All("link").Select(XmlChildren.Remove));
        if (node.Child("file") is { Children.Count: > 0 } file && file["id"] is { } id)
            edits.Add(new TextSplice(file.Start, file.End - file.Start, Encoding.UTF8.GetBytes($"<file id=\"{XmlText.Escape(id)}\"/>")));
        return Encoding.UTF8.GetString(TextSplice.Apply(node.Raw.Span, [.. edits.OrderBy(splice => splice.Start).Select(splice => splice with { Start = splice.Start - node.Start })]));
    }

    private Refusal? WhyNotRemove(Track track, XmlNode node)
    {
        var name = node.Child("name")?.Text ?? "an item";
        if (node["id"] is { } id && document.Root.SelfAndInner().Any(other => other.Name == "linkclipref" && other.Text == id && (other.Start < node.Start || other.Start > node.End)))
            return new Refusal("LINKED_ITEM", $"'{name}' on {track.Label} is linked with others (its audio, perhaps), which would lose it: unlink it, or place the clip above.");
        if (node.Child("file") is { Children.Count: > 0 } file && file["id"] is { } fileId
            && document.Root.SelfAndInner().Any(other => other.Name == "file" && other["id"] == fileId && other.Start != file.Start))
            return new Refusal("LINKED_ITEM", $"'{name}' on {track.Label} holds the definition of media that other clips use: place the clip above.");
        return null;
    }

    private Outcome<List<TextSplice>> EditsOf(XmemlPlace place, KeptPiece part, FrameRange range)
    {
        var edits = new List<TextSplice>();
        var (node, item) = (place.Node, part.Item);
        if (item.Kind == ItemKind.Transition)
        {
            var moved = item.RecordRange.Shift(range.Start - item.Cut);
            Set(node.Child("start")!, moved.Start);
            Set(node.Child("end")!, moved.End);
            return edits;
        }

        var end = part.Offset + part.Duration;
        var (headStays, tailStays) = (part.Offset == 0, end == item.RecordRange.Duration);
        // A -1 that stays beside its transition goes on meaning the cut there.
        if (XmemlIndexer.Number(node.Child("start")) != -1 || !headStays) Set(node.Child("start")!, range.Start);
        if (XmemlIndexer.Number(node.Child("end")) != -1 || !tailStays) Set(node.Child("end")!, range.End);
        if (part.IsWhole) return edits;
        if (FrameConversion.Exactly(part.Offset, indexer.Rate, place.Rate) is not { } first || FrameConversion.Exactly(end, indexer.Rate, place.Rate) is not { } last
            || (item.SourceRange is { } source && FrameConversion.Exactly(part.Offset, indexer.Rate, source.Rate) is null))
            return new Refusal("OFF_GRID", $"{item.Label} counts its media at {place.Rate}, where the new boundary is no whole frame: choose another range.");
        if (!headStays) Set(node.Child("in")!, place.In + first);
        if (!tailStays) Set(node.Child("out")!, place.In + last);
        // Premiere would go by these instead.
        if (!headStays) edits.AddRange(node.All("pproTicksIn").Select(XmlChildren.Remove));
        if (!tailStays) edits.AddRange(node.All("pproTicksOut").Select(XmlChildren.Remove));
        return edits;

        void Set(XmlNode child, long value)
        {
            if (XmemlIndexer.Number(child) != value) edits.Add(Text(child, value));
        }
    }

    /// <summary>Links name a clip by its id and count its place on its track.</summary>
    private void CountLinks(List<XmlNode> nodes, List<XmlPiece> wanted)
    {
        var before = nodes.Where(node => node.Name != "transitionitem").ToList();
        var after = wanted.Where(piece => piece.Node?.Name != "transitionitem").Select(piece => piece.Node?.Start ?? -1).ToList();
        var moved = new Dictionary<string, (int Old, int New)>();
        for (var i = 0; i < before.Count; i++)
        {
            var now = after.IndexOf(before[i].Start) + 1;
            if (before[i]["id"] is { } id && now > 0 && now != i + 1) moved[id] = (i + 1, now);
        }

        if (moved.Count == 0) return;
        foreach (var link in document.Root.SelfAndInner().Where(node => node.Name == "link"))
        {
            if (link.Child("linkclipref")?.Text is { } id && moved.TryGetValue(id, out var count) && link.Child("clipindex") is { } index && XmemlIndexer.Number(index) == count.Old)
                splices.Add(Text(index, count.New));
        }
    }

    private void MoveMarkers(RippleShift ripple)
    {
        foreach (var marker in indexer.Sequence.All("marker"))
        {
            if (XmemlIndexer.Number(marker.Child("in")) is not { } first || first < ripple.At) continue;
            splices.Add(Text(marker.Child("in")!, first + ripple.Frames));
            if (XmemlIndexer.Number(marker.Child("out")) is { } last && last >= 0) splices.Add(Text(marker.Child("out")!, last + ripple.Frames));
        }
    }

    private static TextSplice Text(XmlNode node, long value) => node.WithText(value.ToString(CultureInfo.InvariantCulture));
}
