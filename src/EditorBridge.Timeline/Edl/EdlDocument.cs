using System.Text;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Edl;

/// <summary>A CMX 3600 edit decision list: one video track, and what it says of sound.</summary>
public sealed class EdlDocument : SplicedDocument
{
    /// <summary>Largest document taken, bytes.</summary>
    public const int MostBytes = 64 << 20;

    private static readonly string[] MediaEndings =
        [".mov", ".mp4", ".m4v", ".mxf", ".avi", ".mkv", ".webm", ".mts", ".m2ts", ".mpg", ".mpeg", ".wav", ".aif", ".aiff", ".mp3", ".r3d", ".braw", ".ari", ".dng", ".dpx", ".exr", ".tif", ".tiff", ".png", ".jpg", ".jpeg"];

    private EdlDocument(byte[] bytes, EdlIndexer indexer, TimelineIndex index)
        : base(bytes, index) => Indexer = indexer;

    /// <inheritdoc/>
    public override string Format => "CMX 3600 EDL";

    internal EdlIndexer Indexer { get; }

    /// <summary>Whether a text begins as an EDL does: with a title, a frame code mode or an event.</summary>
    public static bool LooksLikeEdl(ReadOnlySpan<byte> document)
    {
        if (document is [0xEF, 0xBB, 0xBF, ..]) document = document[3..];
        var text = Encoding.Latin1.GetString(document[..Math.Min(document.Length, 4096)]);
        var line = text.Split((char[])['\n', '\r']).Select(each => each.Trim()).FirstOrDefault(each => each.Length > 0 && each[0] is not ('*' or '#'));
        return line is not null && (line.StartsWith("TITLE:", StringComparison.OrdinalIgnoreCase) || line.StartsWith("FCM:", StringComparison.OrdinalIgnoreCase)
            || (char.IsAsciiDigit(line[0]) && line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Length >= 8));
    }

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">Its text. It is not copied.</param>
    /// <param name="rate">The frame rate, which an EDL does not tell.</param>
    internal static Outcome<EdlDocument> Read(byte[] bytes, FrameRate? rate)
    {
        if (bytes.Length > MostBytes) return new Refusal("DOCUMENT_TOO_LARGE", $"The EDL has {bytes.Length >> 20} MiB; at most {MostBytes >> 20} MiB are read.");
        if (bytes.AsSpan().Contains((byte)0)) return new Refusal("DOCUMENT_MALFORMED", "The EDL is not plain text (UTF-16, perhaps): save it as ASCII or UTF-8.");
        if (rate is not { } known) return new Refusal("RATE_UNKNOWN", "An EDL does not tell its frame rate: give it with --rate, such as --rate 25 or --rate 23.976.");
        var indexer = new EdlIndexer(bytes, known);
        return indexer.Index().TryGet(out var index, out var refusal) ? new EdlDocument(bytes, indexer, index) : refusal;
    }

    /// <summary>The name of a clip that a remark names by a file.</summary>
    internal static string NameOf(string text) => MediaEndings.Contains(Path.GetExtension(text).ToLowerInvariant()) ? Path.GetFileNameWithoutExtension(text) : text;

    /// <summary>Whether a remark names a file.</summary>
    internal static bool IsFile(string text) => MediaEndings.Contains(Path.GetExtension(text).ToLowerInvariant());

    private protected override Refusal? Splice(TimelineEdit edit, List<TextSplice> splices) => new EdlSplicer(this, edit, splices).Splice();

    private protected override Outcome<SplicedDocument> Reread(byte[] bytes) => Read(bytes, Index.Rate).TryGet(out var document, out var refusal) ? document : refusal;

    // What of an event is not its place: reel, source and the remarks.
    private protected override ReadOnlyMemory<byte> Spelling(int track, int item)
    {
        if (Indexer.Places[track][item] is not { } place) return default;
        if (Index.Tracks[track].Items[item].Kind == ItemKind.Transition) return Encoding.UTF8.GetBytes($"{place.Type} {place.Mix}");
        var text = $"{place.Reel} {place.Type} {place.Time(0).Text} {place.Time(1).Text}\n{string.Join('\n', place.Group.Remarks.Select(line => line.Text))}";
        return Encoding.UTF8.GetBytes(text);
    }

    private protected override (string Name, MediaRange Source, string Url) AsRead(NewClip clip)
    {
        var url = EdlSplicer.PathOf(clip);
        return (NameOf(EdlSplicer.ClipNameOf(clip)), clip.SourceRange, url);
    }
}
