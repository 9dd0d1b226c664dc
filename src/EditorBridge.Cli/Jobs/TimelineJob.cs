using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Edits;
using FrameRange = EditorBridge.Timeline.FrameRange;

namespace EditorBridge.Cli.Jobs;

/// <summary>One place on a timeline that gets new frames: where, between what, and how the clip will be put there.</summary>
internal sealed record TimelineJob
{
    public required JobSpec.Types.Kind Kind { get; init; }

    /// <summary>The frames of the timeline that are wanted.</summary>
    public required FrameRange RecordRange { get; init; }

    /// <summary>Puts a clip there. Asked first with a stand-in, to know the track and to learn early of what is in the way.</summary>
    public required Func<TimelineIndex, NewClip, Outcome<TimelineEdit>> Place { get; init; }

    /// <summary>Uses the clip's own media instead, where it is long enough; null where that is no choice.</summary>
    public Func<TimelineIndex, Handles, Outcome<TimelineEdit>>? TrimOut { get; init; }

    /// <summary>
    /// The same place in two parts: so many frames nearest to the cut, which the clip's own media still has, and the rest. Null where that is no
    /// choice. The rest is placed on the timeline that the first part has changed.
    /// </summary>
    public Func<long, (TimelineJob Held, TimelineJob Made)>? Split { get; init; }

    /// <summary>The shot whose last frames lead up to the new ones.</summary>
    public TrackItem? Before { get; init; }

    /// <summary>The shot whose first frames follow the new ones.</summary>
    public TrackItem? After { get; init; }

    /// <summary>The shot that is worked on.</summary>
    public TrackItem? Source { get; init; }

    /// <summary>Frames of the timeline from that shot's start to the first that is wanted.</summary>
    public long SourceOffset { get; init; }

    /// <summary>Whether the frames lead from a clip's end back into its start.</summary>
    public bool Loop { get; init; }

    /// <summary>What the user should know.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>The clips whose pictures it looks at: its neighbours and the shot that is worked on, else the first picture under it, which tells the size.</summary>
    public IEnumerable<TrackItem> Shown(TimelineIndex index)
    {
        var shots = new[] { Before, After, Source }.OfType<TrackItem>().ToList();
        return shots.Count > 0 ? shots : index.VideoTracks.SelectMany(track => track.Items).Where(item => item.Kind == ItemKind.Clip && item.Media?.Url is not null)
            .OrderByDescending(item => item.RecordRange.Overlaps(RecordRange)).ThenBy(item => item.RecordRange.Start).Take(1);
    }
}
