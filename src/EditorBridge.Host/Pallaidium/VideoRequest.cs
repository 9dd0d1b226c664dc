using EditorBridge.Host.Services;
using EditorBridge.Planning;
using EditorBridge.Protocol.V1;
using Delivery = EditorBridge.Protocol.V1.Delivery;
using FrameRate = EditorBridge.Protocol.V1.FrameRate;
using ModelCapabilities = EditorBridge.Planning.ModelCapabilities;
using SourceVideo = EditorBridge.Protocol.V1.SourceVideo;

namespace EditorBridge.Host.Pallaidium;

/// <summary>
/// The body of POST /v1/videos, after Pallaidium's Backend Contract v0.1 and its extensions. What a body has beyond this is left aside, as the
/// contract wants it.
/// </summary>
internal sealed record VideoRequest
{
    private const int DefaultFrames = 49;
    private const double DefaultRate = 24;

    /// <summary>Name of the model; empty for the default.</summary>
    public string? Model { get; init; }

    /// <summary>What is to be seen.</summary>
    public string? Prompt { get; init; }

    /// <summary>What is not to be seen.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>Pixels a row.</summary>
    public int? Width { get; init; }

    /// <summary>Rows.</summary>
    public int? Height { get; init; }

    /// <summary>Frames of the clip.</summary>
    public int? NumFrames { get; init; }

    /// <summary>Frames per second; 23.976 and its like mean the exact rates.</summary>
    public double? Fps { get; init; }

    /// <summary>The seed; negative or missing means any.</summary>
    public long? Seed { get; init; }

    /// <summary>Steps of the solver; 0 or missing means the model's.</summary>
    public int? NumInferenceSteps { get; init; }

    /// <summary>Weight of guidance; 0 or missing means the model's.</summary>
    public double? GuidanceScale { get; init; }

    /// <summary>The picture the clip goes on from.</summary>
    public string? ImageFileId { get; init; }

    /// <summary>The same as base64, for backends that know no files; not looked at when there is a file.</summary>
    public string? ImageB64 { get; init; }

    /// <summary>The picture the clip leads to.</summary>
    public string? LastImageFileId { get; init; }

    /// <summary>Pictures to be met on the way.</summary>
    public IReadOnlyList<Anchor?>? AnchorFileIds { get; init; }

    /// <summary>Pictures of who or what is seen.</summary>
    public IReadOnlyList<string>? ReferenceFileIds { get; init; }

    /// <summary>A video whose structure is followed: depth, pose, lines.</summary>
    public string? ControlFileId { get; init; }

    /// <summary>How much that video weighs, 0 to 2; 1 when missing.</summary>
    public double? ControlStrength { get; init; }

    /// <summary>A video that is made anew.</summary>
    public string? VideoFileId { get; init; }

    /// <summary>How far what is made of that video may go from it, above 0 to 1. Means nothing without one.</summary>
    public double? Strength { get; init; }

    /// <summary>Sounds to go by, which no clip here does.</summary>
    public IReadOnlyList<string>? ReferenceAudioIds { get; init; }

    /// <summary>A picture to be met at a part of the clip.</summary>
    /// <param name="FileId">The picture.</param>
    /// <param name="Fraction">From 0, the first frame, to 1, the last.</param>
    internal sealed record Anchor(string? FileId, double Fraction);

