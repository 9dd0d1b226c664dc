using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Json;
using EditorBridge.Timeline.Mlt;

namespace EditorBridge.Timeline.Osp;

/// <summary>Carries an edit out on the text of an OpenShot project.</summary>
internal sealed class OspSplicer(OspDocument document, TimelineEdit edit, List<TextSplice> splices)
{
    // What a clip has in OpenShot when nobody has changed anything: fitted, in the middle, opaque, at its own speed, sound and picture as the file has them.
    private static readonly (string Name, string Value)[] Settings =
        [("anchor", "0"), ("display", "0"), ("gravity", "4"), ("mixing", "0"), ("parentObjectId", "\"\""), ("scale", "1"), ("waveform", "false")];

    private static readonly (string Name, string Value)[] Curves =
    [
        ("alpha", "1.0"), ("location_x", "0.0"), ("location_y", "0.0"), ("origin_x", "0.5"), ("origin_y", "0.5"), ("rotation", "0.0"), ("scale_x", "1.0"), ("scale_y", "1.0"),
        ("shear_x", "0.0"), ("shear_y", "0.0"), ("time", "1.0"), ("volume", "1.0"), ("channel_filter", "-1.0"), ("channel_mapping", "-1.0"), ("has_audio", "-1.0"), ("has_video", "-1.0"),
        ("perspective_c1_x", "-1.0"), ("perspective_c1_y", "-1.0"), ("perspective_c2_x", "-1.0"), ("perspective_c2_y", "-1.0"),
        ("perspective_c3_x", "-1.0"), ("perspective_c3_y", "-1.0"), ("perspective_c4_x", "-1.0"), ("perspective_c4_y", "-1.0"),
    ];

    private const int IdLength = 10;

    private readonly OspIndexer indexer = document.Indexer;
    private readonly byte[] bytes = document.Bytes.ToArray();
    private readonly List<string> newClips = [];
    private readonly List<string> newFiles = [];
    private readonly HashSet<JsonValue> gone = [];
    private Dictionary<string, string>? fileIds;
    private HashSet<string>? ids;

    public Refusal? Splice()
    {
        foreach (var change in edit.Changes)
        {
            if (SpliceTrack(change) is { } refusal) return refusal;
        }

        if (edit.Ripple is { } ripple) MoveMasksAndMarkers(ripple);
        var clips = document.Root["clips"]!;
        var style = StyleOf(clips);
        for (var i = 0; i < clips.Items.Count; i++)
        {
            if (!gone.Contains(clips.Items[i])) continue;
            var first = i;
            while (i + 1 < clips.Items.Count && gone.Contains(clips.Items[i + 1])) i++;
            var last = i + 1 == clips.Items.Count;
            JsonList.Replace(bytes, clips, first, i + 1 - first, last ? newClips : [], style, splices);
            if (last) newClips.Clear();
        }

        JsonList.Replace(bytes, clips, clips.Items.Count, 0, newClips, style, splices);
        if (newFiles.Count > 0)
        {
            if (document.Root["files"] is not { Kind: JsonKind.Array } files) return new Refusal("DOCUMENT_MALFORMED", "The project has no list of files: open it in OpenShot and save it again.");
            JsonList.Replace(bytes, files, files.Items.Count, 0, newFiles, StyleOf(files), splices);
        }

        var end = edit.Changes.Select(change => TrackPieces.DurationOf(change.Pieces)).DefaultIfEmpty(0).Max();
        if (end > document.Index.Duration && document.Root["duration"] is { } duration && indexer.Frames(duration) < end) SetTime(duration, end, splices);
        return null;
    }

    private JsonStyle StyleOf(JsonValue list) => JsonStyle.Of(bytes, list.Items.Count > 0 ? list.Items[0] : null, document.Root["clips"]!.Items.Count > 0 ? document.Root["clips"]!.Items[0] : null, document.Root);

    private string IndentOf(JsonValue list) => list.Items.Count > 0 ? JsonStyle.LineIndent(bytes, list.Items[0].Start) : JsonList.InnerIndent(bytes, list, StyleOf(list));

