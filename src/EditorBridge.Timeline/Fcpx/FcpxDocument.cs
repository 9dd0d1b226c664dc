using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Fcpx;

/// <summary>An FCPXML document (Final Cut Pro, also written by DaVinci Resolve), versions 1.8 to 1.13, with one project.</summary>
public sealed class FcpxDocument : SplicedDocument
{
    private readonly XmlNode root;

    private FcpxDocument(byte[] bytes, XmlNode root, FcpxIndexer indexer, TimelineIndex index)
        : base(bytes, index)
    {
        this.root = root;
        Indexer = indexer;
    }

    /// <inheritdoc/>
    public override string Format => $"FCPXML {root["version"]}";

    internal FcpxIndexer Indexer { get; }

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">Its text, UTF-8. It is not copied.</param>
    /// <param name="root">Its element.</param>
    internal static Outcome<FcpxDocument> Read(byte[] bytes, XmlNode root)
    {
        var indexer = new FcpxIndexer(root);
        return indexer.Index().TryGet(out var index, out var refusal) ? new FcpxDocument(bytes, root, indexer, index) : refusal;
    }

    private protected override Refusal? Splice(TimelineEdit edit, List<TextSplice> splices) => new FcpxSplicer(this, edit, splices).Splice();

    private protected override IEnumerable<(string Path, Func<string, TextSplice> Spelled)> MediaPlaces() =>
        from node in root.SelfAndInner()
        let attribute = node.Name switch { "asset" or "media-rep" => "src", "locator" => "url", _ => null }
        where attribute is not null && node[attribute] is { Length: > 0 }
        select (node[attribute]!, (Func<string, TextSplice>)(path => node.WithAttribute(attribute, path)));

    private protected override Outcome<SplicedDocument> Reread(byte[] bytes)
    {
        if (!XmlText.Read(bytes).TryGet(out var root, out var refusal)) return refusal;
        return Read(bytes, root).TryGet(out var document, out refusal) ? document : refusal;
    }

    // The element without its place and without what is connected to it, which is compared where it lies itself.
    private protected override ReadOnlyMemory<byte> Spelling(int track, int item)
    {
        if (Indexer.Elements[track][item] is not { } element) return default;
        var text = new StringBuilder(element.Node.Name);
        foreach (var attribute in element.Node.Attributes.Where(attribute => attribute.Name != "offset")) text.Append('\n').Append(attribute.Name).Append('=').Append(Text(attribute.ValueStart, attribute.ValueEnd));
        var connected = element.Inner.Select(inner => inner.Node.Start).ToHashSet();
        foreach (var child in element.Node.Children.Where(child => !connected.Contains(child.Start))) text.Append('\n').Append(Text(child.Start, child.End));
        return Encoding.UTF8.GetBytes(text.Append('\n').Append(element.Node.Text.Trim()).ToString());
    }

    private protected override (string Name, MediaRange Source, string Url) AsRead(NewClip clip) => (clip.Name, clip.SourceRange, clip.MediaUrl);

    private string Text(int start, int end) => Encoding.UTF8.GetString(Bytes.Span[start..end]);
}
