namespace EditorBridge.Timeline;

/// <summary>A stretch of a track with nothing on it.</summary>
/// <param name="Number">Its number on the track, from 1.</param>
/// <param name="Range">Its frames.</param>
/// <param name="Before">The clip or nested sequence that ends where it starts, if any.</param>
/// <param name="After">The clip or nested sequence that starts where it ends, if any.</param>
public sealed record TrackGap(int Number, FrameRange Range, TrackItem? Before, TrackItem? After);

/// <summary>Finds gaps, clips, neighbours and handles.</summary>
public static class Gaps
{
    /// <summary>
    /// The gaps of a track in order. Adjoining gap items are one gap; what lies after the last item is none.
    /// </summary>
    public static IReadOnlyList<TrackGap> Find(Track track)
    {
        ArgumentNullException.ThrowIfNull(track);
        var gaps = new List<TrackGap>();
        var items = track.Items.Where(item => item.Kind != ItemKind.Transition && !item.RecordRange.IsEmpty).ToList();
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i].Kind != ItemKind.Gap) continue;
            var first = i;
            while (i + 1 < items.Count && items[i + 1].Kind == ItemKind.Gap) i++;
            gaps.Add(new TrackGap(gaps.Count + 1, FrameRange.Between(items[first].RecordRange.Start, items[i].RecordRange.End),
                first > 0 ? items[first - 1] : null, i + 1 < items.Count ? items[i + 1] : null));
        }

        return gaps;
    }

    /// <summary>The gap that people call number <paramref name="number"/>.</summary>
    public static Outcome<TrackGap> Find(Track track, int number)
    {
        if (track.Problem is { } problem) return problem;
        var gaps = Find(track);
        if (number >= 1 && number <= gaps.Count) return gaps[number - 1];
        return new Refusal("GAP_NOT_FOUND", gaps.Count switch
        {
            0 => $"Track {track.Label} has no gap: lay a clip over it with broll, or lengthen one with extend.",
            1 => $"Track {track.Label} has no gap {number}: it has one, number 1.",
            _ => $"Track {track.Label} has no gap {number}: it has {gaps.Count}, numbered from 1.",
        });
    }

    /// <summary>What ends at the start of a range and what starts at its end, gaps not counted.</summary>
    public static (TrackItem? Before, TrackItem? After) Neighbours(Track track, FrameRange range)
    {
        ArgumentNullException.ThrowIfNull(track);
        var solid = track.Items.Where(item => item.Kind is ItemKind.Clip or ItemKind.Nested && !item.RecordRange.IsEmpty).ToList();
        return (solid.Find(item => item.RecordRange.End == range.Start), solid.Find(item => item.RecordRange.Start == range.End));
    }

    /// <summary>Whether nothing but gaps (or the emptiness after its end) lies in a range of a track.</summary>
    public static bool IsFree(Track track, FrameRange range)
    {
        ArgumentNullException.ThrowIfNull(track);
        return track.Problem is null && range.Start >= 0
            && !track.Items.Any(item => item.Kind != ItemKind.Gap && item.RecordRange.Overlaps(range));
    }

    /// <summary>The item seen at a frame of a track; null in a gap and after the end.</summary>
    public static TrackItem? At(Track track, long frame)
    {
        ArgumentNullException.ThrowIfNull(track);
        return track.Items.FirstOrDefault(item => item.Kind is ItemKind.Clip or ItemKind.Nested && item.RecordRange.Contains(frame));
    }

    /// <summary>
    /// The clip that people call <paramref name="name"/> (its name, or its medium's file name), on one video track or on all.
    /// </summary>
    public static Outcome<(Track Track, TrackItem Item)> FindClip(TimelineIndex index, string name, Track? on = null)
    {
        ArgumentNullException.ThrowIfNull(index);
        var clips = (on is null ? index.VideoTracks : [on])
            .SelectMany(track => track.Items.Where(item => item.Kind == ItemKind.Clip).Select(item => (Track: track, Item: item))).ToList();
        foreach (var matches in new Func<TrackItem, bool>[]
                 {
                     item => item.Name == name,
                     item => string.Equals(item.Name, name, StringComparison.OrdinalIgnoreCase),
                     item => item.Media?.Url is { } url
                         && string.Equals(Uri.UnescapeDataString(url[(url.LastIndexOfAny(['/', '\\']) + 1)..]), name, StringComparison.OrdinalIgnoreCase),
                 })
        {
            var found = clips.Where(clip => matches(clip.Item)).ToList();
            if (found.Count == 1) return found[0];
            if (found.Count > 1)
            {
                var places = string.Join(", ", found.Take(5).Select(clip => $"{clip.Track.Label} at {index.Label(clip.Item.RecordRange.Start)}"));
                return new Refusal("CLIP_AMBIGUOUS", $"{found.Count} clips are called '{name}' ({places}): say which with --track and --in.");
            }
        }

        var names = clips.Select(clip => clip.Item.Name).Where(clip => clip.Length > 0).Distinct().Take(8).ToList();
        return new Refusal("CLIP_NOT_FOUND", $"No clip is called '{name}'{(on is null ? "" : $" on {on.Label}")}"
            + (names.Count > 0 ? $"; there are {string.Join(", ", names)}." : "."));
    }
}
