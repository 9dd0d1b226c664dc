using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Xmeml;

/// <summary>An FCP7 XML document (xmeml 4 or 5: Final Cut Pro 7, Premiere, Resolve) with one sequence.</summary>
public sealed class XmemlDocument : SplicedDocument
{
    private readonly XmlNode root;

    private XmemlDocument(byte[] bytes, XmlNode root, XmemlIndexer indexer, TimelineIndex index)
        : base(bytes, index)
    {
        this.root = root;
        Indexer = indexer;
    }

    /// <inheritdoc/>
    public override string Format => $"FCP7 XML (xmeml {root["version"]})";

    internal XmemlIndexer Indexer { get; }

    internal XmlNode Root => root;

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">Its text, UTF-8. It is not copied.</param>
    /// <param name="root">Its element.</param>
    internal static Outcome<XmemlDocument> Read(byte[] bytes, XmlNode root)
    {
        var indexer = new XmemlIndexer(root);
        return indexer.Index().TryGet(out var index, out var refusal) ? new XmemlDocument(bytes, root, indexer, index) : refusal;
    }

    private protected override Refusal? Splice(TimelineEdit edit, List<TextSplice> splices) => new XmemlSplicer(this, edit, splices).Splice();

    private protected override IEnumerable<(string Path, Func<string, TextSplice> Spelled)> MediaPlaces() =>
        root.SelfAndInner().Where(node => node.Name == "pathurl" && node.Children.Count == 0 && node.Text.Trim().Length > 0).Select(node => (node.Text.Trim(), (Func<string, TextSplice>)node.WithText));

    private protected override Outcome<SplicedDocument> Reread(byte[] bytes)
    {
        if (!XmlText.Read(bytes).TryGet(out var root, out var refusal)) return refusal;
        return Read(bytes, root).TryGet(out var document, out refusal) ? document : refusal;
    }

    // Without its place, and without links, which count the places of others.
    private protected override ReadOnlyMemory<byte> Spelling(int track, int item)
    {
        if (Indexer.Places[track][item] is not { } place) return default;
        var text = new StringBuilder();
        foreach (var child in place.Node.Children.Where(child => child.Name is not ("start" or "end" or "link"))) text.Append(Encoding.UTF8.GetString(child.Raw.Span)).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private protected override (string Name, MediaRange Source, string Url) AsRead(NewClip clip) => (clip.Name, clip.SourceRange, Indexer.SpellUrl(clip.MediaUrl));
}
