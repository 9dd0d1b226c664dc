using EditorBridge.Cli.Jobs;
using EditorBridge.Timeline;

namespace EditorBridge.Cli.Companion;

/// <summary>Compares a timeline with what it has become.</summary>
internal static class SamePlaces
{
    /// <summary>Whether places that were found on one timeline are the same on another.</summary>
    /// <param name="was">The timeline they were found on.</param>
    /// <param name="now">The other.</param>
    /// <param name="places">The places.</param>
    /// <returns>Null when they are; else what differs, a clause.</returns>
    public static string? Difference(TimelineIndex was, TimelineIndex now, IReadOnlyList<TimelineJob> places)
    {
        if (was.Rate != now.Rate) return "the project's frame rate was changed";
        if (was.Tracks.Count != now.Tracks.Count) return "tracks were added or removed";
        foreach (var shot in places.SelectMany(place => new[] { place.Before, place.After, place.Source }).OfType<TrackItem>())
        {
            // Edits name a shot by its place among the items of its track, so the whole track has to be as it was.
            var track = was.Tracks.First(one => one.Items.Contains(shot));
            if (Difference(track, now.Tracks[track.Index]) is { } difference) return difference;
        }

        return null;
    }

    /// <summary>Whether two timelines show the same clips at the same frames.</summary>
    public static string? Difference(TimelineIndex was, TimelineIndex now)
    {
        var (before, after) = (was.VideoTracks.ToList(), now.VideoTracks.ToList());
        if (before.Count != after.Count) return $"{after.Count} video tracks instead of {before.Count}";
        return before.Zip(after).Select(pair => Difference(pair.First, pair.Second)).FirstOrDefault(difference => difference is not null);
    }

    private static string? Difference(Track was, Track now)
    {
        var (before, after) = (Solid(was), Solid(now));
        if (before.Count != after.Count) return $"{was.Label} has {after.Count} clips instead of {before.Count}";
        for (var i = 0; i < before.Count; i++)
        {
            if (before[i].Kind != after[i].Kind || before[i].RecordRange != after[i].RecordRange || before[i].SourceRange != after[i].SourceRange || File(before[i]) != File(after[i]))
                return $"{before[i].Label} on {was.Label} was changed";
        }

        return null;
    }

    private static List<TrackItem> Solid(Track track) => [.. track.Items.Where(item => item.Kind != ItemKind.Gap && !item.RecordRange.IsEmpty)];

    // An editor may write a path otherwise than it read it.
    private static string? File(TrackItem item) => item.Media?.Url is { } url ? url[(url.LastIndexOfAny(['/', '\\']) + 1)..] : null;
}
