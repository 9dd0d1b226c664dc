using System.Globalization;

namespace EditorBridge.Timeline.Mlt;

/// <summary>Where a user of Kdenlive was when the project was saved.</summary>
/// <param name="Position">The frame under the playhead.</param>
/// <param name="Zone">The frames between the timeline's in and out point; null when they hold none.</param>
/// <param name="VideoTrack">The active track's number among video tracks, from 1; null when it is another kind of track or not told.</param>
public sealed record KdenliveCursor(long Position, FrameRange? Zone, int? VideoTrack)
{
    internal static KdenliveCursor? Of(MltIndexer indexer, TimelineIndex index)
    {
        if (indexer.Dialect != MltDialect.Kdenlive) return null;
        // Projects with sequences keep a place for each of them.
        long? Number(string name)
        {
            var text = MltIndexer.Property(indexer.Tractor, "kdenlive:sequenceproperties." + name) ?? MltIndexer.Property(indexer.MainBin!, "kdenlive:docproperties." + name);
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= int.MaxValue ? number : null;
        }

        FrameRange? zone = Number("zonein") is { } start && Number("zoneout") is { } end && end > start ? FrameRange.Between(start, end) : null;
        // Kdenlive counts tracks from the lowest, the black background not among them.
        var active = Number("activeTrack") is { } place ? indexer.Tracks.FindIndex(track => track.Number == place + 1) : -1;
        return new KdenliveCursor(Number("position") ?? 0, zone, active >= 0 && index.Tracks[active].Kind == TrackKind.Video ? index.Tracks[active].Number : null);
    }
}
