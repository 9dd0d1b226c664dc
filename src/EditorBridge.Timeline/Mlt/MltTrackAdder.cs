using System.Globalization;
using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>Adds a video track in front of all others, with what the editor gives each of its tracks.</summary>
internal sealed class MltTrackAdder(MltDocument document, MltNewClip news, List<TextSplice> splices)
{
    private readonly MltIndexer indexer = document.Indexer;

    public void Add(TrackChange change, List<string> entries)
    {
        var tractor = indexer.Tractor;
        var lead = tractor.Lead;
        var inner = MltNewClip.Inner(lead);
        var text = new StringBuilder();
        var playlist = news.NewId("playlist");
        text.Append(CultureInfo.InvariantCulture, $"<playlist id=\"{playlist}\">");
        if (indexer.Dialect == MltDialect.Shotcut)
        {
            text.Append(CultureInfo.InvariantCulture, $"{inner}<property name=\"shotcut:video\">1</property>");
            text.Append(CultureInfo.InvariantCulture, $"{inner}<property name=\"shotcut:name\">{XmlText.Escape(change.NewTrackName!)}</property>");
        }

        var next = 0;
        foreach (var piece in change.Pieces) text.Append(inner).Append(piece is ClipPiece ? entries[next++] : news.Blank(piece.Duration));
        text.Append(CultureInfo.InvariantCulture, $"{lead}</playlist>{lead}");
        var target = indexer.Dialect == MltDialect.Kdenlive ? KdenliveTrack(change, playlist, lead, inner, text) : playlist;
        splices.Add(new TextSplice(tractor.Start, 0, Encoding.UTF8.GetBytes(text.ToString())));

        var tracks = MltIndexer.TracksOf(tractor).ToList();
        var last = tracks[^1];
        splices.Add(new TextSplice(last.End, 0, Encoding.UTF8.GetBytes($"{last.Lead}<track{(change.NewTrackKind == TrackKind.Audio ? " hide=\"video\"" : "")} producer=\"{target}\"/>")));
        if (change.Index == 0 || change.NewTrackKind == TrackKind.Audio || !document.Index.VideoTracks.Any()) return;
        var videos = document.Index.VideoTracks.Select(track => indexer.Tracks[track.Index].Number).ToList();
        CopyTransitions(videos[0], videos[^1], tracks.Count);
    }

    private string KdenliveTrack(TrackChange change, string playlist, string lead, string inner, StringBuilder text)
    {
        var second = news.NewId("playlist");
        var id = news.NewId("tractor");
        text.Append(CultureInfo.InvariantCulture, $"<playlist id=\"{second}\"/>{lead}");
        text.Append(CultureInfo.InvariantCulture, $"<tractor id=\"{id}\" in=\"{news.Time(0)}\" out=\"{news.Time(TrackPieces.DurationOf(change.Pieces) - 1)}\">");
        foreach (var (name, value) in new[] { ("kdenlive:trackheight", "67"), ("kdenlive:timeline_active", "1"), ("kdenlive:collapsed", "0"), ("kdenlive:thumbs_format", ""), ("kdenlive:track_name", change.NewTrackName!) })
            text.Append(CultureInfo.InvariantCulture, $"{inner}<property name=\"{name}\">{XmlText.Escape(value)}</property>");
        text.Append(CultureInfo.InvariantCulture, $"{inner}<track hide=\"audio\" producer=\"{playlist}\"/>{inner}<track hide=\"audio\" producer=\"{second}\"/>");
        text.Append(CultureInfo.InvariantCulture, $"{lead}</tractor>{lead}");
        foreach (var (owner, prefix) in new[] { (indexer.Tractor, "kdenlive:sequenceproperties."), (indexer.MainBin!, "kdenlive:docproperties.") })
        {
            foreach (var name in new[] { "tracksCount", "tracks" })
            {
                if (MltIndexer.PropertyNode(owner, prefix + name) is { } property && int.TryParse(property.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
                    splices.Add(property.WithText((count + 1).ToString(CultureInfo.InvariantCulture)));
            }
        }

        return id;
    }

    /// <summary>Composites the new track as its editor composites the topmost one. A document without such transitions shows the topmost track as it is.</summary>
    private void CopyTransitions(int lowest, int topmost, int added)
    {
        var all = indexer.Tractor.All("transition").ToList();
        if (all.Count == 0) return;
        var copies = new StringBuilder();
        foreach (var transition in all)
        {
            if (MltIndexer.Property(transition, "b_track") != topmost.ToString(CultureInfo.InvariantCulture)) continue;
            var automatic = indexer.Dialect == MltDialect.Shotcut || MltIndexer.Property(transition, "internal_added") is not null
                || MltIndexer.Property(transition, "always_active") == "1";
            if (!automatic) continue;
            var edits = new List<TextSplice> { MltIndexer.PropertyNode(transition, "b_track")!.WithText(added.ToString(CultureInfo.InvariantCulture)) };
            if (transition["id"] is not null) edits.Add(transition.WithAttribute("id", news.NewId("transition")));
            // Shotcut composites onto its lowest track, for which alone the transition is off.
            if (indexer.Dialect == MltDialect.Shotcut && MltIndexer.Property(transition, "mlt_service") != "mix")
            {
                if (MltIndexer.PropertyNode(transition, "a_track") is { } below) edits.Add(below.WithText(lowest.ToString(CultureInfo.InvariantCulture)));
                if (MltIndexer.PropertyNode(transition, "disable") is { } off) edits.Add(off.WithText("0"));
            }

            var copy = TextSplice.Apply(transition.Raw.Span, [.. edits.Select(splice => splice with { Start = splice.Start - transition.Start }).OrderBy(splice => splice.Start)]);
            copies.Append(transition.Lead).Append(Encoding.UTF8.GetString(copy));
        }

        if (copies.Length > 0) splices.Add(new TextSplice(all[^1].End, 0, Encoding.UTF8.GetBytes(copies.ToString())));
    }
}
