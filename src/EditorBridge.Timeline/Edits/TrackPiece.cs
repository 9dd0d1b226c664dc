namespace EditorBridge.Timeline.Edits;

/// <summary>A clip to be put on a timeline.</summary>
public sealed record NewClip
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Where its medium is, as the document shall spell it: see <see cref="MediaPath.ToUrl"/>.</summary>
    public required string MediaUrl { get; init; }

    /// <summary>What the medium holds; its start is the medium's own start timecode.</summary>
    public required MediaRange AvailableRange { get; init; }

    /// <summary>The part used. Its duration at the sequence rate is the length on the timeline.</summary>
    public required MediaRange SourceRange { get; init; }

    /// <summary>The tape name that its medium carries, for formats that know media by it.</summary>
    public string? Reel { get; init; }

    /// <summary>The clip's metadata, the text of a JSON object.</summary>
    public string MetadataJson { get; init; } = "{}";

    /// <summary>The medium's metadata, the text of a JSON object.</summary>
    public string MediaMetadataJson { get; init; } = "{}";

    /// <summary>Other media that the clip can show instead, of the same frames; kept by formats whose clips have several media, left out by others.</summary>
    public IReadOnlyList<OtherMedium> OtherMedia { get; init; } = [];
}

/// <summary>A medium that a clip has beside the one it shows. It holds the same range.</summary>
/// <param name="Key">What the clip calls it; not the same as that of another, nor as OpenTimelineIO's own DEFAULT_MEDIA.</param>
/// <param name="Name">Its name.</param>
/// <param name="MediaUrl">Where it is, as the document shall spell it.</param>
/// <param name="MetadataJson">Its metadata, the text of a JSON object.</param>
public sealed record OtherMedium(string Key, string Name, string MediaUrl, string MetadataJson);

/// <summary>A stretch of a track after an edit.</summary>
/// <param name="Duration">Its length in frames of the sequence.</param>
public abstract record TrackPiece(long Duration);

/// <summary>
/// A child that was there before, or a part of it. A part may also be larger than the whole: a clip trimmed out into its handles.
/// </summary>
/// <param name="Item">The child before the edit.</param>
/// <param name="Offset">Frames of the sequence from its old first frame to its new one; negative when trimmed out at the head.</param>
/// <param name="Duration">Its new length; zero for a transition.</param>
public sealed record KeptPiece(TrackItem Item, long Offset, long Duration) : TrackPiece(Duration)
{
    /// <summary>Whether nothing about it changes.</summary>
    public bool IsWhole => Item.Kind == ItemKind.Transition || (Offset == 0 && Duration == Item.RecordRange.Duration);
}

/// <summary>A new clip.</summary>
/// <param name="Clip">The clip.</param>
/// <param name="Duration">Its length in frames of the sequence.</param>
public sealed record ClipPiece(NewClip Clip, long Duration) : TrackPiece(Duration);

/// <summary>A new gap.</summary>
/// <param name="Duration">Its length in frames of the sequence.</param>
public sealed record GapPiece(long Duration) : TrackPiece(Duration);

/// <summary>A track as an edit leaves it.</summary>
/// <param name="Track">The track before the edit; null for a new one.</param>
/// <param name="NewTrackName">The name of a new track.</param>
/// <param name="Index">Its place among the timeline's tracks after the edit.</param>
/// <param name="Pieces">Its children after the edit.</param>
public sealed record TrackChange(Track? Track, string? NewTrackName, int Index, IReadOnlyList<TrackPiece> Pieces)
{
    /// <summary>What a new track carries.</summary>
    public TrackKind NewTrackKind { get; init; } = TrackKind.Video;
}

/// <summary>Frames opened in all tracks at one place.</summary>
/// <param name="At">The first frame that moved.</param>
/// <param name="Frames">By how many.</param>
public sealed record RippleShift(long At, long Frames);

/// <summary>What an edit does to a timeline, in a form any document format can carry out.</summary>
public sealed record TimelineEdit
{
    /// <summary>The tracks that change, in ascending order of their index after the edit; at most one is new.</summary>
    public required IReadOnlyList<TrackChange> Changes { get; init; }

    /// <summary>The place among the timeline's tracks, after the edit, of the track that the edit is about.</summary>
    public required int TrackIndex { get; init; }

    /// <summary>The number of that track among video tracks, from 1.</summary>
    public required int TrackNumber { get; init; }

    /// <summary>The frames of the new clip, or the ones that a trim out uncovers.</summary>
    public required FrameRange RecordRange { get; init; }

    /// <summary>Whether the track did not exist before.</summary>
    public bool AddsTrack { get; init; }

    /// <summary>What moved on all tracks, if anything did.</summary>
    public RippleShift? Ripple { get; init; }

    /// <summary>One sentence that says what is done, for plans.</summary>
    public required string Description { get; init; }
}
