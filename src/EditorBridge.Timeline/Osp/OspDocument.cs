using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Json;

namespace EditorBridge.Timeline.Osp;

/// <summary>An OpenShot project (.osp).</summary>
public sealed class OspDocument : SplicedDocument
{
    private OspDocument(byte[] bytes, JsonValue root, OspIndexer indexer, TimelineIndex index)
        : base(bytes, index)
    {
        Root = root;
        Indexer = indexer;
    }

    /// <inheritdoc/>
    public override string Format => "OpenShot project";

    internal JsonValue Root { get; }

    internal OspIndexer Indexer { get; }

    /// <summary>Whether a JSON document is a project of OpenShot.</summary>
    internal static bool IsProject(JsonValue root) => root["clips"] is { Kind: JsonKind.Array } && root["layers"] is { Kind: JsonKind.Array } && root["fps"] is { Kind: JsonKind.Object };

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">Its text, UTF-8. It is not copied.</param>
    /// <param name="root">Its value.</param>
    internal static Outcome<OspDocument> Read(byte[] bytes, JsonValue root)
    {
        var indexer = new OspIndexer(root);
        return indexer.Index().TryGet(out var index, out var refusal) ? new OspDocument(bytes, root, indexer, index) : refusal;
    }

    private protected override Refusal? Splice(TimelineEdit edit, List<TextSplice> splices) => new OspSplicer(this, edit, splices).Splice();

    private protected override IEnumerable<(string Path, Func<string, TextSplice> Spelled)> MediaPlaces() => Places(Root);

    // What OpenShot itself counts from the project's folder, wherever it stands; a path that begins with '@' is of its own collections.
    private static IEnumerable<(string Path, Func<string, TextSplice> Spelled)> Places(JsonValue node)
    {
        foreach (var (name, _, value) in node.Members)
        {
            if (name is "path" or "image" && value.AsString() is { Length: > 0 } path)
            {
                if (path[0] != '@') yield return (path, now => new TextSplice(value.Start, value.End - value.Start, Encoding.UTF8.GetBytes(JsonTextWriter.Quote(now))));
                continue;
            }

            foreach (var place in Places(value)) yield return place;
        }

        foreach (var place in node.Items.SelectMany(Places)) yield return place;
    }

    private protected override Outcome<SplicedDocument> Reread(byte[] bytes)
    {
        if (!JsonReader.Read(bytes).TryGet(out var root, out var refusal)) return refusal;
        return Read(bytes, root).TryGet(out var document, out refusal) ? document : refusal;
    }

    private protected override ReadOnlyMemory<byte> Spelling(int track, int item)
    {
        if (Indexer.Places[track][item] is not { } place) return default;
        var text = new StringBuilder();
        foreach (var member in place.Node.Members.Where(member => member.Name != "position")) text.Append(member.Name).Append('=').Append(Encoding.UTF8.GetString(member.Value.Raw.Span)).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private protected override (string Name, MediaRange Source, string Url) AsRead(NewClip clip) => (clip.Name, Mlt.MltNewClip.Source(clip, Index.Rate), Mlt.MltNewClip.Resource(clip));
}
