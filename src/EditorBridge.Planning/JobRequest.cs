using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>What a job makes.</summary>
public enum JobKind
{
    /// <summary>A new clip from a prompt, with or without a reference picture.</summary>
    BRoll,

    /// <summary>Frames that go on where a clip ends.</summary>
    ExtendTail,

    /// <summary>Frames that lead up to where a clip starts.</summary>
    ExtendHead,

    /// <summary>Frames that lead from the shot before a gap into the shot after it.</summary>
    Fill,

    /// <summary>One picture, held for the frames asked for.</summary>
    Still,
}

/// <summary>The codec a clip is delivered in.</summary>
public enum DeliveryCodec
{
    /// <summary>H.264, every frame a keyframe, 4:2:0 8 bit, in MP4.</summary>
    H264,

    /// <summary>Apple ProRes 422 HQ in QuickTime.</summary>
    ProRes,

    /// <summary>Avid DNxHR in QuickTime.</summary>
    DnxHr,
}

/// <summary>What the contract has a field for and this version does not build yet: asked for, it is refused by name.</summary>
public enum UnbuiltFeature
{
    /// <summary>Several shots in one clip.</summary>
    Shots,

    /// <summary>Given frames at times inside the clip.</summary>
    Keyframes,

    /// <summary>A region that alone is generated.</summary>
    Mask,

    /// <summary>A source video that is restyled with a strength.</summary>
    Restyle,

    /// <summary>A clip whose end leads into its start.</summary>
    Loop,

    /// <summary>A language model that writes out a short prompt.</summary>
    PromptExpansion,

    /// <summary>Reference pictures of subjects, beyond one picture the clip starts from.</summary>
    SubjectReferences,
}

/// <summary>What the sequence needs back.</summary>
public sealed record Delivery
{
    /// <summary>Width in square pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>The sequence's rate.</summary>
    public required FrameRate Rate { get; init; }

    /// <summary>Frames at <see cref="Rate"/>: exactly these many are delivered.</summary>
    public required int Frames { get; init; }

    /// <summary>The codec.</summary>
    public DeliveryCodec Codec { get; init; } = DeliveryCodec.H264;

    /// <summary>Start timecode to write into the clip, as SMPTE text; null for 00:00:00:00.</summary>
    public string? StartTimecode { get; init; }

    /// <summary>Reel name to write into the clip; null lets the host choose.</summary>
    public string? Reel { get; init; }
}

/// <summary>Real frames beside a cut, in the media they come from.</summary>
public sealed record ContextSource
{
    /// <summary>The media file.</summary>
    public required string Path { get; init; }

    /// <summary>The media's own rate.</summary>
    public required FrameRate Rate { get; init; }

    /// <summary>
    /// The frames of the media that may be used, counted from 0 at its first frame. For the shot before a cut the last of them touches the
    /// cut; for the shot after it, the first.
    /// </summary>
    public required FrameRange Frames { get; init; }
}

/// <summary>A request to make a clip, as a person or a plugin states it. Nothing in it is resolved against a model yet.</summary>
public sealed record JobRequest
{
    /// <summary>What to make.</summary>
    public required JobKind Kind { get; init; }

    /// <summary>What the clip shows, in natural words.</summary>
    public required string Prompt { get; init; }

    /// <summary>What it must not show; empty for the model's own.</summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>What the sequence needs back.</summary>
    public required Delivery Delivery { get; init; }

    /// <summary>The shot before the cut: extend at the tail, fill.</summary>
    public ContextSource? Before { get; init; }

    /// <summary>The shot after the cut: extend at the head, fill.</summary>
    public ContextSource? After { get; init; }

    /// <summary>A picture the clip starts from (B-roll); null for none.</summary>
    public string? ReferencePicture { get; init; }

    /// <summary>Context frames wanted on each side that has a shot; 4n+1, or 0 for none. Fewer are used when fewer exist.</summary>
    public int ContextFrames { get; init; } = 9;

    /// <summary>Real frames at the delivery rate that the source media still holds past the cut (extend).</summary>
    public int HandleFrames { get; init; }

    /// <summary>Generate even where handles cover the frames asked for.</summary>
    public bool GenerateOverHandles { get; init; }

    /// <summary>Name of the model in the catalogue.</summary>
    public string Model { get; init; } = "sketch";

    /// <summary>Seed of the first take; each further take counts one up.</summary>
    public long Seed { get; init; }

    /// <summary>Takes to make: the same job with different seeds.</summary>
    public int Takes { get; init; } = 1;

    /// <summary>"default", "draft" (fewer steps) or "fine" (more).</summary>
    public string Preset { get; init; } = "default";

    /// <summary>Solver steps; null for the preset's.</summary>
    public int? Steps { get; init; }

    /// <summary>Weight of the prompt against the negative prompt; 1 leaves the second pass out; null for the preset's.</summary>
    public double? Guidance { get; init; }

    /// <summary>"unipc", "dpm++" or "euler"; null for the model's.</summary>
    public string? Sampler { get; init; }

    /// <summary>Schedule shift; null for the model's.</summary>
    public double? Shift { get; init; }

    /// <summary>Features asked for that this version does not build; each is refused by name.</summary>
    public IReadOnlyList<UnbuiltFeature> Unbuilt { get; init; } = [];
}
