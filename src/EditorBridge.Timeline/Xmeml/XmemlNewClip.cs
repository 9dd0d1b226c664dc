using System.Globalization;
using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Xmeml;

/// <summary>Spells new clips.</summary>
internal sealed class XmemlNewClip(XmemlDocument document)
{
    // What is linked but not there counts too: it would come to be the new element.
    private readonly HashSet<string> ids = [.. document.Root.SelfAndInner().Select(node => node.Name == "linkclipref" ? node.Text.Trim() : node["id"]).OfType<string>()];
    private readonly Dictionary<(string Url, MediaRange Held), string> files = [];

    public string NewId(string prefix)
    {
        for (var i = 1; ; i++)
        {
            var id = prefix + i.ToString(CultureInfo.InvariantCulture);
            if (ids.Add(id)) return id;
        }
    }

    /// <summary>A clip's element.</summary>
    /// <param name="clip">The clip.</param>
    /// <param name="place">Its frames on the track.</param>
    /// <param name="lead">The line break and indentation of its own start tag.</param>
    public string Clip(NewClip clip, FrameRange place, string lead)
    {
        var text = new StringBuilder();
        var inner = XmlChildren.Inner(lead);
        var (source, held) = (clip.SourceRange, clip.AvailableRange);
        text.Append(CultureInfo.InvariantCulture, $"<clipitem id=\"{NewId("clipitem-")}\">");
        Element(text, inner, "name", clip.Name);
        Element(text, inner, "enabled", "TRUE");
        Number(text, inner, "duration", held.Duration);
        Rate(text, inner, source.Rate);
        Number(text, inner, "start", place.Start);
        Number(text, inner, "end", place.End);
        Number(text, inner, "in", source.Start - held.Start);
        Number(text, inner, "out", source.End - held.Start);
        if (Known(clip) is { } known) text.Append(CultureInfo.InvariantCulture, $"{inner}<file id=\"{XmlText.Escape(known)}\"/>");
        else File(text, inner, clip);
        if (clip.MetadataJson != "{}") text.Append(CultureInfo.InvariantCulture, $"{inner}<comments>{XmlChildren.Inner(inner)}<mastercomment1>{XmlText.Escape(clip.MetadataJson)}</mastercomment1>{inner}</comments>");
        return text.Append(CultureInfo.InvariantCulture, $"{lead}</clipitem>").ToString();
    }

    private string? Known(NewClip clip)
    {
        if (files.TryGetValue((clip.MediaUrl, clip.AvailableRange), out var made)) return made;
        // A file that the document holds with the same clock; with another its frames would be counted otherwise.
        foreach (var (items, places) in document.Index.Tracks.Select(track => track.Items).Zip(document.Indexer.Places))
        {
            for (var i = 0; i < items.Count; i++)
            {
                if (items[i].Media?.Url == document.Indexer.SpellUrl(clip.MediaUrl) && items[i].Media!.AvailableRange == clip.AvailableRange
                    && places[i]?.Node.Child("file")?["id"] is { } id)
                    return id;
            }
        }

        return null;
    }

    private void File(StringBuilder text, string lead, NewClip clip)
    {
        var id = NewId("file-");
        files.Add((clip.MediaUrl, clip.AvailableRange), id);
        var (inner, deeper) = (XmlChildren.Inner(lead), XmlChildren.Inner(XmlChildren.Inner(lead)));
        var held = clip.AvailableRange;
        var url = document.Indexer.SpellUrl(clip.MediaUrl);
        text.Append(CultureInfo.InvariantCulture, $"{lead}<file id=\"{id}\">");
        Element(text, inner, "name", Uri.UnescapeDataString(url[(url.LastIndexOf('/') + 1)..]));
        Element(text, inner, "pathurl", url);
        Rate(text, inner, held.Rate);
        Number(text, inner, "duration", held.Duration);
        text.Append(CultureInfo.InvariantCulture, $"{inner}<timecode>");
        Rate(text, deeper, held.Rate);
        var dropFrame = document.Index.DropFrame && Timecode.CanDropFrames(held.Rate);
        Element(text, deeper, "string", new Timecode(held.Start, held.Rate, dropFrame).ToString());
        Number(text, deeper, "frame", held.Start);
        Element(text, deeper, "displayformat", dropFrame ? "DF" : "NDF");
        text.Append(CultureInfo.InvariantCulture, $"{inner}</timecode>{inner}<media>{deeper}<video>");
        var deepest = XmlChildren.Inner(deeper);
        text.Append(CultureInfo.InvariantCulture, $"{deepest}<duration>{held.Duration}</duration>");
        if (document.Indexer.Sequence.Child("media")?.Child("video")?.Child("format")?.Child("samplecharacteristics") is { } format && format.Child("width") is { } width && format.Child("height") is { } height)
            text.Append(CultureInfo.InvariantCulture, $"{deepest}<samplecharacteristics>{XmlChildren.Inner(deepest)}<width>{XmlText.Escape(width.Text.Trim())}</width>{XmlChildren.Inner(deepest)}<height>{XmlText.Escape(height.Text.Trim())}</height>{deepest}</samplecharacteristics>");
        text.Append(CultureInfo.InvariantCulture, $"{deeper}</video>{inner}</media>{lead}</file>");
    }

    private static void Rate(StringBuilder text, string lead, FrameRate rate)
    {
        var ntsc = rate.Denominator == 1001;
        var inner = XmlChildren.Inner(lead);
        text.Append(CultureInfo.InvariantCulture, $"{lead}<rate>{inner}<timebase>{rate.Nominal}</timebase>{inner}<ntsc>{(ntsc ? "TRUE" : "FALSE")}</ntsc>{lead}</rate>");
    }

    private static void Number(StringBuilder text, string lead, string name, long value) => text.Append(CultureInfo.InvariantCulture, $"{lead}<{name}>{value}</{name}>");

    private static void Element(StringBuilder text, string lead, string name, string value) => text.Append(CultureInfo.InvariantCulture, $"{lead}<{name}>{XmlText.Escape(value)}</{name}>");
}
