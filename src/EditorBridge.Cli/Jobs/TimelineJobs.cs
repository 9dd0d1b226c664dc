using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Edits;
using FrameRange = EditorBridge.Timeline.FrameRange;

namespace EditorBridge.Cli.Jobs;

/// <summary>Turns the words of the command line into places on the timeline. Nothing but the document is looked at.</summary>
internal static class TimelineJobs
{
    // How long a still stands when nothing is said, in seconds.
    private const int StillSeconds = 5;

    public static Outcome<IReadOnlyList<TimelineJob>> Find(TimelineIndex index, JobArguments arguments)
    {
        var jobs = arguments.Kind switch
        {
            JobSpec.Types.Kind.Broll or JobSpec.Types.Kind.Still => Over(index, arguments),
            JobSpec.Types.Kind.Restyle or JobSpec.Types.Kind.Inpaint or JobSpec.Types.Kind.Outpaint => OverClip(index, arguments),
            JobSpec.Types.Kind.Extend when arguments.Loop => Loop(index, arguments),
            JobSpec.Types.Kind.Extend => Extend(index, arguments),
            _ => Fill(index, arguments),
        };
        if (!jobs.TryGet(out var found, out var refusal)) return refusal;
        // With a stand-in of the right length every obstacle shows before a frame is made.
        foreach (var job in found)
        {
            if (job.Place(index, StandIn(index, job.RecordRange)).Refusal is { } inWay) return inWay;
        }

        return new Outcome<IReadOnlyList<TimelineJob>>(found);
    }

    public static NewClip StandIn(TimelineIndex index, FrameRange range)
    {
        var media = new MediaRange(index.Rate, 0, range.Duration);
        return new NewClip { Name = "the new clip", MediaUrl = "", AvailableRange = media, SourceRange = media };
    }

    private static Outcome<List<TimelineJob>> Over(TimelineIndex index, JobArguments arguments)
    {
        Track? track = null;
        if (arguments.Track is { } number && !index.FindVideoTrack(number).TryGet(out track, out var noTrack)) return noTrack;
        FrameRange range;
        if (arguments.Clip is { } name)
        {
            if (!Gaps.FindClip(index, name, track).TryGet(out var clip, out var noClip)) return noClip;
            range = clip.Item.RecordRange;
            track = null;
        }
        else if (arguments.In is null && arguments.Gap is { } gapNumber)
        {
            if (!GapTrack(index, arguments).TryGet(out var gapTrack, out var noGapTrack)) return noGapTrack;
            if (!Gaps.Find(gapTrack, gapNumber).TryGet(out var gap, out var noGap)) return noGap;
            (track, range) = (gapTrack, gap.Range);
        }
        else
        {
            var frames = arguments.Kind == JobSpec.Types.Kind.Still ? StillSeconds * index.Rate.Nominal : (long?)null;
            if (!Range(index, arguments, frames).TryGet(out range, out var badRange)) return badRange;
        }

        // A range past the end has no pictures to lie over.
        if (range.End > index.Duration)
        {
            return new Timeline.Refusal("RANGE_OUTSIDE",
                $"{index.Label(range.Start)} to {index.Label(range.End)} reaches outside the timeline, which runs from {index.Label(0)} to {index.Label(index.Duration)}.");
        }

        // Nothing can lie above the only track: pictures are cut into it, as is usual there.
        var cutsIn = track is null && index.HasOneVideoTrack && Lowest(index) is { } only && !Gaps.IsFree(only, range);
        return new List<TimelineJob>
        {
            new()
            {
                Kind = arguments.Kind,
                RecordRange = range,
                Notices = cutsIn ? ["This format has one video track, so the new clip takes the place of what lies there; sound stays."] : [],
                Place = (now, clip) => cutsIn
                    ? EditAlgebra.Overwrite(now, Lowest(now)!, range, clip)
                    : track is null
                    ? EditAlgebra.PlaceAbove(now, Lowest(now), range, clip)
                    : EditAlgebra.Overwrite(now, now.Tracks[track.Index], range, clip, onlyIfFree: true),
            },
        };
    }

    // A clip made anew, above the one it comes from.
    private static Outcome<List<TimelineJob>> OverClip(TimelineIndex index, JobArguments arguments)
    {
        if (!FindClip(index, arguments).TryGet(out var clip, out var noClip)) return noClip;
        var (track, item) = clip;
        if (track.Problem is { } problem) return problem;
        var range = item.RecordRange;
        if (arguments.In is not null && (arguments.OutPoint is not null || arguments.Frames is not null) && !Range(index, arguments, null).TryGet(out range, out var badRange)) return badRange;
        if (range.Start < item.RecordRange.Start || range.End > item.RecordRange.End)
        {
            return new Timeline.Refusal("RANGE_OUTSIDE",
                $"{index.Label(range.Start)} to {index.Label(range.End)} reaches outside {item.Label}, which runs from {index.Label(item.RecordRange.Start)} to {index.Label(item.RecordRange.End)}.");
        }

        return new List<TimelineJob>
        {
            new()
            {
                Kind = arguments.Kind,
                RecordRange = range,
                Source = item,
                SourceOffset = range.Start - item.RecordRange.Start,
                Place = (now, made) => EditAlgebra.PlaceAbove(now, now.Tracks[track.Index], range, made),
            },
        };
    }