    private Refusal? SpliceTrack(TrackChange change)
    {
        var layer = change.Track is null ? AddLayer(change.NewTrackName!) : indexer.Layers[change.Track.Index].Number;
        var places = change.Track is null ? [] : indexer.Places[change.Track.Index];
        var staying = new HashSet<JsonValue>();
        var at = 0L;
        foreach (var piece in change.Pieces)
        {
            var range = new FrameRange(at, piece.Duration);
            at = range.End;
            if (piece is ClipPiece { Clip: var clip }) AddClip(clip, range, layer, (change.Track?.Kind ?? change.NewTrackKind) == TrackKind.Audio);
            if (piece is not KeptPiece { Item: { Kind: not (ItemKind.Gap or ItemKind.Transition) } item } part || places[item.Index] is not { } place) continue;
            // An end that stays as it was keeps what a transition there lengthened it by.
            var first = part.Offset == 0 ? place.Place.Start - item.RecordRange.Start : 0;
            var end = part.Offset + part.Duration;
            var last = end == item.RecordRange.Duration ? place.Place.End - item.RecordRange.End : 0;
            if (TrackPieces.OnlyMixLeft(change.Track!, part) is { } refusal) return refusal;
            var start = place.Start + (item.RecordRange.Start - place.Place.Start) + part.Offset + first;
            var edits = new List<TextSplice>();
            SetTime(place.Node["position"]!, range.Start + first, edits);
            SetTime(place.Node["start"]!, start, edits);
            SetTime(place.Node["end"]!, start + part.Duration - first + last, edits);
            if (staying.Add(place.Node))
            {
                splices.AddRange(edits);
                continue;
            }

            if (place.Node["id"] is { } id) edits.Add(new TextSplice(id.Start, id.End - id.Start, Encoding.UTF8.GetBytes($"\"{NewId($"{id.AsString()} {range.Start}")}\"")));
            var copy = TextSplice.Apply(place.Node.Raw.Span, [.. edits.OrderBy(splice => splice.Start).Select(splice => splice with { Start = splice.Start - place.Node.Start })]);
            newClips.Add(Encoding.UTF8.GetString(copy));
        }

        foreach (var item in change.Track?.Items ?? [])
        {
            if (places[item.Index] is not { } place) continue;
            var kept = change.Pieces.OfType<KeptPiece>().Where(part => part.Item.Index == item.Index).Sum(part => part.Duration);
            if (kept < item.RecordRange.Duration && CarriesSound(place.Node))
                return new Refusal("LINKED_AUDIO", $"{item.Label} on {change.Track!.Label} carries its sound in the same clip, which would be cut with it: place the clip above, or separate the sound in OpenShot.");
            if (!staying.Contains(place.Node)) gone.Add(place.Node);
        }

        return null;
    }

    private static bool CarriesSound(JsonValue clip)
    {
        // 0 and 1 say no and yes; -1 leaves it to the file.
        if (clip["has_audio"]?["Points"]?.Items is [{ } only] && only["co"]?["Y"]?.AsNumber() is { } said && said >= 0) return said != 0;
        return clip["reader"]?["has_audio"]?.AsBoolean() != false;
    }

    private long AddLayer(string name)
    {
        var layers = document.Root["layers"]!;
        var number = indexer.Layers.Count == 0 ? 1_000_000 : indexer.Layers[^1].Number + 1_000_000;
        var writer = new JsonTextWriter(StyleOf(layers), IndentOf(layers)).Open('{')
            .Name("id").String(NewId($"layer {number}")).Name("label").String(indexer.Layers.Exists(layer => layer.Node["label"]?.AsString() is { Length: > 0 }) ? name : "")
            .Name("number").Raw(number.ToString(CultureInfo.InvariantCulture)).Name("y").Raw("0").Name("lock").Raw("false").Close('}');
        JsonList.Replace(bytes, layers, layers.Items.Count, 0, [writer.ToString()], StyleOf(layers), splices);
        return number;
    }

    private void AddClip(NewClip clip, FrameRange range, long layer, bool isSound)
    {
        var path = MltNewClip.Resource(clip);
        fileIds ??= FileIds();
        if (!fileIds.TryGetValue(path, out var fileId))
        {
            fileIds.Add(path, fileId = NewId("file " + path));
            var files = document.Root["files"] ?? document.Root["clips"]!;
            var writer = Reader(new JsonTextWriter(StyleOf(files), IndentOf(files)).Open('{').Name("id").String(fileId).Name("media_type").String(isSound ? "audio" : "video"), clip, path, isSound);
            newFiles.Add(writer.Close('}').ToString());
        }

        var clips = document.Root["clips"]!;
        var source = MltNewClip.Source(clip, indexer.Rate);
        var text = new JsonTextWriter(StyleOf(clips), IndentOf(clips)).Open('{')
            .Name("id").String(NewId($"{path} {range.Start} {layer}"))
            .Name("file_id").String(fileId)
            .Name("title").String(clip.Name)
            .Name("layer").Raw(layer.ToString(CultureInfo.InvariantCulture))
            .Name("position").Raw(indexer.Seconds(range.Start))
            .Name("start").Raw(indexer.Seconds(source.Start))
            .Name("end").Raw(indexer.Seconds(source.End))
            // Of the whole medium: an end can be dragged no further.
            .Name("duration").Raw(Held(clip))
            .Name("effects").Open('[').Close(']');
        // OpenShot looks for all of these when somebody fades, moves or scales the clip.
        foreach (var (name, value) in Settings) text.Name(name).Raw(value);
        foreach (var (name, value) in Curves)
        {
            text.Name(name).Open('{').Name("Points").Open('[').Open('{').Name("co").Open('{').Name("X").Raw("1.0").Name("Y").Raw(value).Close('}').Name("interpolation").Raw("2")
                .Close('}').Close(']').Close('}');
        }

        if (clip.MetadataJson != "{}")
        {
            using var metadata = System.Text.Json.JsonDocument.Parse(clip.MetadataJson);
            text.Name("metadata").Value(metadata.RootElement);
        }

        newClips.Add(Reader(text.Name("reader").Open('{'), clip, path, isSound).Close('}').Close('}').ToString());
    }

