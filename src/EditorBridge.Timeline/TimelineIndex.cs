namespace EditorBridge.Timeline;

/// <summary>A range of frames on a medium's own clock (its embedded timecode), at the medium's own rate.</summary>
/// <param name="Rate">Frames per second of the medium.</param>
/// <param name="Start">First frame.</param>
/// <param name="Duration">Number of frames.</param>
public readonly record struct MediaRange(FrameRate Rate, long Start, long Duration)
{
    /// <summary>The first frame after the range.</summary>
    public long End => Start + Duration;
}

/// <summary>What a track carries.</summary>
public enum TrackKind
{
    /// <summary>Pictures.</summary>
    Video,

    /// <summary>Sound.</summary>
    Audio,

    /// <summary>Anything else, such as subtitles; never edited.</summary>
    Other,
}

/// <summary>What a child of a track is.</summary>
public enum ItemKind
{
    /// <summary>A piece of a medium.</summary>
    Clip,

    /// <summary>Nothing, for a while.</summary>
    Gap,

    /// <summary>An overlap of its two neighbours; takes no time of its own.</summary>
    Transition,

    /// <summary>A sequence within the sequence.</summary>
    Nested,
}

/// <summary>The medium a clip points at.</summary>
public sealed record MediaReference
{
    /// <summary>The document's name for the kind of reference, such as ExternalReference.1.</summary>
    public required string Schema { get; init; }

    /// <summary>Where the medium is, as the document spells it; null when the reference says that it is missing.</summary>
    public string? Url { get; init; }

    /// <summary>What the medium holds, on its own clock; null when the document does not say.</summary>
    public MediaRange? AvailableRange { get; init; }

    /// <summary>Whether the medium is a numbered sequence of pictures.</summary>
    public bool IsImageSequence { get; init; }
}

/// <summary>An effect on an item.</summary>
/// <param name="Schema">The document's name for its kind, such as LinearTimeWarp.1.</param>
/// <param name="Name">Its own name.</param>
/// <param name="ChangesTime">Whether it makes frames appear at other times than their own.</param>
public sealed record ItemEffect(string Schema, string Name, bool ChangesTime);

/// <summary>A child of a track.</summary>
public sealed record TrackItem
{
    /// <summary>Its place among the children of its track, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>What it is.</summary>
    public required ItemKind Kind { get; init; }

    /// <summary>Its name, perhaps empty.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The frames it takes on the track. For a transition: the frames that it mixes, which belong to its neighbours.
    /// </summary>
    public required FrameRange RecordRange { get; init; }

    /// <summary>Whether it is seen.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The part of the medium that is used, in whole frames of the medium; null when it is not a clip or cannot be told.</summary>
    public MediaRange? SourceRange { get; init; }

    /// <summary>A clip's medium.</summary>
    public MediaReference? Media { get; init; }

    /// <summary>Its effects.</summary>
    public IReadOnlyList<ItemEffect> Effects { get; init; } = [];

    /// <summary>Whether an effect changes its speed.</summary>
    public bool ChangesTime => Effects.Any(effect => effect.ChangesTime);

    /// <summary>For a transition, the frame where its neighbours meet.</summary>
    public long Cut { get; init; }

    /// <summary>How people see it: its name, or its medium's file name, in quotes.</summary>
    public string Label
    {
        get
        {
            if (Name.Length > 0) return $"'{Name}'";
            var file = Media?.Url is { } url ? url[(url.LastIndexOfAny(['/', '\\']) + 1)..] : "";
            return file.Length > 0 ? $"'{file}'" : Kind switch
            {
                ItemKind.Clip => "an unnamed clip",
                ItemKind.Gap => "a gap",
                ItemKind.Transition => "a transition",
                _ => "a nested sequence",
            };
        }
    }
}

/// <summary>A track of a timeline.</summary>
public sealed record Track
{
    /// <summary>Its place among the timeline's tracks, from 0; of two video tracks the later is in front.</summary>
    public required int Index { get; init; }

    /// <summary>Its number among the tracks of its kind, from 1, as V1 and A1 count.</summary>
    public required int Number { get; init; }

    /// <summary>What it carries.</summary>
    public required TrackKind Kind { get; init; }

    /// <summary>Its name, perhaps empty.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it is seen or heard.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Its children in order.</summary>
    public IReadOnlyList<TrackItem> Items { get; init; } = [];

    /// <summary>Why places on this track cannot be told exactly; null when they can. Such a track is shown but never edited.</summary>
    public Refusal? Problem { get; init; }

    /// <summary>Frames from its start to its end.</summary>
    public long Duration { get; init; }

    /// <summary>Kind and number, as people write them: V1, A2.</summary>
    public string Label => Kind switch { TrackKind.Video => "V", TrackKind.Audio => "A", _ => "track " } + Number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A read-only view of a timeline in integer frames at its rate, counted from its start.</summary>
public sealed record TimelineIndex
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The sequence rate.</summary>
    public required FrameRate Rate { get; init; }

    /// <summary>The timecode of its first frame, in frames.</summary>
    public long StartFrame { get; init; }

    /// <summary>Whether its timecode leaves labels out.</summary>
    public bool DropFrame { get; init; }

    /// <summary>Whether its format has room for one video track alone, so that nothing can lie above another.</summary>
    public bool HasOneVideoTrack { get; init; }

    /// <summary>Whether tracks are layers of one pile, whatever they carry: a new one goes on top of all, not behind the last of its kind.</summary>
    public bool TracksAreLayers { get; init; }

    /// <summary>Its tracks, back to front.</summary>
    public required IReadOnlyList<Track> Tracks { get; init; }

    /// <summary>Frames to the end of its longest track.</summary>
    public long Duration => Tracks.Count == 0 ? 0 : Tracks.Max(track => track.Duration);

    /// <summary>The video tracks, back to front.</summary>
    public IEnumerable<Track> VideoTracks => Tracks.Where(track => track.Kind == TrackKind.Video);

    /// <summary>The timecode of a frame, drop-frame where the timeline counts so.</summary>
    public string Label(long frame) => new Timecode(StartFrame + frame, Rate, DropFrame && Timecode.CanDropFrames(Rate)).ToString();

    /// <summary>The video track that people call V<paramref name="number"/>.</summary>
    public Outcome<Track> FindVideoTrack(int number)
    {
        var tracks = VideoTracks.ToList();
        if (number >= 1 && number <= tracks.Count) return tracks[number - 1];
        return new Refusal("TRACK_NOT_FOUND", tracks.Count == 0
            ? "The timeline has no video track."
            : $"There is no video track {number}: the timeline has {(tracks.Count == 1 ? "one, number 1" : $"{tracks.Count}, 1 (the lowest) to {tracks.Count}")}.");
    }
}
