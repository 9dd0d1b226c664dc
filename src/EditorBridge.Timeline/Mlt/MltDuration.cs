using System.Globalization;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>Lengthens what has to be as long as the timeline: tractors, the background, and Kdenlive's record of a sequence.</summary>
internal sealed class MltDuration(MltDocument document, List<TextSplice> splices)
{
    private readonly MltIndexer indexer = document.Indexer;

    public void Grow(TimelineEdit edit)
    {
        var end = document.Index.Duration;
        foreach (var change in edit.Changes)
        {
            var own = TrackPieces.DurationOf(change.Pieces);
            end = Math.Max(end, own);
            if (change.Track is not null && indexer.Tracks[change.Track.Index].Tractor is { } tractor) GrowOut(tractor, own);
        }

        if (end <= document.Index.Duration) return;
        GrowOut(indexer.Tractor, end);
        if (MltIndexer.TracksOf(indexer.Tractor).FirstOrDefault() is { } first && indexer.Tracks.TrueForAll(track => track.Reference != first)) GrowBackground(first, end);
        if (!indexer.IsSequence) return;
        var id = indexer.Tractor["id"];
        foreach (var tractor in document.Root.All("tractor").Where(tractor => MltIndexer.Property(tractor, "kdenlive:projectTractor") == "1"))
        {
            foreach (var track in MltIndexer.TracksOf(tractor).Where(track => track["producer"] == id))
            {
                GrowOut(track, end);
                GrowOut(tractor, end);
            }
        }

        foreach (var entry in indexer.MainBin!.All("entry").Where(entry => entry["producer"] == id)) GrowOut(entry, end);
        GrowProperty(indexer.Tractor, "kdenlive:maxduration", end);
        GrowProperty(indexer.Tractor, "kdenlive:duration", end);
        GrowProperty(indexer.Tractor, "length", end);
    }

    private void GrowBackground(XmlNode reference, long end)
    {
        if (indexer.ById(reference["producer"]) is not { } background) return;
        if (background.Name != "playlist")
        {
            GrowOut(background, end);
            GrowProperty(background, "length", end);
            return;
        }

        if (background.All("entry").LastOrDefault() is not { } entry) return;
        GrowOut(entry, end);
        if (indexer.ById(entry["producer"]) is not { } black) return;
        GrowOut(black, end);
        GrowProperty(black, "length", end);
    }

    private void GrowOut(XmlNode node, long end)
    {
        if (indexer.Time(node["out"]) is { } out_ && out_ < end - 1) splices.Add(node.WithAttribute("out", MltTime.Spell(end - 1, indexer.Rate, node["out"])));
    }

    private void GrowProperty(XmlNode node, string name, long end)
    {
        if (MltIndexer.PropertyNode(node, name) is { } property && indexer.Time(property.Text) is { } length && length < end)
            splices.Add(property.WithText(MltTime.Spell(end, indexer.Rate, property.Text.Contains(':', StringComparison.Ordinal) ? property.Text : length.ToString(CultureInfo.InvariantCulture))));
    }
}