    // Frames after a clip's end that lead back into its start.
    private static Outcome<List<TimelineJob>> Loop(TimelineIndex index, JobArguments arguments)
    {
        if (!FindClip(index, arguments).TryGet(out var clip, out var noClip)) return noClip;
        var (track, item) = clip;
        if (track.Problem is { } problem) return problem;
        var edge = item.RecordRange.End;
        if (WhyNotFrom(index, arguments, track, item, edge) is { } mixed) return mixed;
        if (!ExtensionFrames(index, arguments, edge).TryGet(out var frames, out var noFrames)) return noFrames;
        var range = ExtensionRange(edge, frames, head: false, arguments.Place == PlaceRule.Ripple);
        var free = arguments.Place is null or PlaceRule.Gap && EditAlgebra.Overwrite(index, track, range, StandIn(index, range), onlyIfFree: true).Refusal is null;
        return new List<TimelineJob> { ExtensionJob(arguments, track, item, edge, range, free) with { After = item, TrimOut = null, Loop = true } };
    }

    private static Outcome<List<TimelineJob>> Extend(TimelineIndex index, JobArguments arguments)
    {
        if (!FindClip(index, arguments).TryGet(out var clip, out var noClip)) return noClip;
        var (track, item) = clip;
        if (track.Problem is { } problem) return problem;
        var edge = arguments.Head ? item.RecordRange.Start : item.RecordRange.End;
        if (WhyNotFrom(index, arguments, track, item, edge) is { } mixed) return mixed;
        if (!ExtensionFrames(index, arguments, edge).TryGet(out var frames, out var noFrames)) return noFrames;
        var rule = arguments.Place ?? PlaceRule.Gap;
        var ripple = rule == PlaceRule.Ripple;
        var range = ExtensionRange(edge, frames, arguments.Head, ripple);
        if (range.Start < 0)
        {
            return new Timeline.Refusal("RANGE_OUTSIDE",
                $"{item.Label} starts {edge} frames into the timeline, so {frames} frames do not fit before it: ask for fewer or use --place ripple.");
        }

        var gapIsFree = rule == PlaceRule.Gap && EditAlgebra.Overwrite(index, track, range, StandIn(index, range), onlyIfFree: true).Refusal is null;
        var whole = ExtensionJob(arguments, track, item, edge, range, gapIsFree);
        if (arguments.Generate) return new List<TimelineJob> { whole };
        return new List<TimelineJob>
        {
            whole with
            {
                Split = held =>
                {
                    // Rippled frames at a clip's head push the clip on, so the rest goes to the same place as all of it would have.
                    var rest = arguments.Head ? ripple ? edge : edge - held : edge + held;
                    return (ExtensionJob(arguments, track, item, edge, ExtensionRange(edge, held, arguments.Head, ripple), gapIsFree),
                        ExtensionJob(arguments, track, item, rest, ExtensionRange(rest, frames - held, arguments.Head, ripple), gapIsFree) with { TrimOut = null });
                },
            },
        };
    }

    // The picture there is half another's: frames that went on from it would begin with a jump. Above is where somebody sent them.
    private static Timeline.Refusal? WhyNotFrom(TimelineIndex index, JobArguments arguments, Track track, TrackItem item, long edge) =>
        arguments.Place is not PlaceRule.Above && track.Items.FirstOrDefault(other => other.Kind == ItemKind.Transition
            && (other.Cut == edge || (other.RecordRange.Start < edge && edge < other.RecordRange.End))) is { } mix
            ? new Timeline.Refusal("TRANSITION_IN_WAY", $"{item.Label} has a transition at that end ({index.Label(mix.RecordRange.Start)} to {index.Label(mix.RecordRange.End)}): remove it first, or use --place above.")
            : null;

    private static FrameRange ExtensionRange(long edge, long frames, bool head, bool ripple) =>
        head && !ripple ? new FrameRange(edge - frames, frames) : new FrameRange(edge, frames);

