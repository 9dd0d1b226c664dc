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

    /// <summary>A source video made anew, freely or closely, by a strength.</summary>
    Restyle,

    /// <summary>A source video of which a masked part is made anew.</summary>
    Inpaint,

    /// <summary>A source video that gets picture around it.</summary>
    Outpaint,
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

    /// <summary>A language model that writes out a short prompt.</summary>
    PromptExpansion,

    /// <summary>A picture to take the look from.</summary>
    StyleReferences,
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

/// <summary>A video that the job works on or goes by; its first frame is the clip's.</summary>
public sealed record SourceVideo
{
    /// <summary>The media file; a picture holds for the whole clip.</summary>
    public required string Path { get; init; }

    /// <summary>The rate its frames are counted at.</summary>
    public required FrameRate Rate { get; init; }

    /// <summary>The frames that may be used, counted from 0 at the media's first.</summary>
    public required FrameRange Frames { get; init; }
}

/// <summary>The part of a source video that is made anew.</summary>
public sealed record MaskVideo
{
    /// <summary>White where frames are made anew.</summary>
    public required SourceVideo Video { get; init; }

    /// <summary>Black where frames are made anew instead.</summary>
    public bool Inverted { get; init; }

    /// <summary>Width of the soft edge in pixels of delivery, 0 to 200.</summary>
    public double Feather { get; init; }
}

/// <summary>How much picture a clip gets around a source video, in pixels of delivery.</summary>
/// <param name="Left">Left of it.</param>
/// <param name="Top">Above it.</param>
/// <param name="Right">Right of it.</param>
/// <param name="Bottom">Below it.</param>
public readonly record struct Padding(int Left, int Top, int Right, int Bottom);

/// <summary>A picture that is met at a frame of the clip.</summary>
/// <param name="Path">A picture, or a video of which one frame is taken.</param>
/// <param name="Frame">Which frame of a video, from 0.</param>
/// <param name="Position">The delivered frame, from 0, that shows it.</param>
public sealed record KeyframePicture(string Path, long Frame, int Position);

/// <summary>Which transformer of a model with two a LoRA is added to.</summary>
public enum LoraExpert
{
    /// <summary>Both; where the file has parts for each, to each its own.</summary>
    Both,

    /// <summary>The one for high noise.</summary>
    HighNoise,

    /// <summary>The one for low noise.</summary>
    LowNoise,
}

/// <summary>A LoRA that is added to the model for a job.</summary>
public sealed record LoraRequest
{
    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>SHA-256 of it, lower-case hex: it is read where it lies, and must be the same then.</summary>
    public required string Sha256 { get; init; }

    /// <summary>How much of it is added; 1 is as it was trained.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>Which transformer it is added to.</summary>
    public LoraExpert Expert { get; init; }
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

    /// <summary>The video that is restyled, inpainted or outpainted.</summary>
    public SourceVideo? Source { get; init; }

    /// <summary>How far a restyled clip may go from its source: above 0 (hardly) to 1 (freely); null for 0.8.</summary>
    public double? Strength { get; init; }

    /// <summary>What of the source is made anew (inpaint).</summary>
    public MaskVideo? Mask { get; init; }

    /// <summary>Picture wanted around the source (outpaint); null: as much as the delivery has beside the source's own shape.</summary>
    public Padding? Padding { get; init; }

    /// <summary>A video whose structure the clip follows: depth, pose, edges, flow (B-roll).</summary>
    public SourceVideo? Control { get; init; }

    /// <summary>How much <see cref="Control"/> weighs, 0 to 2; 1 is what models were trained with.</summary>
    public double ControlStrength { get; init; } = 1;

    /// <summary>Pictures of who or what is seen.</summary>
    public IReadOnlyList<string> Subjects { get; init; } = [];

    /// <summary>Pictures that are met at frames inside the clip.</summary>
    public IReadOnlyList<KeyframePicture> Keyframes { get; init; } = [];

    /// <summary>LoRAs that are added to the model, one after the other.</summary>
    public IReadOnlyList<LoraRequest> Loras { get; init; } = [];

    /// <summary>Whether the frames lead from a clip's end into its own start: before and after are of one clip.</summary>
    public bool Loop { get; init; }

    /// <summary>
    /// Context frames wanted on each side that has a shot; 4n+1, or 0 for none. Fewer are used when fewer exist. Null for as many as the model works best with: 9
    /// where it was trained with several, else 1.
    /// </summary>
    public int? ContextFrames { get; init; }

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

    /// <summary>"draft", "standard" or "final"; see <see cref="SamplingPresets"/>.</summary>
    public string Preset { get; init; } = SamplingPresets.Standard;

    /// <summary>Solver steps; null for the preset's.</summary>
    public int? Steps { get; init; }

    /// <summary>Weight of the prompt against the negative prompt; 1 leaves the second pass out; null for the preset's.</summary>
    public double? Guidance { get; init; }

    /// <summary>Guidance of the expert for low noise, for models with two; null for <see cref="Guidance"/>, or the preset's.</summary>
    public double? LowNoiseGuidance { get; init; }

    /// <summary>The part of the steps, from the first, in which guidance is applied, 0 to 1; null for the preset's.</summary>
    public double? GuidanceUntil { get; init; }

    /// <summary>"unipc", "dpm++", "euler" or "lcm"; null for the preset's.</summary>
    public string? Sampler { get; init; }

    /// <summary>Schedule shift; null for the preset's.</summary>
    public double? Shift { get; init; }

    /// <summary>The timesteps that the model was distilled to, before the shift, falling from at most 1000; empty for the preset's.</summary>
    public IReadOnlyList<double> Timesteps { get; init; } = [];

    /// <summary>What spares passes where steps hardly differ; null for the preset's.</summary>
    public StepCacheRequest? StepCache { get; init; }

    /// <summary>Features asked for that this version does not build; each is refused by name.</summary>
    public IReadOnlyList<UnbuiltFeature> Unbuilt { get; init; } = [];
}
