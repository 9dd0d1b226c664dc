using System.Text;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Json;

namespace EditorBridge.Timeline.Otio;

/// <summary>A document after an edit.</summary>
/// <param name="Document">The new document, read back and checked.</param>
/// <param name="Splices">The spans of the old one that changed, ascending. Every other byte is as it was.</param>
public sealed record OtioEdited(OtioDocument Document, IReadOnlyList<TextSplice> Splices);

/// <summary>Carries edits out on the text of a document.</summary>
public sealed class OtioSplicer
{
    private readonly OtioDocument document;
    private readonly byte[] bytes;
    private readonly OtioItemText items;
    private readonly List<TextSplice> splices = [];

    private OtioSplicer(OtioDocument document)
    {
        this.document = document;
        bytes = document.Bytes.ToArray();
        items = new OtioItemText(document);
    }

    /// <summary>Carries an edit out.</summary>
    /// <param name="document">The document whose index the edit was made on.</param>
    /// <param name="edit">The edit.</param>
    /// <returns>The new document, or why its text cannot say what the edit wants; EDIT_UNSAFE where it would not read back as meant.</returns>
    public static Outcome<OtioEdited> Apply(OtioDocument document, TimelineEdit edit)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(edit);
        var splicer = new OtioSplicer(document);
        if (splicer.Splice(edit) is { } refusal) return refusal;
        // Only the order of insertions at one byte matters, and a stable sort keeps it.
        var ordered = splicer.splices.OrderBy(splice => splice.Start).ToList();
        var text = TextSplice.Apply(splicer.bytes, ordered);
        try
        {
            if (!OtioDocument.Read(text, document.Index.Rate).TryGet(out var result, out var unreadable)) throw new ReadBackDiffers(unreadable.Message.TrimEnd('.'));
            OtioCheck.Edited(document, edit, result);
            return new OtioEdited(result, ordered);
        }
        catch (ReadBackDiffers difference)
        {
            return difference.Refusal;
        }
    }

    private Refusal? Splice(TimelineEdit edit)
    {
        foreach (var change in edit.Changes)
        {
            if (change.Track is null)
            {
                if (document.IsTrimmed is { } trimmed) return trimmed;
                AddTrack(change);
                continue;
            }

            if (SpliceTrack(document.TrackNodes[change.Track.Index], change.Pieces) is { } refusal) return refusal;
        }

        return edit.Ripple is { } shift ? MoveMarkers(shift) : null;
    }

    private void AddTrack(TrackChange change)
    {
        var stack = document.Timeline["tracks"]!;
        var list = stack["children"]!;
        var nodes = document.TrackNodes;
        var example = change.Index > 0 ? nodes[change.Index - 1] : nodes.Count > 0 ? nodes[0] : null;
        var style = JsonStyle.Of(bytes, example, stack, document.Root);
        var indent = example is null ? InnerIndent(list, style) : JsonStyle.LineIndent(bytes, example.Start);
        var text = items.Track(style, indent, change);
        ReplaceRun(list, change.Index, 0, [text], style);
    }

    private Refusal? SpliceTrack(JsonValue track, IReadOnlyList<TrackPiece> pieces)
    {
        if (track["children"] is not { Kind: JsonKind.Array } list)
            return new Refusal("TRACK_NOT_EDITABLE", "The track has no list of children in the document.");
        var style = JsonStyle.Of(bytes, list.Items.Count > 0 ? list.Items[0] : null, track, document.Root);
        var indent = list.Items.Count > 0 ? JsonStyle.LineIndent(bytes, list.Items[0].Start) : InnerIndent(list, style);
        var next = 0;
        var pending = new List<string>();
        foreach (var piece in pieces)
        {
            if (piece is KeptPiece kept && kept.Item.Index >= next)
            {
                ReplaceRun(list, next, kept.Item.Index - next, pending, style);
                pending = [];
                next = kept.Item.Index + 1;
                if (!EditsOf(list.Items[kept.Item.Index], kept).TryGet(out var edits, out var refusal)) return refusal;
                splices.AddRange(edits);
            }
            else if (piece is KeptPiece again)
            {
                // The second half of a split item: the same text once more, with the other half's range.
                var node = list.Items[again.Item.Index];
                if (node.Raw.Span.IndexOf("\"OTIO_REF_ID\""u8) >= 0)
                    return new Refusal("ITEM_UNKNOWN", $"{again.Item.Label} cannot be cut: the document refers to it from elsewhere.");
                if (!EditsOf(node, again).TryGet(out var edits, out var refusal)) return refusal;
                var copy = TextSplice.Apply(node.Raw.Span, [.. edits.Select(edit => edit with { Start = edit.Start - node.Start })]);
                pending.Add(Encoding.UTF8.GetString(copy));
            }
            else
            {
                pending.Add(items.Piece(style, indent, piece));
            }
        }

        ReplaceRun(list, next, list.Items.Count - next, pending, style);
        return null;
    }

    private void ReplaceRun(JsonValue list, int at, int removed, List<string> texts, JsonStyle style) => JsonList.Replace(bytes, list, at, removed, texts, style, splices);

    private Outcome<List<TextSplice>> EditsOf(JsonValue node, KeptPiece piece)
    {
        var edits = new List<TextSplice>();
        if (piece.IsWhole) return edits;
        var rate = document.Index.Rate;
        var item = piece.Item;
        var isGap = item.Kind == ItemKind.Gap;
        if (node["source_range"] is { Kind: JsonKind.Object } range && OtioTimeRange.Read(range) is { } times)
        {
            if (piece.Duration != item.RecordRange.Duration)
            {
                if (FrameConversion.Exactly(piece.Duration, rate, times.Duration.Rate) is not { } duration) return OffGrid(item, times.Duration.Rate);
                edits.Add(Number(times.Duration.ValueNode, duration));
            }

            if (piece.Offset != 0 && !isGap)
            {
                if (times.Start.Whole is not { } start || FrameConversion.Exactly(piece.Offset, rate, times.Start.Rate) is not { } offset)
                    return OffGrid(item, times.Start.Rate);
                edits.Add(Number(times.Start.ValueNode, start + offset));
            }

            edits.Sort((one, other) => one.Start.CompareTo(other.Start));
            return edits;
        }

        // Without a source_range the item shows all of its medium: say now which part.
        MediaRange part;
        if (isGap)
        {
            part = new MediaRange(rate, 0, piece.Duration);
        }
        else
        {
            if (item.SourceRange is not { } whole || FrameConversion.Exactly(piece.Offset, rate, whole.Rate) is not { } offset
                || FrameConversion.Exactly(piece.Duration, rate, whole.Rate) is not { } duration)
                return OffGrid(item, item.SourceRange?.Rate ?? rate);
            part = new MediaRange(whole.Rate, whole.Start + offset, duration);
        }

        var style = JsonStyle.Of(bytes, node);
        var indent = style.NewLine.Length > 0 ? JsonStyle.LineIndent(bytes, node.Members[0].NameStart) : "";
        var text = items.Range(style, indent, part);
        if (node["source_range"] is { } none)
        {
            edits.Add(new TextSplice(none.Start, none.End - none.Start, Encoding.UTF8.GetBytes(text)));
        }
        else
        {
            var separator = style.NewLine.Length > 0 ? "," + Text(node.Start + 1, node.Members[0].NameStart) : style.Comma;
            edits.Add(new TextSplice(node.Members[0].Value.End, 0, Encoding.UTF8.GetBytes($"{separator}\"source_range\"{style.Colon}{text}")));
        }

        return edits;
    }

    private Refusal? MoveMarkers(RippleShift shift)
    {
        foreach (var owner in document.TrackNodes.Prepend(document.Timeline["tracks"]!))
        {
            foreach (var marker in owner["markers"]?.Items ?? [])
            {
                if (OtioTimeRange.Read(marker["marked_range"]) is not { Start: var start }) continue;
                var rate = document.Index.Rate;
                if (start.Whole is { } place && FrameConversion.Floor(place, start.Rate, rate) is { } at && at < shift.At) continue;
                if (start.Whole is not { } frame || FrameConversion.Exactly(shift.Frames, rate, start.Rate) is not { } by)
                    return new Refusal("OFF_GRID", $"The marker '{marker["name"]?.AsString()}' is counted at {start.Rate} and cannot move by {shift.Frames} frames exactly: remove it first.");
                splices.Add(Number(start.ValueNode, frame + by));
            }
        }

        return null;
    }

    private static Refusal OffGrid(TrackItem item, FrameRate rate) => new("OFF_GRID",
        $"{item.Label} counts its media at {rate}, where the new boundary is no whole frame: choose another range.");

    private static TextSplice Number(JsonValue node, long value) =>
        new(node.Start, node.End - node.Start, Encoding.UTF8.GetBytes(OtioItemText.SpellLike(node.RawText, value)));

    private string InnerIndent(JsonValue list, JsonStyle style) => JsonList.InnerIndent(bytes, list, style);

    private string Text(int start, int end) => Encoding.UTF8.GetString(bytes, start, end - start);
}
