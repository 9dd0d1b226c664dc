using System.Globalization;
using EditorBridge.Cli.Jobs;
using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Mlt;

namespace EditorBridge.Cli.Companion;

/// <summary>Tells a job's place from where the user of an editor is, where the command line names none.</summary>
internal static class CursorPlace
{
    /// <summary>From Kdenlive's playhead, timeline zone and active track.</summary>
    public static JobArguments From(JobArguments said, TimelineIndex index, KdenliveCursor cursor)
    {
        if (NamesPlace(said)) return said;
        switch (said.Kind)
        {
            case JobSpec.Types.Kind.Broll or JobSpec.Types.Kind.Still:
                if (said.OutPoint is not null || said.Frames is not null) return said with { In = Frame(cursor.Position) };
                return cursor.Zone is { } zone
                    ? said with { In = Frame(zone.Start), OutPoint = Frame(zone.End), InclusiveOut = false }
                    : throw new Refused("RANGE_MISSING", "The timeline zone holds no frames: set its in and out point in Kdenlive (I and O over the project monitor), or give --in and --out-point.");
            case JobSpec.Types.Kind.Fill:
                var gap = Tracks(said, index, cursor.VideoTrack).SelectMany(track => Gaps.Find(track).Select(gap => (Track: track, Gap: gap)))
                    .FirstOrDefault(found => found.Gap is { Before: not null, After: not null, Range: var range } && cursor.Position >= range.Start && cursor.Position <= range.End);
                return gap.Gap is null ? said : said with { Track = gap.Track.Number, Gap = gap.Gap.Number };
            default:
                var clip = Tracks(said, index, cursor.VideoTrack).Select(track => (Track: track, Item: Gaps.At(track, cursor.Position) ?? (cursor.Position > 0 ? Gaps.At(track, cursor.Position - 1) : null)))
                    .FirstOrDefault(found => found.Item is { Kind: ItemKind.Clip });
                return clip.Item is null
                    ? throw new Refused("CLIP_NOT_NAMED", $"No clip lies under Kdenlive's playhead ({index.Label(cursor.Position)}): move it onto the clip that is meant, or give --clip.")
                    : said with { Track = clip.Track.Number, In = Frame(clip.Item.RecordRange.Start) };
        }
    }

    /// <summary>From a clip that the user has copied.</summary>
    public static JobArguments From(JobArguments said, Track track, TrackItem item) => NamesPlace(said) ? said : said.Kind switch
    {
        JobSpec.Types.Kind.Broll or JobSpec.Types.Kind.Still => said with
        {
            In = Frame(item.RecordRange.Start),
            OutPoint = said.OutPoint ?? (said.Frames is null ? Frame(item.RecordRange.End) : null),
            InclusiveOut = said.OutPoint is not null && said.InclusiveOut,
        },
        JobSpec.Types.Kind.Fill => Gaps.Find(track).FirstOrDefault(gap => gap.Before == item || gap.After == item) is { } gap
            ? said with { Track = track.Number, Gap = gap.Number }
            : throw new Refused("GAP_NOT_FOUND", $"No gap lies beside {item.Label}, the clip that was copied: copy the shot before the gap, or give --gap."),
        _ => said with { Track = track.Number, In = Frame(item.RecordRange.Start) },
    };

    /// <summary>Whether the command line says where.</summary>
    public static bool NamesPlace(JobArguments said) => said.In is not null || said.Clip is not null || said.Gap is not null || said.AllGaps;

    // The active track first, then from the front: what is in front is what is seen.
    private static IEnumerable<Track> Tracks(JobArguments said, TimelineIndex index, int? active) =>
        index.VideoTracks.Where(track => said.Track is not { } number || track.Number == number).Reverse().OrderByDescending(track => track.Number == active);

    private static string Frame(long frame) => frame.ToString(CultureInfo.InvariantCulture);
}
