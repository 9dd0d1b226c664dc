using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Xml;

namespace EditorBridge.Timeline.Mlt;

/// <summary>Who writes an MLT document, and so what else than MLT's own elements belongs to a clip.</summary>
internal enum MltDialect
{
    Plain,
    Shotcut,
    Kdenlive,
}

/// <summary>A track in the document: its place in the tractor and the playlists that hold its clips.</summary>
/// <param name="Number">Its place among the tractor's tracks, the background counted, from 0.</param>
/// <param name="Reference">Its track element in the tractor.</param>
/// <param name="Playlists">Its playlists: one, or in Kdenlive two, between which mixed clips lie.</param>
/// <param name="Tractor">In Kdenlive, the tractor that joins them.</param>
internal sealed record MltTrack(int Number, XmlNode Reference, IReadOnlyList<XmlNode> Playlists, XmlNode? Tractor);

/// <summary>An item in the document.</summary>
/// <param name="Node">Its entry; for a mix of Kdenlive its transition; null for a gap.</param>
/// <param name="Playlist">Which of the track's playlists holds it; -1 when none does.</param>
/// <param name="Place">The frames its entry takes there. They differ from its record range beside transitions.</param>
internal sealed record MltPlace(XmlNode? Node, int Playlist, FrameRange Place);

/// <summary>An MLT XML document: of Shotcut, of Kdenlive (with one timeline, or with sequences), or of melt.</summary>
public sealed class MltDocument : SplicedDocument
{
    private MltDocument(byte[] bytes, XmlNode root, MltIndexer indexer, TimelineIndex index)
        : base(bytes, index)
    {
        Root = root;
        Indexer = indexer;
    }

    /// <inheritdoc/>
    public override string Format => Indexer.Dialect switch
    {
        MltDialect.Shotcut => "MLT XML (Shotcut)",
        MltDialect.Kdenlive => "MLT XML (Kdenlive)",
        _ => "MLT XML",
    };

    /// <summary>Where its user was in Kdenlive; null when it is no project of Kdenlive's.</summary>
    public KdenliveCursor? Cursor => KdenliveCursor.Of(Indexer, Index);

    internal XmlNode Root { get; }

    internal MltIndexer Indexer { get; }

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">Its text, UTF-8. It is not copied.</param>
    /// <param name="root">Its element.</param>
    internal static Outcome<MltDocument> Read(byte[] bytes, XmlNode root)
    {
        var indexer = new MltIndexer(root);
        return indexer.Index().TryGet(out var index, out var refusal) ? new MltDocument(bytes, root, indexer, index) : refusal;
    }

    private protected override Refusal? Splice(TimelineEdit edit, List<TextSplice> splices) => new MltSplicer(this, edit, splices).Splice();

    private protected override IEnumerable<(string Path, Func<string, TextSplice> Spelled)>? MediaPlaces() => string.IsNullOrEmpty(Root["root"]) ? MltPaths.Of(Root) : null;

    private protected override Outcome<SplicedDocument> Reread(byte[] bytes)
    {
        if (!XmlText.Read(bytes).TryGet(out var root, out var refusal)) return refusal;
        return Read(bytes, root).TryGet(out var document, out refusal) ? document : refusal;
    }

    // An entry whose neighbour's transition went is spelled with other ends, so only what it contains is compared byte by byte.
    private protected override ReadOnlyMemory<byte> Spelling(int track, int item) =>
        Indexer.Places[track][item].Node is { } node ? Bytes[node.ContentStart..node.ContentEnd] : default;

    private protected override (string Name, MediaRange Source, string Url) AsRead(NewClip clip) =>
        (clip.Name, MltNewClip.Source(clip, Index.Rate), Indexer.FullResource(MltNewClip.Resource(clip)));
}
