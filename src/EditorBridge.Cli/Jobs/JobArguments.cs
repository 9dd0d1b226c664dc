using EditorBridge.Protocol.V1;
using FrameRate = EditorBridge.Timeline.FrameRate;

namespace EditorBridge.Cli.Jobs;

/// <summary>Where a new clip goes when it lengthens another.</summary>
internal enum PlaceRule
{
    /// <summary>Into the gap beside the clip where that is free for all frames, else on a track above.</summary>
    Gap,

    /// <summary>On a track above.</summary>
    Above,

    /// <summary>Beside the clip, moving what follows on every track.</summary>
    Ripple,
}

/// <summary>A picture that the clip shows at a frame.</summary>
/// <param name="Path">The picture.</param>
/// <param name="Frame">The frame of the clip, from 0; null for the last.</param>
internal sealed record PictureAt(string Path, long? Frame);

/// <summary>What the command line of a job verb says.</summary>
internal sealed record JobArguments
{
    public required JobSpec.Types.Kind Kind { get; init; }
    public required bool PlanOnly { get; init; }
    public required string Timeline { get; init; }
    public string? Out { get; init; }
    public int? Track { get; init; }
    public string? In { get; init; }
    public string? OutPoint { get; init; }
    public bool InclusiveOut { get; init; }
    public string? Clip { get; init; }
    public bool Head { get; init; }
    public long? Frames { get; init; }
    public int? Gap { get; init; }
    public bool AllGaps { get; init; }
    public string Prompt { get; init; } = "";
    public string Negative { get; init; } = "";
    public string? Reference { get; init; }
    public IReadOnlyList<string> Subjects { get; init; } = [];
    public IReadOnlyList<PictureAt> Keyframes { get; init; } = [];
    public string? Control { get; init; }
    public double? ControlStrength { get; init; }
    public double? Strength { get; init; }
    public string? Mask { get; init; }
    public bool InvertMask { get; init; }
    public double Feather { get; init; }
    public Padding? Padding { get; init; }
    public bool Loop { get; init; }
    public IReadOnlyList<Lora> Loras { get; init; } = [];
    public int? Context { get; init; }
    public double? Guidance { get; init; }
    public string? Model { get; init; }
    public long? Seed { get; init; }
    public int Takes { get; init; } = 1;
    public PlaceRule? Place { get; init; }
    public bool Generate { get; init; }
    public Delivery.Types.Codec Codec { get; init; }
    public string? MediaDirectory { get; init; }
    public (int Width, int Height)? Size { get; init; }
    public FrameRate? Rate { get; init; }
    public int? Steps { get; init; }
    public string Preset { get; init; } = "";
    public double? GuidanceUntil { get; init; }
    public StepCache? Cache { get; init; }
    public SamplerOptions.Types.Solver Solver { get; init; }
    public double? Shift { get; init; }
    public IReadOnlyList<double> Timesteps { get; init; } = [];
}
