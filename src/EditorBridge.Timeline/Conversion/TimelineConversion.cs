using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Fcpx;
using EditorBridge.Timeline.Osp;

namespace EditorBridge.Timeline.Conversion;

/// <summary>A timeline in another format.</summary>
/// <param name="Document">It, read back and checked.</param>
/// <param name="Lost">What it does not say any more, one sentence each; empty when all that is known of the timeline came along.</param>
public sealed record ConvertedTimeline(TimelineDocument Document, IReadOnlyList<string> Lost);

/// <summary>Says a timeline in another format: its tracks, and on each the clips with their media, at their exact places.</summary>
public static class TimelineConversion
{
    /// <summary>The endings of the formats that can be made.</summary>
    public static IReadOnlyList<string> Endings { get; } = [".otio", ".fcpxml", ".xml", ".edl", ".mlt", ".osp"];

    /// <summary>What no conversion carries, because no timeline here is read that far.</summary>
    public const string NeverCarried = "Markers, notes, colours, sound levels, sizes and positions are not carried from one format to another.";

    /// <summary>Converts a timeline.</summary>
    /// <param name="source">It.</param>
    /// <param name="ending">The ending of the format wanted, one of <see cref="Endings"/>.</param>
    /// <param name="locate">Turns the name of a medium in the source into one that holds in the new document's folder too.</param>
    /// <returns>The new document with what it lost, or why the format cannot say the timeline at all.</returns>
    public static Outcome<ConvertedTimeline> Convert(TimelineDocument source, string ending, Func<string, string> locate)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(locate);
        if (!Endings.Contains(ending)) return new Refusal("OUT_ENDING", $"Nothing can be converted to '{ending}': choose one of {string.Join(", ", Endings)}.");
        var index = source.Index;
        if (ending == ".xml" && index.Rate.Denominator is not (1 or 1001)) return new Refusal("RATE_UNKNOWN", $"FCP7 XML cannot say a rate of {index.Rate} frames per second.");
        if (ending == ".fcpxml" && !FcpTime.CanCount(index.StartFrame + index.Duration, index.Rate)) return new Refusal("RANGE_OUTSIDE", $"FCPXML cannot count as many frames as this timeline has ({index.Duration}).");
        if (index.Tracks.FirstOrDefault(track => track is { Problem: not null, Kind: not TrackKind.Other } && track.Problem.Reason != "TRACK_LOCKED") is { Problem: { } problem }) return problem;
        var plan = new ConversionPlan(source, ending, locate);
        plan.Make();
        if (!TimelineDocument.Open(ending == ".edl" ? EmptyTimeline.Edl(index, plan.Tracks) : EmptyTimeline.Of(ending, index), index.Rate).TryGet(out var document, out var refusal)) return refusal;
        if (ending != ".edl")
        {
            foreach (var track in plan.Tracks)
            {
                if (!Add(document, track).TryGet(out var longer, out refusal)) return refusal;
                document = longer;
            }
        }

        Check(plan.Tracks, document);
        return new ConvertedTimeline(document, plan.Lost);
    }

    private static Outcome<TimelineDocument> Add(TimelineDocument document, ConversionTrack track)
    {
        // Some formats begin with one video track, because they always have one.
        var empty = track.Kind == TrackKind.Video && track.Number == 1 ? document.Index.VideoTracks.FirstOrDefault(other => other.Items.Count == 0) : null;
        var videos = document.Index.VideoTracks.ToList();
        var place = empty?.Index ?? (track.Kind == TrackKind.Video && document is not OspDocument ? videos.Count == 0 ? 0 : videos[^1].Index + 1 : document.Index.Tracks.Count);
        var edit = new TimelineEdit
        {
            Changes = [new TrackChange(empty, empty is null ? track.Name : null, place, track.Pieces) { NewTrackKind = track.Kind }],
            TrackIndex = place,
            TrackNumber = track.Number,
            RecordRange = new FrameRange(0, TrackPieces.DurationOf(track.Pieces)),
            AddsTrack = empty is null,
            Description = "",
        };
        return document.Apply(edit).TryGet(out var edited, out var refusal) ? edited.Document : refusal;
    }

    // The splicers check each clip; this, that nothing came on top.
    private static void Check(IReadOnlyList<ConversionTrack> tracks, TimelineDocument document)
    {
        var wanted = tracks.Sum(track => track.Pieces.OfType<ClipPiece>().Count());
        var found = document.Index.Tracks.Sum(track => track.Items.Count(item => item.Kind == ItemKind.Clip));
        if (wanted != found) throw new InvalidOperationException($"The converted timeline has {found} clips in place of {wanted}; nothing was saved.");
    }
}
