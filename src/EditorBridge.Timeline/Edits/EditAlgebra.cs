namespace EditorBridge.Timeline.Edits;

/// <summary>
/// Edits of a timeline, by OpenTimelineIO's names. Each answers what the tracks shall hold, or why it would do damage; nothing
/// here knows a document format. Audio tracks change only where all tracks ripple.
/// </summary>
public static class EditAlgebra
{
    /// <summary>
    /// Puts a clip over a range of a track. What lies under it gives way: items across an end of the range are split.
    /// </summary>
    /// <param name="index">The timeline.</param>
    /// <param name="track">A video track of it.</param>
    /// <param name="range">Where, in frames of the sequence.</param>
    /// <param name="clip">The clip; as long as the range.</param>
    /// <param name="onlyIfFree">Refuse when anything but gaps would give way.</param>
    public static Outcome<TimelineEdit> Overwrite(TimelineIndex index, Track track, FrameRange range, NewClip clip, bool onlyIfFree = false)
    {
        ArgumentNullException.ThrowIfNull(clip);
        if (CheckClip(index, clip, range) is { } badClip) return badClip;
        if (!Clear(index, track, range, onlyIfFree).TryGet(out var pieces, out var refusal)) return refusal;
        pieces = TrackPieces.Replace(pieces, range, new ClipPiece(clip, range.Duration));
        return On(track, pieces, range, $"'{clip.Name}' takes {Span(index, range)} on {track.Label}; the item is video only.");
    }

    /// <summary>Fills a gap exactly.</summary>
    /// <param name="index">The timeline.</param>
    /// <param name="track">The track of the gap.</param>
    /// <param name="gap">The gap.</param>
    /// <param name="clip">The clip; as long as the gap.</param>
    public static Outcome<TimelineEdit> Fill(TimelineIndex index, Track track, TrackGap gap, NewClip clip)
    {
        ArgumentNullException.ThrowIfNull(gap);
        return Overwrite(index, track, gap.Range, clip, onlyIfFree: true);
    }

