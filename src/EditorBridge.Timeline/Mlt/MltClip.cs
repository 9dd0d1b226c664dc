using System.Globalization;
using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>A single clip as MLT XML, which is what Shotcut copies to the clipboard and pastes from it.</summary>
/// <param name="Resource">Where its medium is, as it is spelled.</param>
/// <param name="Name">Its name, perhaps empty.</param>
/// <param name="Start">Its first frame in the medium.</param>
/// <param name="Frames">How many frames it has.</param>
public sealed record MltClip(string Resource, string Name, long Start, long Frames)
{
    /// <summary>Reads a copied clip.</summary>
    /// <param name="text">The clipboard's text.</param>
    /// <param name="rate">The rate of the project it was copied in, which the text does not say.</param>
    /// <returns>Null when the text is no MLT XML, or holds no clip or several.</returns>
    public static MltClip? Read(string text, FrameRate rate)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.Contains("<mlt", StringComparison.Ordinal) || !XmlText.Read(Encoding.UTF8.GetBytes(text.Trim())).TryGet(out var root, out _) || root.Name != "mlt") return null;
        var clips = root.Children.Where(child => child.Name is "chain" or "producer").ToList();
        if (clips.Count != 1 || MltIndexer.Property(clips[0], "resource") is not { Length: > 0 } resource) return null;
        var first = MltTime.Parse(clips[0]["in"], rate) ?? 0;
        var last = MltTime.Parse(clips[0]["out"], rate) ?? MltTime.Parse(MltIndexer.Property(clips[0], "length"), rate) - 1;
        return last is { } end && first >= 0 && end >= first ? new MltClip(resource, MltIndexer.Property(clips[0], "shotcut:caption") ?? "", first, end - first + 1) : null;
    }

    /// <summary>Writes a clip for the clipboard.</summary>
    /// <param name="clip">The clip; its ranges are whole frames at the rate.</param>
    /// <param name="rate">The rate of the project it is meant for.</param>
    /// <param name="comment">What Shotcut shows as the clip's comment.</param>
    public static string Write(NewClip clip, FrameRate rate, string comment)
    {
        ArgumentNullException.ThrowIfNull(clip);
        var source = MltNewClip.Source(clip, rate);
        var text = new StringBuilder("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<mlt LC_NUMERIC=\"C\" root=\"\">");
        void Property(string key, string value) => text.Append(CultureInfo.InvariantCulture, $"<property name=\"{key}\">{XmlText.Escape(value)}</property>");
        text.Append(CultureInfo.InvariantCulture, $"<chain id=\"chain0\" in=\"{source.Start}\" out=\"{source.End - 1}\">");
        Property("length", MltNewClip.Length(clip, rate).ToString(CultureInfo.InvariantCulture));
        Property("eof", "pause");
        Property("resource", MltNewClip.Resource(clip));
        Property("mlt_service", "avformat-novalidate");
        Property("seekable", "1");
        Property("audio_index", "-1");
        Property("shotcut:caption", clip.Name);
        Property("shotcut:comment", comment);
        if (clip.MetadataJson != "{}") Property("editorbridge:metadata", clip.MetadataJson);
        return text.Append("</chain></mlt>\n").ToString();
    }
}
