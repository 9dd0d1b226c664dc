using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>Spells new clips. MLT counts every medium from 0, at the sequence rate.</summary>
internal sealed class MltNewClip(MltDocument document)
{
    private readonly MltIndexer indexer = document.Indexer;
    // What is named but not there counts too: it would come to be the new element.
    private readonly HashSet<string> ids = [.. document.Root.SelfAndInner().SelectMany(node => new[] { node["id"], node["producer"] }).OfType<string>()];
    private readonly string? timeExample = document.Root.SelfAndInner().FirstOrDefault(node => node.Name == "entry" && node["out"] is not null)?["out"];
    private readonly string? lengthExample = document.Root.SelfAndInner()
        .FirstOrDefault(node => node.Name == "property" && node["name"] == "length" && node.Parent?.Name is "producer" or "chain")?.Text;
    private readonly bool chains = document.Root.Child("chain") is not null;

    public static MediaRange Source(NewClip clip, FrameRate rate) => new(rate,
        FrameConversion.Exactly(clip.SourceRange.Start - clip.AvailableRange.Start, clip.SourceRange.Rate, rate) ?? -1,
        FrameConversion.Exactly(clip.SourceRange.Duration, clip.SourceRange.Rate, rate) ?? -1);

    /// <summary>How many frames the medium has at a rate.</summary>
    public static long Length(NewClip clip, FrameRate rate) =>
        FrameConversion.Floor(clip.AvailableRange.Duration, clip.AvailableRange.Rate, rate) ?? throw new ArgumentOutOfRangeException(nameof(clip), "The medium has more frames than can be counted.");

    /// <summary>Where the medium is: MLT knows paths, no file URLs.</summary>
    public static string Resource(NewClip clip) =>
        clip.MediaUrl.StartsWith("file:", StringComparison.OrdinalIgnoreCase) && MediaPath.Resolve(clip.MediaUrl, Path.GetTempPath()).TryGet(out var path, out _)
            ? path
            : clip.MediaUrl;

    public string Time(long frames) => MltTime.Spell(frames, indexer.Rate, timeExample);

    public string NewId(string prefix)
    {
        for (var i = 0; ; i++)
        {
            var id = prefix + i.ToString(CultureInfo.InvariantCulture);
            if (ids.Add(id)) return id;
        }
    }

    /// <summary>The definition of a medium, and the id that entries name it by.</summary>
    /// <param name="clip">The clip.</param>
    /// <param name="lead">The line break and indentation of elements beside it.</param>
    /// <param name="kdenliveId">Its number in Kdenlive's bin.</param>
    /// <param name="onTrack">Whether Kdenlive plays it on a track, rather than listing it in the bin.</param>
    /// <param name="isSound">Whether its sound is wanted rather than its pictures.</param>
    public (string Id, string Text) Producer(NewClip clip, string lead, long? kdenliveId = null, bool onTrack = true, bool isSound = false)
    {
        var name = chains ? "chain" : "producer";
        var id = NewId(name);
        var length = Length(clip, indexer.Rate);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"<{name} id=\"{id}\" {(chains ? "" : $"in=\"{Time(0)}\" ")}out=\"{Time(length - 1)}\">");
        void Property(string key, string value) =>
            text.Append(CultureInfo.InvariantCulture, $"{Inner(lead)}<property name=\"{key}\">{XmlText.Escape(value)}</property>");
        Property("length", MltTime.Spell(length, indexer.Rate, lengthExample));
        Property("eof", "pause");
        Property("resource", Resource(clip));
        Property("mlt_service", "avformat-novalidate");
        Property("seekable", "1");
        if (kdenliveId is { } number)
        {
            Property("kdenlive:id", number.ToString(CultureInfo.InvariantCulture));
            Property("kdenlive:clipname", clip.Name);
            Property("kdenlive:clip_type", "2");
            if (onTrack)
            {
                Property("set.test_audio", "1");
                Property("set.test_image", "0");
            }
            else
            {
                Property("kdenlive:folderid", "-1");
                if (indexer.IsSequence) Property("kdenlive:control_uuid", "{" + new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(clip.MediaUrl))[..16]) + "}");
            }
        }
        else
        {
            Property(isSound ? "video_index" : "audio_index", "-1");
            Property(indexer.Dialect == MltDialect.Shotcut ? "shotcut:caption" : "editorbridge:name", clip.Name);
        }

        if (clip.MetadataJson != "{}") Property("editorbridge:metadata", clip.MetadataJson);
        text.Append(CultureInfo.InvariantCulture, $"{lead}</{name}>");
        return (id, text.ToString());
    }

    public string Entry(string id, MediaRange source, string lead, long? kdenliveId = null)
    {
        var tag = $"<entry producer=\"{XmlText.Escape(id)}\" in=\"{Time(source.Start)}\" out=\"{Time(source.End - 1)}\"";
        return kdenliveId is { } number
            ? $"{tag}>{Inner(lead)}<property name=\"kdenlive:id\">{number.ToString(CultureInfo.InvariantCulture)}</property>{lead}</entry>"
            : tag + "/>";
    }

    public string Blank(long frames) => $"<blank length=\"{Time(frames)}\"/>";

    public static string Inner(string lead) => lead.Length == 0 ? "" : lead + (lead.EndsWith('\t') ? "\t" : lead.EndsWith("  ", StringComparison.Ordinal) ? "  " : " ");
}
