using System.Globalization;
using System.Text;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Timeline.Edl;

/// <summary>Carries an edit out on the text of an EDL.</summary>
internal sealed class EdlSplicer
{
    private const string FromClip = "FROM CLIP NAME:";
    private const string ToClip = "TO CLIP NAME:";

    private readonly EdlDocument document;
    private readonly EdlIndexer indexer;
    private readonly TimelineEdit edit;
    private readonly List<TextSplice> splices;
    private readonly FrameRate rate;
    private readonly string newLine;
    private readonly EdlEvent example;
    private readonly Dictionary<EdlEvent, long> recordStarts = [];
    private readonly List<(long At, byte[] Text)> added = [];
    private readonly HashSet<string> reels;
    private readonly HashSet<EdlEvent> changed = [];
    private readonly bool isMarked;
    private long lastNumber;

    public EdlSplicer(EdlDocument document, TimelineEdit edit, List<TextSplice> splices)
    {
        (this.document, this.edit, this.splices) = (document, edit, splices);
        indexer = document.Indexer;
        rate = document.Index.Rate;
        example = indexer.Events.FirstOrDefault(each => each.HasPicture) ?? indexer.Events.First();
        var line = indexer.Lines.FirstOrDefault(line => line.End > line.ContentEnd);
        newLine = line is null ? "\n" : Encoding.ASCII.GetString(indexer.Bytes, line.ContentEnd, line.End - line.ContentEnd);
        lastNumber = indexer.Events.Max(each => long.TryParse(each.Number, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0);
        isMarked = indexer.Events.Any(each => each.Words.Any(word => word.Text.Contains(';', StringComparison.Ordinal)));
        reels = [.. indexer.Events.Select(each => each.Reel.ToUpperInvariant())];
    }

    /// <summary>What the remarks of a new clip call it: its file, by which programs find it.</summary>
    public static string ClipNameOf(NewClip clip)
    {
        var path = PathOf(clip);
        return OneLine(path.Length > 0 && Path.GetFileName(path) is { Length: > 0 } file ? file : clip.Name);
    }

    /// <summary>Where a new clip's medium is: an EDL knows paths, no file URLs.</summary>
    public static string PathOf(NewClip clip) => OneLine(
        clip.MediaUrl.StartsWith("file:", StringComparison.OrdinalIgnoreCase) && MediaPath.Resolve(clip.MediaUrl, Path.GetTempPath()).TryGet(out var path, out _) ? path : clip.MediaUrl);

    public Refusal? Splice()
    {
        if (edit.Changes.Any(change => change.Track is null))
            return new Refusal("ONE_TRACK", "An EDL has one video track, so nothing can lie above it: choose a gap, or convert the timeline first (editorbridge timeline convert).");
        foreach (var change in edit.Changes)
        {
            if (SpliceTrack(change) is { } refusal) return refusal;
        }

        var end = edit.Changes.Max(change => TrackPieces.DurationOf(change.Pieces));
        if (indexer.StartFrame + end >= 86400L * rate.Nominal) return new Refusal("RANGE_OUTSIDE", "The timeline would run past 24 hours of timecode, which an EDL cannot write.");
        foreach (var (each, start) in recordStarts) SetRecord(each, new FrameRange(start, each.Record.Duration), splices);
        InsertAdded();
        return null;
    }

    private Refusal? SpliceTrack(TrackChange change)
    {
        var places = indexer.Places[change.Track!.Index];
        var isVideo = change.Track.Kind == TrackKind.Video;
        var parts = new Dictionary<EdlEvent, List<(KeptPiece Piece, FrameRange Range)>>();
        var at = 0L;
        foreach (var piece in change.Pieces)
        {
            var range = new FrameRange(indexer.StartFrame + at, piece.Duration);
            at += piece.Duration;
            if (piece is ClipPiece { Clip: var clip }) added.Add((range.Start, NewEvent(clip, range)));
            if (piece is not KeptPiece { Item: { Kind: not ItemKind.Transition } item } part || places[item.Index] is not { } each) continue;
            if (!parts.TryGetValue(each, out var list)) parts.Add(each, list = []);
            list.Add((part, range));
        }

        foreach (var each in places.OfType<EdlEvent>().Distinct())
        {
            var list = parts.GetValueOrDefault(each) ?? [];
            if (list is [{ Piece.IsWhole: true } whole])
            {
                if (whole.Range.Start == each.Record.Start) continue;
                if (recordStarts.TryGetValue(each, out var other) && other != whole.Range.Start) return Apart(each, change.Track);
                recordStarts[each] = whole.Range.Start;
                // The cut of no frames that a dissolve comes from goes with it.
                foreach (var from in each.Group.Events.Where(from => from.Record.IsEmpty && from.Record.Start == each.Record.Start)) recordStarts[from] = whole.Range.Start;
                continue;
            }

            // A line of several channels changes once for all of them.
            if (!isVideo && (each.HasPicture || !changed.Add(each))) continue;
            if (Change(each, list, isVideo) is { } refusal) return refusal;
        }

        return null;
    }

    private static Refusal Apart(EdlEvent each, Track track) =>
        new("LINKED_AUDIO", $"Event {each.Number} on {track.Label} carries picture and sound, which would come apart: choose a range outside it.");

    /// <summary>Changes an event to the parts that are left of it. The sound in the same line stays as it is, in that line.</summary>
    private Refusal? Change(EdlEvent each, List<(KeptPiece Piece, FrameRange Range)> parts, bool isVideo)
    {
        if (parts.Exists(part => HidesItsCount(each, part.Piece)))
        {
            return new Refusal("TIMECODE_AMBIGUOUS", $"The source of event {each.Number} counts non-drop in a drop-frame list that marks neither, and once cut nothing would say so: "
                + "export the list with ';' in its drop-frame times, or choose a range outside the event.");
        }

        var lost = parts.Sum(part => part.Piece.Duration) < each.Record.Duration;
        var keepsSound = isVideo && each.HasSound && lost;
        if (keepsSound)
        {
            var channels = each.Channels switch { "B" => "A", var both => both.Replace("/V", "", StringComparison.Ordinal).Replace("V", "", StringComparison.Ordinal) };
            splices.Add(Put(each.Words[2], channels, keepWidth: true));
        }

        for (var i = 0; i < parts.Count; i++)
        {
            var (piece, range) = parts[i];
            var edits = new List<TextSplice>();
            SetTime(each.Time(0), each.Source.Start + piece.Offset, each.SourceDrops, edits);
            SetTime(each.Time(1), each.Source.Start + piece.Offset + piece.Duration, each.SourceDrops, edits);
            SetRecord(each, range, edits);
            if (i == 0 && !keepsSound)
            {
                splices.AddRange(edits);
                foreach (var from in each.Group.Events.Where(from => from.Record.IsEmpty && from.Record.Start == each.Record.Start && from.Record.Start != range.Start)) recordStarts[from] = range.Start;
                continue;
            }

            edits.Add(Put(each.Words[0], NextNumber(each.Number.Length), keepWidth: false));
            if (keepsSound) edits.Add(Put(each.Words[2], "V", keepWidth: true));
            // Only the first part begins with the transition.
            if (piece.Offset != 0 && each.Mix > 0)
            {
                edits.Add(Put(each.Words[3], "C", keepWidth: true));
                edits.Add(Put(each.Words[4], "", keepWidth: true));
            }

            var text = new List<byte>(Apply(each.Line, edits));
            foreach (var remark in each.Group.Remarks) text.AddRange(Remark(remark, fromMix: piece.Offset != 0 && each.Mix > 0 && each.Group.Remark(ToClip) is not null));
            added.Add((range.Start, [.. text]));
        }

        if (parts.Count > 0 || keepsSound) return null;
        Remove(each.Line);
        if (each.Group.Events.Count == 1) each.Group.Remarks.ForEach(Remove);
        return null;
    }

    // Such a source is known by a label that drop-frame leaves out; with other labels it would be read as drop-frame.
    private bool HidesItsCount(EdlEvent each, KeptPiece part)
    {
        if (isMarked || !document.Index.DropFrame || each.SourceDrops || part.IsWhole) return false;
        return new[] { part.Offset, part.Offset + part.Duration }.All(at => Timecode.Parse(new Timecode(each.Source.Start + at, rate).ToString(), rate, dropFrame: true).TryGet(out _, out _));
    }

    /// <summary>A remark once more. Without its dissolve an event comes from the clip that the dissolve led to.</summary>
    private byte[] Remark(EdlLine line, bool fromMix)
    {
        var text = indexer.Bytes[line.Start..line.ContentEnd];
        if (fromMix && line.Text.TrimStart('*', ' ', '\t').StartsWith(FromClip, StringComparison.OrdinalIgnoreCase)) return [];
        var to = fromMix ? Encoding.Latin1.GetString(text).IndexOf(ToClip, StringComparison.OrdinalIgnoreCase) : -1;
        if (to >= 0) text = [.. text[..to], .. Encoding.ASCII.GetBytes(FromClip), .. text[(to + ToClip.Length)..]];
        return [.. Encoding.ASCII.GetBytes(newLine), .. text];
    }

    private void Remove(EdlLine line) => splices.Add(new TextSplice(line.Start, line.End - line.Start, default));

    private byte[] Apply(EdlLine line, List<TextSplice> edits)
    {
        var raw = indexer.Bytes.AsSpan(line.Start, line.ContentEnd - line.Start);
        return TextSplice.Apply(raw, [.. edits.OrderBy(splice => splice.Start).Select(splice => splice with { Start = splice.Start - line.Start })]);
    }

    /// <summary>Puts new events where their time is: before the first event that begins later.</summary>
    private void InsertAdded()
    {
        var lineBreak = Encoding.ASCII.GetBytes(newLine);
        foreach (var (at, text) in added.OrderBy(entry => entry.At))
        {
            var next = indexer.Groups.Find(group => group.Events.TrueForAll(each => (recordStarts.TryGetValue(each, out var moved) ? moved : each.Record.Start) >= at));
            if (next is not null)
            {
                splices.Add(new TextSplice(next.Events[0].Line.Start, 0, (byte[])[.. text, .. lineBreak]));
                continue;
            }

            var end = indexer.Groups[^1].End;
            var ends = indexer.Bytes[end - 1] is (byte)'\n' or (byte)'\r';
            splices.Add(new TextSplice(end, 0, ends ? (byte[])[.. text, .. lineBreak] : [.. lineBreak, .. text]));
        }
    }

    private byte[] NewEvent(NewClip clip, FrameRange range)
    {
        var edits = new List<TextSplice>
        {
            Put(example.Words[0], NextNumber(example.Number.Length), keepWidth: false),
            Put(example.Words[1], EdlReel.NameOf(clip.Reel ?? clip.Name, "GEN", reels), keepWidth: true),
            Put(example.Words[2], "V", keepWidth: true),
            Put(example.Words[3], "C", keepWidth: true),
        };
        for (var i = 4; i < example.Words.Count - 4; i++) edits.Add(Put(example.Words[i], "", keepWidth: true));
        // A new clip counts as the list does, whatever the reel beside it does.
        SetTime(example.Time(0), clip.SourceRange.Start, document.Index.DropFrame, edits);
        SetTime(example.Time(1), clip.SourceRange.End, document.Index.DropFrame, edits);
        SetRecord(example, range, edits);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{newLine}* FROM CLIP NAME: {ClipNameOf(clip)}");
        if (PathOf(clip) is { Length: > 0 } path) text.Append(CultureInfo.InvariantCulture, $"{newLine}* SOURCE FILE: {path}");
        if (clip.MetadataJson != "{}") text.Append(CultureInfo.InvariantCulture, $"{newLine}* COMMENT: {OneLine(clip.MetadataJson)}");
        return [.. Apply(example.Line, edits), .. Encoding.UTF8.GetBytes(text.ToString())];
    }

    private string NextNumber(int width) => (++lastNumber).ToString(CultureInfo.InvariantCulture).PadLeft(width, '0');

    private void SetRecord(EdlEvent each, FrameRange range, List<TextSplice> edits)
    {
        SetTime(each.Time(2), range.Start, document.Index.DropFrame, edits);
        SetTime(each.Time(3), range.End, document.Index.DropFrame, edits);
    }

    private void SetTime(EdlWord word, long frame, bool drop, List<TextSplice> edits)
    {
        var text = new Timecode(frame, rate, drop).ToString();
        // Lists that say drop-frame in their head only go on doing so.
        if (drop && !isMarked) text = text.Replace(';', ':');
        if (text != word.Text) edits.Add(new TextSplice(word.Start, word.End - word.Start, Encoding.ASCII.GetBytes(text)));
    }

    /// <summary>Puts a word in another's place, in its columns where there is room.</summary>
    private TextSplice Put(EdlWord word, string text, bool keepWidth)
    {
        var end = word.End;
        if (!keepWidth) return new TextSplice(word.Start, end - word.Start, Encoding.UTF8.GetBytes(text));
        var spaces = 0;
        while (indexer.Bytes[end + spaces] == ' ') spaces++;
        // A longer word takes from the spaces after it, all but one.
        var longer = Math.Clamp(text.Length - (end - word.Start), 0, Math.Max(0, spaces - 1));
        return new TextSplice(word.Start, end - word.Start + longer, Encoding.UTF8.GetBytes(text.PadRight(end - word.Start)));
    }

    private static string OneLine(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter));
}