    /// <summary>
    /// The job this is. With a first and a last picture it is a fill: the frames between the two. With a last one alone, an extension at the head. With a video to
    /// follow, which fits one frame to another, B-roll with these pictures in it. With a video that is made anew, a restyling. What the model or this version cannot do
    /// goes into the job too, so that the plan refuses it by name.
    /// </summary>
    /// <param name="model">What the model can do, for the size where none is given.</param>
    /// <exception cref="Grpc.Core.RpcException">A field cannot be used.</exception>
    public JobSpec ToSpec(ModelCapabilities? model)
    {
        var frames = NumFrames ?? DefaultFrames;
        if (ReferenceAudioIds is { Count: > 0 }) throw Errors.Invalid("reference_audio_ids", "NOT_BUILT", "Clips are made without sound and go by none; leave the reference audio out.");
        var (first, last, control) = (Given(ImageFileId), Given(LastImageFileId), Given(ControlFileId));
        // Some name the video to follow by both fields.
        var source = VideoFileId == control ? null : Given(VideoFileId);
        var spec = new JobSpec
        {
            Kind = source is not null ? JobSpec.Types.Kind.Restyle
                : control is not null || last is null ? JobSpec.Types.Kind.Broll
                : first is not null ? JobSpec.Types.Kind.Fill : JobSpec.Types.Kind.Extend,
            Prompt = Prompt ?? "",
            NegativePrompt = NegativePrompt ?? "",
            Delivery = new Delivery { Size = Size(model), Rate = Rate(), Frames = frames, Codec = Delivery.Types.Codec.H264 },
            Model = string.IsNullOrEmpty(Model) ? "" : "models/" + Model,
            Takes = 1,
            Placement = new Placement { Application = "pallaidium" },
        };
        if (Seed is >= 0 and { } seed) spec.Seed = seed;
        if (NumInferenceSteps is not (null or 0) || GuidanceScale is not (null or 0)) spec.Sampler = new SamplerOptions();
        if (NumInferenceSteps is not (null or 0)) spec.Sampler.Steps = NumInferenceSteps.Value;
        if (GuidanceScale is not (null or 0)) spec.Sampler.Guidance = GuidanceScale.Value;
        if (spec.Kind is JobSpec.Types.Kind.Fill or JobSpec.Types.Kind.Extend)
        {
            if (first is not null) spec.ContextBefore = Still(first, "image_file_id");
            spec.ContextAfter = Still(last!, "last_image_file_id");
        }
        else
        {
            if (first is not null) spec.References.Add(Picture(first, "image_file_id", Reference.Types.Role.FirstFrame));
            if (last is not null) spec.References.Add(Picture(last, "last_image_file_id", Reference.Types.Role.LastFrame));
        }

        // The add-on names the picture that a clip begins with once more, before those that were chosen as references.
        foreach (var id in ReferenceFileIds ?? [])
            if (id != first) spec.References.Add(Picture(id, "reference_file_ids", Reference.Types.Role.Subject));
        foreach (var anchor in AnchorFileIds ?? [])
        {
            if (anchor is null || !double.IsFinite(anchor.Fraction)) throw Errors.Invalid("anchor_file_ids", "INVALID_ARGUMENT", "An anchor has a file_id, and a fraction from 0 to 1.");
            spec.Keyframes.Add(new Keyframe
            {
                Media = PallaidiumFiles.Uploaded(anchor.FileId, "anchor_file_ids"), Position = (long)Math.Round(Math.Clamp(anchor.Fraction, 0, 1) * Math.Max(0, frames - 1)),
            });
        }

        if (control is not null)
        {
            spec.ControlVideo = new ControlVideo { Segment = Whole(control, "control_file_id") };
            if (ControlStrength is { } weight) spec.ControlVideo.Strength = weight;
        }

        if (source is not null)
        {
            spec.SourceVideo = new SourceVideo { Segment = Whole(source, "video_file_id") };
            if (Strength is { } strength) spec.SourceVideo.Strength = strength;
        }

        return spec;
    }

    private static string? Given(string? id) => string.IsNullOrEmpty(id) ? null : id;

    private static Reference Picture(string id, string field, Reference.Types.Role role) => new() { Media = PallaidiumFiles.Uploaded(id, field), Role = role };

    private static MediaSegment Whole(string id, string field) => new() { Media = PallaidiumFiles.Uploaded(id, field) };

    private PixelSize Size(ModelCapabilities? model)
    {
        if (Width < 0) throw Errors.Invalid("width", "INVALID_ARGUMENT", $"A width of {Width} cannot be; leave it out for the model's own.");
        if (Height < 0) throw Errors.Invalid("height", "INVALID_ARGUMENT", $"A height of {Height} cannot be; leave it out for the model's own.");
        var own = model?.Sizes.FirstOrDefault() ?? new CanvasSize(0, 0);
        return new PixelSize { Width = Width is > 0 ? Width.Value : own.Width, Height = Height is > 0 ? Height.Value : own.Height };
    }

    private FrameRate Rate()
    {
        var fps = Fps ?? DefaultRate;
        if (!double.IsFinite(fps) || fps is < 1 or > 240) throw Errors.Invalid("fps", "INVALID_ARGUMENT", $"{fps} is not a frame rate; give one from 1 to 240.");
        var rate = Timeline.FrameRate.Snap(fps);
        return new FrameRate { Numerator = rate.Numerator, Denominator = rate.Denominator };
    }

    private static ContextFrames Still(string id, string field) => new()
    {
        Segment = new MediaSegment { Media = PallaidiumFiles.Uploaded(id, field), Range = new FrameRange { Start = 0, Duration = 1 } },
    };
}
