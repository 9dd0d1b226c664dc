using System.Globalization;
using System.Text.Json;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Json;

namespace EditorBridge.Timeline.Otio;

/// <summary>Writes new children for a document, spelled and laid out as the document does it.</summary>
internal sealed class OtioItemText
{
    private readonly string rateSpelling;
    private readonly FrameRate rate;
    private readonly bool decimals;
    private readonly bool clipsHaveOneReference;

    public OtioItemText(OtioDocument document)
    {
        rate = document.Index.Rate;
        var example = Times(document.Timeline, 0).FirstOrDefault(time => time.Rate == rate);
        rateSpelling = example?.RateNode.RawText ?? SpellRate(rate);
        decimals = example is null || IsDecimal(example.ValueNode.RawText);
        var clips = document.TrackNodes.SelectMany(track => track["children"]?.Items ?? []).Select(OtioIndexer.SchemaOf).ToHashSet();
        clipsHaveOneReference = clips.Contains("Clip.1") && !clips.Contains("Clip.2");
    }

    /// <summary>A whole number of frames, spelled as another number of the document is: with a decimal point or without.</summary>
    public static string SpellLike(string example, long value) =>
        value.ToString(CultureInfo.InvariantCulture) + (IsDecimal(example) ? ".0" : "");

    public string Track(JsonStyle style, string indent, TrackChange change)
    {
        var writer = new JsonTextWriter(style, indent).Open('{');
        writer.Name("OTIO_SCHEMA").String("Track.1");
        Item(writer, change.NewTrackName!, "{}", null);
        writer.Name("children").Open('[');
        foreach (var piece in change.Pieces) Write(writer, piece);
        return writer.Close(']').Name("kind").String(change.NewTrackKind == TrackKind.Audio ? "Audio" : "Video").Close('}').ToString();
    }

    public string Piece(JsonStyle style, string indent, TrackPiece piece)
    {
        var writer = new JsonTextWriter(style, indent);
        Write(writer, piece);
        return writer.ToString();
    }

    public string Range(JsonStyle style, string indent, MediaRange range)
    {
        var writer = new JsonTextWriter(style, indent);
        Range(writer, range);
        return writer.ToString();
    }

    private static bool IsDecimal(string number) => number.AsSpan().IndexOfAny(".eE") >= 0;

    private static string SpellRate(FrameRate rate)
    {
        var text = ((double)rate.Numerator / rate.Denominator).ToString("R", CultureInfo.InvariantCulture);
        return text.Contains('.', StringComparison.Ordinal) ? text : text + ".0";
    }

    private static IEnumerable<OtioTime> Times(JsonValue node, int depth)
    {
        if (depth > JsonReader.MostDepth) yield break;
        if (node.Kind == JsonKind.Object && OtioTime.Read(node) is { } time) yield return time;
        foreach (var member in node.Members)
        {
            foreach (var inner in Times(member.Value, depth + 1)) yield return inner;
        }

        foreach (var item in node.Items)
        {
            foreach (var inner in Times(item, depth + 1)) yield return inner;
        }
    }

    private void Write(JsonTextWriter writer, TrackPiece piece)
    {
        writer.Open('{');
        switch (piece)
        {
            case GapPiece gap:
                writer.Name("OTIO_SCHEMA").String("Gap.1");
                Item(writer, "", "{}", new MediaRange(rate, 0, gap.Duration));
                break;
            case ClipPiece { Clip: var clip }:
                writer.Name("OTIO_SCHEMA").String(clipsHaveOneReference ? "Clip.1" : "Clip.2");
                Item(writer, clip.Name, clip.MetadataJson, clip.SourceRange);
                if (clipsHaveOneReference)
                {
                    Reference(writer.Name("media_reference"), clip, "", clip.MediaUrl, clip.MediaMetadataJson);
                }
                else
                {
                    writer.Name("media_references").Open('{').Name("DEFAULT_MEDIA");
                    Reference(writer, clip, "", clip.MediaUrl, clip.MediaMetadataJson);
                    foreach (var other in clip.OtherMedia) Reference(writer.Name(other.Key), clip, other.Name, other.MediaUrl, other.MetadataJson);
                    writer.Close('}').Name("active_media_reference_key").String("DEFAULT_MEDIA");
                }

                break;
            default:
                throw new ArgumentException("Only new pieces are written.", nameof(piece));
        }

        writer.Close('}');
    }

    private void Item(JsonTextWriter writer, string name, string metadata, MediaRange? range)
    {
        writer.Name("metadata");
        Metadata(writer, metadata);
        writer.Name("name").String(name).Name("source_range");
        if (range is { } frames) Range(writer, frames);
        else writer.Raw("null");
        writer.Name("effects").Open('[').Close(']').Name("markers").Open('[').Close(']').Name("enabled").Raw("true");
    }

    private void Reference(JsonTextWriter writer, NewClip clip, string name, string url, string metadata)
    {
        writer.Open('{').Name("OTIO_SCHEMA").String("ExternalReference.1").Name("metadata");
        Metadata(writer, metadata);
        Range(writer.Name("name").String(name).Name("available_range"), clip.AvailableRange);
        if (!clipsHaveOneReference) writer.Name("available_image_bounds").Raw("null");
        writer.Name("target_url").String(url).Close('}');
    }

    private void Range(JsonTextWriter writer, MediaRange range)
    {
        writer.Open('{').Name("OTIO_SCHEMA").String("TimeRange.1");
        Time(writer.Name("duration"), range.Duration, range.Rate);
        Time(writer.Name("start_time"), range.Start, range.Rate);
        writer.Close('}');
    }

    private void Time(JsonTextWriter writer, long frames, FrameRate at) => writer.Open('{')
        .Name("OTIO_SCHEMA").String("RationalTime.1")
        .Name("rate").Raw(at == rate ? rateSpelling : SpellRate(at))
        .Name("value").Raw(frames.ToString(CultureInfo.InvariantCulture) + (decimals ? ".0" : ""))
        .Close('}');

    private static void Metadata(JsonTextWriter writer, string json)
    {
        using var parsed = JsonDocument.Parse(json);
        if (parsed.RootElement.ValueKind != JsonValueKind.Object) throw new ArgumentException("Metadata is a JSON object.", nameof(json));
        writer.Value(parsed.RootElement);
    }
}