    private Dictionary<string, string> FileIds()
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in document.Root["files"]?.Items ?? [])
        {
            if (file["path"]?.AsString() is { } path && file["id"]?.AsString() is { } id) known.TryAdd(path, id);
        }

        return known;
    }

    private JsonTextWriter Reader(JsonTextWriter writer, NewClip clip, string path, bool isSound)
    {
        var held = clip.AvailableRange;
        void Fraction(string name, long numerator, long denominator) => writer.Name(name).Open('{')
            .Name("num").Raw(numerator.ToString(CultureInfo.InvariantCulture)).Name("den").Raw(denominator.ToString(CultureInfo.InvariantCulture)).Close('}');
        writer.Name("path").String(path).Name("type").String("FFmpegReader");
        foreach (var name in new[] { "width", "height" })
        {
            if (document.Root[name] is { Kind: JsonKind.Number } size) writer.Name(name).Raw(size.RawText);
        }

        Fraction("fps", held.Rate.Numerator, held.Rate.Denominator);
        Fraction("video_timebase", held.Rate.Denominator, held.Rate.Numerator);
        Fraction("audio_timebase", 1, 1);
        Fraction("pixel_ratio", 1, 1);
        Fraction("display_ratio", 16, 9);
        writer.Name("duration").Raw(Held(clip)).Name("video_length").String(held.Duration.ToString(CultureInfo.InvariantCulture))
            .Name("has_video").Raw(isSound ? "false" : "true").Name("has_audio").Raw(isSound ? "true" : "false").Name("has_single_image").Raw("false")
            .Name("interlaced_frame").Raw("false").Name("top_field_first").Raw("true")
            .Name("vcodec").String("").Name("acodec").String("").Name("file_size").String("0")
            .Name("video_bit_rate").Raw("0").Name("audio_bit_rate").Raw("0").Name("sample_rate").Raw("0").Name("channels").Raw("0").Name("channel_layout").Raw("0")
            .Name("video_stream_index").Raw("-1").Name("audio_stream_index").Raw("-1").Name("pixel_format").Raw("-1").Name("metadata").Open('{').Close('}');
        return writer;
    }

    private static string Held(NewClip clip) =>
        ((double)((decimal)clip.AvailableRange.Duration * clip.AvailableRange.Rate.Denominator / clip.AvailableRange.Rate.Numerator)).ToString("R", CultureInfo.InvariantCulture);

    private void MoveMasksAndMarkers(RippleShift ripple)
    {
        foreach (var placed in (document.Root["effects"]?.Items ?? []).Concat(document.Root["markers"]?.Items ?? []))
        {
            if (placed["position"] is { } position && indexer.Frames(position) is { } frame && frame >= ripple.At) SetTime(position, frame + ripple.Frames, splices);
        }
    }

    private void SetTime(JsonValue value, long frames, List<TextSplice> edits)
    {
        if (indexer.Frames(value) != frames) edits.Add(new TextSplice(value.Start, value.End - value.Start, Encoding.UTF8.GetBytes(indexer.Seconds(frames))));
    }

    // Ten letters and digits, as OpenShot makes them at random; here the same edit makes the same ones.
    private string NewId(string from)
    {
        ids ??= Ids();
        for (var i = 0; ; i++)
        {
            var id = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{from} {i}")))[..IdLength];
            if (ids.Add(id)) return id;
        }
    }

    // Whatever in the project is written like one.
    private HashSet<string> Ids()
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        for (var rest = bytes.AsSpan(); rest.IndexOf((byte)'"') is >= 0 and var quote; rest = rest[(quote + 1)..])
        {
            if (rest.Length > quote + IdLength + 1 && rest[quote + IdLength + 1] == '"') found.Add(Encoding.UTF8.GetString(rest.Slice(quote + 1, IdLength)));
        }

        return found;
    }
}