    private static TimelineJob ExtensionJob(JobArguments arguments, Track track, TrackItem item, long edge, FrameRange range, bool gapIsFree)
    {
        var rule = arguments.Place ?? PlaceRule.Gap;
        var ripple = rule == PlaceRule.Ripple;
        Outcome<TimelineEdit> Place(TimelineIndex now, NewClip clip) => rule switch
        {
            PlaceRule.Ripple => EditAlgebra.Insert(now, now.Tracks[track.Index], edge, clip),
            PlaceRule.Gap when gapIsFree => EditAlgebra.Overwrite(now, now.Tracks[track.Index], range, clip, onlyIfFree: true),
            _ => EditAlgebra.PlaceAbove(now, now.Tracks[track.Index], range, clip),
        };
        Outcome<TimelineEdit> TrimOut(TimelineIndex now, Handles handles)
        {
            var frames = range.Duration;
            if (ripple || gapIsFree)
                return EditAlgebra.TrimOut(now, now.Tracks[track.Index], item, frames, arguments.Head, ripple, handles);
            if (item.SourceRange is not { } source || item.Media is not { Url: { } url, AvailableRange: { } available }
                || FrameConversion.Exactly(frames, now.Rate, source.Rate) is not { } mediaFrames || available.Rate != source.Rate)
                return new Timeline.Refusal("NO_HANDLES", $"The handle of {item.Label} cannot be placed above: use --generate.");
            var handle = new NewClip
            {
                Name = item.Name,
                MediaUrl = url,
                AvailableRange = available,
                SourceRange = new MediaRange(source.Rate, arguments.Head ? source.Start - mediaFrames : source.End, mediaFrames),
            };
            return EditAlgebra.PlaceAbove(now, now.Tracks[track.Index], range, handle);
        }

        return new TimelineJob
        {
            Kind = JobSpec.Types.Kind.Extend,
            RecordRange = range,
            Before = arguments.Head ? null : item,
            After = arguments.Head ? item : null,
            Place = Place,
            TrimOut = arguments.Generate ? null : TrimOut,
            Notices = rule == PlaceRule.Gap && !gapIsFree
                ? [$"The frames {(arguments.Head ? "before" : "after")} {item.Label} are not free on {track.Label}, so the new ones go on a track above."]
                : [],
        };
    }

    private static Outcome<List<TimelineJob>> Fill(TimelineIndex index, JobArguments arguments)
    {
        if (!GapTrack(index, arguments).TryGet(out var track, out var noTrack)) return noTrack;
        if (track.Problem is { } problem) return problem;
        if (arguments.AllGaps)
        {
            var between = Gaps.Find(track).Where(gap => gap.Before is not null && gap.After is not null).ToList();
            if (between.Count == 0) return new Timeline.Refusal("GAP_NOT_FOUND", $"Track {track.Label} has no gap between two shots.");
            return between.ConvertAll(gap => FillJob(track, gap));
        }

        TrackGap? chosen;
        if (arguments.Gap is { } number)
        {
            if (!Gaps.Find(track, number).TryGet(out chosen, out var noGap)) return noGap;
        }
        else if (arguments.In is not null)
        {
            if (!Range(index, arguments, null).TryGet(out var range, out var badRange)) return badRange;
            chosen = Gaps.Find(track).FirstOrDefault(gap => gap.Range == range);
            if (chosen is null)
            {
                var over = Gaps.Find(track).FirstOrDefault(gap => gap.Range.Overlaps(range));
                return new Timeline.Refusal("GAP_NOT_FOUND", $"{index.Label(range.Start)} to {index.Label(range.End)} is no gap of track {track.Label}"
                    + (over is null ? "." : $"; gap {over.Number} there runs from {index.Label(over.Range.Start)} to {index.Label(over.Range.End)}: use --gap {over.Number}."));
            }
        }
        else
        {
            var all = Gaps.Find(track).Where(gap => gap.Before is not null && gap.After is not null).ToList();
            if (all.Count != 1)
            {
                return new Timeline.Refusal(all.Count == 0 ? "GAP_NOT_FOUND" : "GAP_AMBIGUOUS", all.Count == 0
                    ? $"Track {track.Label} has no gap between two shots."
                    : $"Track {track.Label} has {all.Count} gaps between shots: say which with --gap, or --all-gaps.");
            }

            chosen = all[0];
        }

        if (chosen.Before is null || chosen.After is null)
        {
            return new Timeline.Refusal("NO_NEIGHBOUR", $"Gap {chosen.Number} of {track.Label} has no shot {(chosen.Before is null ? "before" : "after")} it to lead "
                + $"{(chosen.Before is null ? "from" : "into")}: use broll, or extend the shot beside it.");
        }

        return new List<TimelineJob> { FillJob(track, chosen) };
    }

    private static TimelineJob FillJob(Track track, TrackGap gap) => new()
    {
        Kind = JobSpec.Types.Kind.Fill,
        RecordRange = gap.Range,
        Before = gap.Before,
        After = gap.After,
        Place = (now, clip) => EditAlgebra.Overwrite(now, now.Tracks[track.Index], gap.Range, clip, onlyIfFree: true),
    };

