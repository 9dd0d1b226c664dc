using System.Globalization;
using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Fcpx;

/// <summary>Spells new clips, their assets and gaps.</summary>
internal sealed class FcpxNewClip(FcpxIndexer indexer, List<TextSplice> splices)
{
    private readonly XmlNode resources = indexer.Resources.Node!;
    // What is named but not there counts too: it would come to be the new resource.
    private readonly HashSet<string> named = [.. indexer.Resources.Node!.Parent!.SelfAndInner().SelectMany(node => node.Attributes).Select(attribute => attribute.Value).Where(value => value.StartsWith('r'))];
    private readonly HashSet<string> taken = [];
    private readonly Dictionary<string, string> assets = [];

    /// <summary>A clip's element.</summary>
    /// <param name="clip">The clip.</param>
    /// <param name="frames">Its length at the sequence's rate.</param>
    /// <param name="offset">Its place on the clock of what it lies in.</param>
    /// <param name="lane">Its lane; 0 in the primary storyline.</param>
    /// <param name="lead">The line break and indentation of its own start tag.</param>
    /// <param name="hosted">What is connected to it.</param>
    /// <param name="isSound">Whether its sound is wanted rather than its pictures.</param>
    public string Clip(NewClip clip, long frames, FcpTime offset, int lane, string lead, IReadOnlyList<string> hosted, bool isSound = false)
    {
        var (asset, hasOther) = Asset(clip, isSound);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<asset-clip ref=\"{XmlText.Escape(asset)}\"");
        if (lane != 0) text.Append(CultureInfo.InvariantCulture, $" lane=\"{lane}\"");
        text.Append(CultureInfo.InvariantCulture, $" offset=\"{offset.Spell(indexer.Over)}\" name=\"{XmlText.Escape(clip.Name)}\"");
        text.Append(CultureInfo.InvariantCulture, $" start=\"{FcpTime.Frames(clip.SourceRange.Start, clip.SourceRange.Rate).Spell(indexer.Over)}\" duration=\"{Frames(frames)}\"");
        if (hasOther) text.Append(CultureInfo.InvariantCulture, $" srcEnable=\"{(isSound ? "audio" : "video")}\"");
        text.Append(CultureInfo.InvariantCulture, $" tcFormat=\"{(indexer.Sequence["tcFormat"] == "DF" ? "DF" : "NDF")}\"");
        var inner = XmlChildren.Inner(lead);
        var content = new List<string>(hosted);
        if (clip.MetadataJson != "{}") content.Add(Metadata(clip.MetadataJson, inner));
        return Close(text, "asset-clip", content, lead, inner);
    }

    public string Gap(FcpTime offset, FcpTime start, long frames, string lead, IReadOnlyList<string> hosted)
    {
        var text = new StringBuilder("<gap name=\"Gap\"");
        text.Append(CultureInfo.InvariantCulture, $" offset=\"{offset.Spell(indexer.Over)}\" start=\"{start.Spell(indexer.Over)}\" duration=\"{Frames(frames)}\"");
        return Close(text, "gap", hosted, lead, XmlChildren.Inner(lead));
    }

    private string Frames(long frames) => FcpTime.Frames(frames, indexer.Rate).Spell(indexer.Over);

    private static string Close(StringBuilder tag, string name, IReadOnlyList<string> content, string lead, string inner)
    {
        if (content.Count == 0) return tag.Append("/>").ToString();
        tag.Append('>');
        foreach (var part in content) tag.Append(inner).Append(part);
        return tag.Append(CultureInfo.InvariantCulture, $"{lead}</{name}>").ToString();
    }

    private static string Metadata(string json, string lead) =>
        $"<metadata>{XmlChildren.Inner(lead)}<md key=\"org.editorbridge.generation\" value=\"{XmlText.Escape(json)}\"/>{lead}</metadata>";

    private (string Id, bool HasOther) Asset(NewClip clip, bool isSound)
    {
        var known = resources.All("asset").FirstOrDefault(asset => FcpxResources.UrlOf(asset) == clip.MediaUrl && asset[isSound ? "hasAudio" : "hasVideo"] == "1" && asset["id"] is not null
            && (FcpxResources.RateOf(indexer.Resources.Find(asset["format"], "format"))?.Rate ?? indexer.Rate) == clip.SourceRange.Rate);
        if (known is not null) return (known["id"]!, known[isSound ? "hasVideo" : "hasAudio"] == "1");
        var key = (isSound ? "A " : "V ") + clip.MediaUrl;
        if (assets.TryGetValue(key, out var made)) return (made, false);
        var lead = resources.Children.Count > 0 ? resources.Children[^1].Lead : XmlChildren.Inner(resources.Lead);
        var format = clip.AvailableRange.Rate == indexer.Rate ? indexer.Sequence["format"]! : Format(clip.AvailableRange.Rate, lead);
        var id = NewId();
        var (start, duration) = (FcpTime.Frames(clip.AvailableRange.Start, clip.AvailableRange.Rate), FcpTime.Frames(clip.AvailableRange.Duration, clip.AvailableRange.Rate));
        var inner = XmlChildren.Inner(lead);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<asset id=\"{id}\" name=\"{XmlText.Escape(clip.Name)}\"");
        if (indexer.MinorVersion < 9) text.Append(CultureInfo.InvariantCulture, $" src=\"{XmlText.Escape(clip.MediaUrl)}\"");
        text.Append(CultureInfo.InvariantCulture, $" start=\"{start.Spell(indexer.Over)}\" duration=\"{duration.Spell(indexer.Over)}\" {(isSound ? "hasAudio" : "hasVideo")}=\"1\" format=\"{XmlText.Escape(format)}\"");
        if (indexer.MinorVersion >= 9) text.Append(isSound ? " audioSources=\"1\" audioChannels=\"2\"" : " videoSources=\"1\"");
        var content = new List<string>();
        if (indexer.MinorVersion >= 9) content.Add($"<media-rep kind=\"original-media\" src=\"{XmlText.Escape(clip.MediaUrl)}\"/>");
        if (clip.MediaMetadataJson != "{}") content.Add(Metadata(clip.MediaMetadataJson, inner));
        XmlChildren.Append(resources, Close(text, "asset", content, lead, inner), lead, splices);
        assets.Add(key, id);
        return (id, false);
    }

    private string Format(FrameRate rate, string lead)
    {
        if (resources.All("format").FirstOrDefault(format => format["id"] is not null && FcpxResources.RateOf(format)?.Rate == rate) is { } known) return known["id"]!;
        var id = NewId();
        XmlChildren.Append(resources, $"<format id=\"{id}\" frameDuration=\"{FcpTime.Frames(1, rate).Spell(rate.Numerator)}\"/>", lead, splices);
        return id;
    }

    private string NewId()
    {
        for (var i = resources.Children.Count + 1; ; i++)
        {
            var id = "r" + i.ToString(CultureInfo.InvariantCulture);
            if (!named.Contains(id) && taken.Add(id)) return id;
        }
    }
}
