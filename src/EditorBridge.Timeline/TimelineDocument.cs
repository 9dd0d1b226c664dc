using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Edl;
using EditorBridge.Timeline.Fcpx;
using EditorBridge.Timeline.Json;
using EditorBridge.Timeline.Mlt;
using EditorBridge.Timeline.Osp;
using EditorBridge.Timeline.Otio;
using EditorBridge.Timeline.Xml;
using EditorBridge.Timeline.Xmeml;

namespace EditorBridge.Timeline;

/// <summary>A document after an edit.</summary>
/// <param name="Document">The new document, read back and checked.</param>
/// <param name="Splices">The spans of the old one that changed, ascending. Every other byte is as it was.</param>
public sealed record EditedTimeline(TimelineDocument Document, IReadOnlyList<TextSplice> Splices);

/// <summary>A timeline document of any format: its bytes, and an index of what they say. It never changes; edits make new ones.</summary>
public abstract class TimelineDocument
{
    private protected TimelineDocument(byte[] bytes, TimelineIndex index)
    {
        Bytes = bytes;
        Index = index;
    }

    /// <summary>The document as it was read.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>What it says.</summary>
    public TimelineIndex Index { get; }

    /// <summary>The name of its format, for people.</summary>
    public abstract string Format { get; }

    /// <summary>Reads a document, telling its format from what it holds.</summary>
    /// <param name="bytes">Its text. Copied.</param>
    /// <param name="rate">The sequence rate, for documents that do not tell it.</param>
    /// <returns>The document, or where and why it cannot be read.</returns>
    public static Outcome<TimelineDocument> Open(ReadOnlySpan<byte> bytes, FrameRate? rate = null)
    {
        if (EdlDocument.LooksLikeEdl(bytes)) return As(EdlDocument.Read(bytes.ToArray(), rate));
        if (!XmlText.LooksLikeXml(bytes)) return OpenJson(bytes, rate);
        var copy = bytes.ToArray();
        if (!XmlText.Read(copy).TryGet(out var root, out var malformed)) return malformed;
        return root.Name switch
        {
            "fcpxml" => As(FcpxDocument.Read(copy, root)),
            "xmeml" => As(XmemlDocument.Read(copy, root)),
            "mlt" or "westley" => As(MltDocument.Read(copy, root)),
            var other => new Refusal("DOCUMENT_UNKNOWN", $"The document is XML of an unknown kind (<{other}>): export FCPXML, FCP7 XML, an EDL, OpenTimelineIO or MLT XML."),
        };
    }

    private static Outcome<TimelineDocument> OpenJson(ReadOnlySpan<byte> bytes, FrameRate? rate)
    {
        if (bytes.TrimStart("\uFEFF \t\r\n"u8) is not [(byte)'{' or (byte)'[', ..] and not [0xFF or 0xFE, ..])
            return new Refusal("DOCUMENT_UNKNOWN", "This is no timeline of a known kind: export FCPXML, FCP7 XML, an EDL, OpenTimelineIO, MLT XML or an OpenShot project.");
        var copy = bytes.ToArray();
        return JsonReader.Read(copy).TryGet(out var root, out _) && OspDocument.IsProject(root) ? As(OspDocument.Read(copy, root)) : As(OtioDocument.Read(bytes, rate));
    }

    private static Outcome<TimelineDocument> As<T>(Outcome<T> read)
        where T : TimelineDocument => read.TryGet(out var document, out var refusal) ? document : refusal;

    /// <summary>Carries an edit out on the document's text.</summary>
    /// <param name="edit">An edit of this document's <see cref="Index"/>.</param>
    /// <returns>The new document, or why its text cannot say what the edit wants; EDIT_UNSAFE where it would not read back as meant.</returns>
    public abstract Outcome<EditedTimeline> Apply(TimelineEdit edit);

    /// <summary>Spells the places of media anew, for a document that moves to another folder.</summary>
    /// <param name="spell">Gives for each place, as the document has it, the new spelling (or the same).</param>
    /// <returns>The new document; null where the document counts its paths from a folder it names itself, names no files, or would not read back.</returns>
    public virtual EditedTimeline? RespellMedia(Func<string, string> spell) => null;
}