    private static Outcome<(Track Track, TrackItem Item)> FindClip(TimelineIndex index, JobArguments arguments)
    {
        Track? track = null;
        if (arguments.Track is { } number && !index.FindVideoTrack(number).TryGet(out track, out var noTrack)) return noTrack;
        if (arguments.In is { } text)
        {
            if (!Position.Parse(text, index.Rate, index.StartFrame).TryGet(out var at, out var noPosition)) return noPosition;
            var under = (track is null ? index.VideoTracks.Reverse() : [track])
                .Select(candidate => (Track: candidate, Item: Gaps.At(candidate, at)))
                .FirstOrDefault(found => found.Item is { Kind: ItemKind.Clip } && (arguments.Clip is null || Gaps.FindClip(index, arguments.Clip, found.Track).Refusal?.Reason != "CLIP_NOT_FOUND"));
            return under.Item is null
                ? new Timeline.Refusal("CLIP_NOT_FOUND", $"There is no clip at {index.Label(at)}{(track is null ? "" : $" on {track.Label}")}.")
                : (under.Track, under.Item);
        }

        return arguments.Clip is { } name
            ? Gaps.FindClip(index, name, track)
            : new Timeline.Refusal("CLIP_NOT_NAMED", $"Say which clip is {(arguments.Kind == JobSpec.Types.Kind.Extend ? "to be extended" : "meant")}: --clip NAME, or --in TIMECODE of a frame in it.");
    }

    private static Outcome<long> ExtensionFrames(TimelineIndex index, JobArguments arguments, long edge)
    {
        if (arguments.Frames is { } frames)
            return frames > 0 ? frames : new Timeline.Refusal("RANGE_EMPTY", "--frames must be 1 or more.");
        if (arguments.OutPoint is null)
            return new Timeline.Refusal("RANGE_EMPTY", "Say by how many frames the clip is extended: --frames N.");
        if (!Position.Parse(arguments.OutPoint, index.Rate, index.StartFrame, edge).TryGet(out var end, out var refusal)) return refusal;
        if (arguments.InclusiveOut && !arguments.OutPoint.TrimStart().StartsWith('+')) end++;
        var wanted = arguments.Head ? edge - end : end - edge;
        return wanted > 0
            ? wanted
            : new Timeline.Refusal("RANGE_EMPTY", $"The clip {(arguments.Head ? "starts" : "ends")} at {index.Label(edge)} already, so nothing is left to make up to {index.Label(end)}.");
    }

    private static Outcome<FrameRange> Range(TimelineIndex index, JobArguments arguments, long? defaultFrames)
    {
        if (arguments.In is null) return new Timeline.Refusal("RANGE_MISSING", "Say where: --in and --out-point (or --frames).");
        if (!Position.Parse(arguments.In, index.Rate, index.StartFrame).TryGet(out var start, out var badIn)) return badIn;
        long end;
        if (arguments.OutPoint is { } text)
        {
            if (!Position.Parse(text, index.Rate, index.StartFrame, start).TryGet(out end, out var badOut)) return badOut;
            // "+48" is a number of frames, which has no last frame to be inclusive of.
            if (arguments.InclusiveOut && !text.TrimStart().StartsWith('+')) end++;
        }
        else if ((arguments.Frames ?? defaultFrames) is { } frames)
        {
            // A length that nobody asked for ends with the timeline.
            end = arguments.Frames is null ? Math.Min(start + frames, Math.Max(start + 1, index.Duration)) : start + frames;
        }
        else
        {
            return new Timeline.Refusal("RANGE_MISSING", "Say where the range ends: --out-point or --frames.");
        }

        return end > start
            ? FrameRange.Between(start, end)
            : new Timeline.Refusal("RANGE_EMPTY", $"The range from {index.Label(start)} to {index.Label(end)} has no frames: the out point is the first frame after it"
                + (end == start && arguments.OutPoint is not null && !arguments.InclusiveOut ? ", or use --inclusive-out." : "."));
    }

    private static Outcome<Track> GapTrack(TimelineIndex index, JobArguments arguments)
    {
        if (arguments.Track is { } number) return index.FindVideoTrack(number);
        var tracks = index.VideoTracks.ToList();
        // Without a number, the lowest track that has a gap between shots; else the lowest.
        var chosen = tracks.Find(track => Gaps.Find(track).Any(gap => gap.Before is not null && gap.After is not null)) ?? tracks.FirstOrDefault();
        return chosen is null ? new Timeline.Refusal("TRACK_NOT_FOUND", "The timeline has no video track.") : chosen;
    }

    private static Track? Lowest(TimelineIndex index) => index.VideoTracks.FirstOrDefault();
}