    /// <summary>Puts a clip after the last item of a track.</summary>
    /// <param name="index">The timeline.</param>
    /// <param name="track">A video track of it.</param>
    /// <param name="clip">The clip.</param>
    public static Outcome<TimelineEdit> Append(TimelineIndex index, Track track, NewClip clip)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(track);
        ArgumentNullException.ThrowIfNull(clip);
        if (FrameConversion.Exactly(clip.SourceRange.Duration, clip.SourceRange.Rate, index.Rate) is not { } frames) return OffGrid(index, clip);
        return Overwrite(index, track, new FrameRange(track.Duration, frames), clip, onlyIfFree: true);
    }

    /// <summary>Opens room at a frame of a track, moving what follows on every track, and puts a clip there.</summary>
    /// <param name="index">The timeline.</param>
    /// <param name="track">A video track of it.</param>
    /// <param name="at">The clip's first frame. An item of <paramref name="track"/> across it is split.</param>
    /// <param name="clip">The clip.</param>
    /// <param name="cutOthers">Split items of other tracks that lie across the frame, instead of refusing.</param>
    public static Outcome<TimelineEdit> Insert(TimelineIndex index, Track track, long at, NewClip clip, bool cutOthers = false)
    {
        ArgumentNullException.ThrowIfNull(clip);
        ArgumentNullException.ThrowIfNull(index);
        if (FrameConversion.Exactly(clip.SourceRange.Duration, clip.SourceRange.Rate, index.Rate) is not { } frames) return OffGrid(index, clip);
        var range = new FrameRange(at, frames);
        if (CheckClip(index, clip, range) is { } badClip) return badClip;
        if (CheckTrack(index, track) is { } badTrack) return badTrack;
        if (TrackPieces.TransitionIn(index, track, new FrameRange(at, 0)) is { } transition) return transition;
        if (!TrackPieces.Cut(index, track, TrackPieces.Of(track), at).TryGet(out var pieces, out var refusal)) return refusal;
        pieces = TrackPieces.Replace(pieces, new FrameRange(at, 0), new ClipPiece(clip, frames));
        return Ripple(index, track, pieces, at, frames, cutOthers,
            new TimelineEdit
            {
                Changes = [],
                TrackIndex = track.Index,
                TrackNumber = track.Number,
                RecordRange = range,
                Description = $"'{clip.Name}' is inserted at {index.Label(at)} on {track.Label}; everything after it moves {Frames(frames)} later on every track.",
            });
    }

    /// <summary>
    /// Puts a clip on the lowest video track above another on which nothing hides it (<see cref="FreeTrackAbove"/>), or on a new one in front of all.
    /// </summary>
    /// <param name="index">The timeline.</param>
    /// <param name="below">The track it must be above; null for anywhere.</param>
    /// <param name="range">Where.</param>
    /// <param name="clip">The clip; as long as the range.</param>
    public static Outcome<TimelineEdit> PlaceAbove(TimelineIndex index, Track? below, FrameRange range, NewClip clip)
    {
        ArgumentNullException.ThrowIfNull(clip);
        if (FreeTrackAbove(index, below, range) is { } free) return Overwrite(index, free, range, clip, onlyIfFree: true);
        if (CheckClip(index, clip, range) is { } badClip) return badClip;
        if (index.HasOneVideoTrack)
            return new Refusal("ONE_TRACK", "This format has one video track, so nothing can lie above it: choose a gap, or convert the timeline first (editorbridge timeline convert).");
        var videoTracks = index.VideoTracks.ToList();
        var place = index.TracksAreLayers ? index.Tracks.Count : videoTracks.Count == 0 ? 0 : videoTracks[^1].Index + 1;
        var number = videoTracks.Count + 1;
        List<TrackPiece> pieces = [new ClipPiece(clip, range.Duration)];
        if (range.Start > 0) pieces.Insert(0, new GapPiece(range.Start));
        return new TimelineEdit
        {
            Changes = [new TrackChange(null, NameFor(videoTracks, number), place, pieces)],
            TrackIndex = place,
            TrackNumber = number,
            RecordRange = range,
            AddsTrack = true,
            Description = $"'{clip.Name}' takes {Span(index, range)} on a new track V{number}; the item is video only.",
        };
    }

    /// <summary>
    /// The lowest video track above <paramref name="below"/>, and above everything that is seen in a range, with nothing in that range (transitions at its edges counted): what is put there is hidden
    /// by nothing. Tracks that are switched off hide nothing, and show nothing either. Null when there is none.
    /// </summary>
    public static Track? FreeTrackAbove(TimelineIndex index, Track? below, FrameRange range)
    {
        ArgumentNullException.ThrowIfNull(index);
        var seen = index.VideoTracks.Where(track => track.Enabled && !Gaps.IsFree(track, range)).Select(track => track.Index);
        var lowest = seen.Append(below?.Index ?? -1).Max();
        return index.VideoTracks.FirstOrDefault(track => track.Index > lowest && track.Enabled && Gaps.IsFree(track, range) && TrackPieces.TransitionIn(index, track, range) is null);
    }

    /// <summary>Lets a clip show more of its medium.</summary>
    /// <param name="index">The timeline.</param>
    /// <param name="track">Its track.</param>
    /// <param name="item">A clip of the track.</param>
    /// <param name="frames">How many frames more; no more than its handle.</param>
    /// <param name="atHead">At its first frame rather than its last.</param>
    /// <param name="ripple">Move what follows on every track, instead of taking the frames from the gap beside it.</param>
    /// <param name="known">What the medium holds beyond the clip, for those who looked into the file; null to go by the document.</param>
    public static Outcome<TimelineEdit> TrimOut(
        TimelineIndex index, Track track, TrackItem item, long frames, bool atHead = false, bool ripple = false, Handles? known = null)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (CheckTrack(index, track) is { } badTrack) return badTrack;
        if (frames <= 0) return new Refusal("RANGE_EMPTY", "There is nothing to do: the number of frames must be 1 or more.");
        if ((known ?? Handles.Of(item, index.Rate)) is not { } handles || item.ChangesTime || item.SourceRange is not { } source)
            return new Refusal("NO_HANDLES", $"{item.Label} cannot be trimmed out: the timeline does not say what its media holds, or its speed is changed.");
        var left = atHead ? handles.Head : handles.Tail;
        if (left < frames)
            return new Refusal("NO_HANDLES", $"{item.Label} has {Frames(left)} of media left at its {(atHead ? "head" : "tail")}, not {frames}.");
        if (FrameConversion.Exactly(frames, index.Rate, source.Rate) is null)
            return new Refusal("OFF_GRID", $"{Frames(frames)} at {index.Rate} are no whole number of frames of {item.Label}, which runs at {source.Rate}.");

        var edge = atHead ? item.RecordRange.Start : item.RecordRange.End;
        var range = ripple ? new FrameRange(edge, 0) : atHead ? new FrameRange(edge - frames, frames) : new FrameRange(edge, frames);
        Outcome<List<TrackPiece>> cleared = ripple
            ? TrackPieces.TransitionIn(index, track, range) is { } transition ? transition : TrackPieces.Of(track)
            : Clear(index, track, range, onlyIfFree: true);
        if (!cleared.TryGet(out var pieces, out var refusal)) return refusal;
        if (!ripple && range.Start < track.Duration) pieces = TrackPieces.Replace(pieces, range, null);
        var place = pieces.FindIndex(piece => piece is KeptPiece kept && kept.Item.Index == item.Index);
        pieces[place] = new KeptPiece(item, atHead ? -frames : 0, item.RecordRange.Duration + frames);
        var uncovered = ripple ? new FrameRange(edge, frames) : range;
        var description = $"{item.Label} is trimmed out by {Frames(frames)} of its own media at its {(atHead ? "head" : "tail")} on {track.Label}; nothing is generated"
            + (ripple ? ", and everything after it moves on every track." : ".");
        return ripple
            ? Ripple(index, track, pieces, edge, frames, cutOthers: false, new TimelineEdit
            {
                Changes = [],
                TrackIndex = track.Index,
                TrackNumber = track.Number,
                RecordRange = uncovered,
                Description = description,
            })
            : On(track, pieces, uncovered, description);
    }

    private static Outcome<List<TrackPiece>> Clear(TimelineIndex index, Track track, FrameRange range, bool onlyIfFree)
    {
        if (CheckTrack(index, track) is { } badTrack) return badTrack;
        if (CheckRange(range) is { } badRange) return badRange;
        if (onlyIfFree && track.Items.FirstOrDefault(item => item.Kind is not (ItemKind.Gap or ItemKind.Transition) && item.RecordRange.Overlaps(range)) is { } inWay)
        {
            return new Refusal("OCCUPIED", $"{Span(index, range)} on {track.Label} is occupied by {inWay.Label} "
                + $"({index.Label(inWay.RecordRange.Start)} to {index.Label(inWay.RecordRange.End)}): choose another track or range.");
        }

        if (TrackPieces.TransitionIn(index, track, range) is { } transition) return transition;
        if (!TrackPieces.Cut(index, track, TrackPieces.Of(track), range.Start).TryGet(out var pieces, out var refusal)) return refusal;
        return TrackPieces.Cut(index, track, pieces, range.End);
    }

    private static Outcome<TimelineEdit> Ripple(TimelineIndex index, Track edited, List<TrackPiece> editedPieces, long at, long frames, bool cutOthers, TimelineEdit edit)
    {
        var changes = new List<TrackChange>();
        foreach (var track in index.Tracks)
        {
            if (track.Index == edited.Index)
            {
                changes.Add(new TrackChange(track, null, track.Index, editedPieces));
                continue;
            }

            if (track.Problem is { } problem)
                return problem with { Message = $"Everything on every track has to move, but {char.ToLowerInvariant(problem.Message[0])}{problem.Message[1..]}" };
            if (at >= track.Duration) continue;
            if (track.Items.FirstOrDefault(item => item.Kind == ItemKind.Transition && (item.Cut == at || (item.RecordRange.Start < at && item.RecordRange.End > at))) is not null)
                return new Refusal("RIPPLE_REFUSED", $"A transition on {track.Label} lies across {index.Label(at)}, where every track has to open: remove it or place the clip above.");
            if (!cutOthers && track.Items.FirstOrDefault(item => item.Kind is ItemKind.Clip or ItemKind.Nested && item.RecordRange.Start < at && item.RecordRange.End > at) is { } across)
            {
                return new Refusal("RIPPLE_REFUSED",
                    $"{across.Label} on {track.Label} runs across {index.Label(at)}, where every track has to open, and would be cut: place the clip above instead.");
            }

            if (!TrackPieces.Cut(index, track, TrackPieces.Of(track), at).TryGet(out var pieces, out var refusal)) return refusal;
            // A gap across the frame was cut for nothing: opened, its halves are one longer gap again.
            if (track.Items.FirstOrDefault(item => item.Kind == ItemKind.Gap && item.RecordRange.Start < at && item.RecordRange.End > at) is { } gap)
            {
                pieces = TrackPieces.Of(track);
                pieces[gap.Index] = new KeptPiece(gap, 0, gap.RecordRange.Duration + frames);
            }
            else
            {
                pieces = TrackPieces.Open(pieces, at, frames);
            }

            changes.Add(new TrackChange(track, null, track.Index, pieces));
        }

        return edit with { Changes = changes, Ripple = new RippleShift(at, frames) };
    }

    private static TimelineEdit On(Track track, List<TrackPiece> pieces, FrameRange range, string description) => new()
    {
        Changes = [new TrackChange(track, null, track.Index, pieces)],
        TrackIndex = track.Index,
        TrackNumber = track.Number,
        RecordRange = range,
        Description = description,
    };

    private static Refusal? CheckTrack(TimelineIndex index, Track track)
    {
        ArgumentNullException.ThrowIfNull(index);
        ArgumentNullException.ThrowIfNull(track);
        if (track.Problem is { } problem) return problem;
        return track.Kind == TrackKind.Video
            ? null
            : new Refusal("TRACK_NOT_EDITABLE", $"{track.Label} is not a video track.");
    }

    private static Refusal? CheckRange(FrameRange range) => range switch
    {
        { IsEmpty: true } => new Refusal("RANGE_EMPTY", "The range has no frames: its out point must come after its in point."),
        { Start: < 0 } => new Refusal("RANGE_OUTSIDE", "The range begins before the timeline."),
        { Start: > FrameRange.MostFrames } or { Duration: > FrameRange.MostFrames } => new Refusal("RANGE_OUTSIDE", "The range lies beyond the frames that can be counted."),
        _ => null,
    };

    private static Refusal? CheckClip(TimelineIndex index, NewClip clip, FrameRange range)
    {
        ArgumentNullException.ThrowIfNull(index);
        if (CheckRange(range) is { } badRange) return badRange;
        var frames = FrameConversion.Exactly(clip.SourceRange.Duration, clip.SourceRange.Rate, index.Rate);
        if (frames is null) return OffGrid(index, clip);
        if (frames != range.Duration)
            return new Refusal("LENGTH_MISMATCH", $"'{clip.Name}' has {Frames(frames.Value)}, but the range has {range.Duration}.");
        return clip.AvailableRange.Rate == clip.SourceRange.Rate
            && clip.SourceRange.Start >= clip.AvailableRange.Start && clip.SourceRange.End <= clip.AvailableRange.End
            ? null
            : new Refusal("LENGTH_MISMATCH", $"'{clip.Name}' uses frames that its media does not hold.");
    }

    private static Refusal OffGrid(TimelineIndex index, NewClip clip) => new("OFF_GRID",
        $"'{clip.Name}' lasts {Frames(clip.SourceRange.Duration)} at {clip.SourceRange.Rate}, which is no whole number of frames at the timeline's {index.Rate}.");

    // V1, V2 → V3; "Video 1" → "Video 2"; anything else → V and the number.
    private static string NameFor(List<Track> videoTracks, int number)
    {
        var own = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (videoTracks.Count > 0)
        {
            var last = videoTracks[^1].Name;
            var previous = (number - 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
            if (last.EndsWith(previous, StringComparison.Ordinal) && last.Length > previous.Length && !char.IsAsciiDigit(last[^(previous.Length + 1)]))
                return last[..^previous.Length] + own;
        }

        return "V" + own;
    }

    private static string Span(TimelineIndex index, FrameRange range) => $"{index.Label(range.Start)} to {index.Label(range.End)} ({Frames(range.Duration)})";

    private static string Frames(long frames) => frames == 1 ? "1 frame" : $"{frames} frames";
}
