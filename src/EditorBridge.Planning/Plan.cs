using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>How a plan makes its frames.</summary>
public enum Mechanism
{
    /// <summary>Nothing: the plan is refused.</summary>
    None,

    /// <summary>Handles left in the source media cover the frames: the clip is trimmed out, nothing is generated.</summary>
    Handles,

    /// <summary>Prompt alone.</summary>
    Text,

    /// <summary>Context frames as clean latents in the way the model was trained.</summary>
    CleanContext,

    /// <summary>Context frames in a way the model was not trained for.</summary>
    BestEffortContext,

    /// <summary>Context frames as a video with a mask, in the way VACE models were trained.</summary>
    VideoContext,

    /// <summary>The frame before and the frame after, for models that lead from a picture to another.</summary>
    FirstLastFrame,

    /// <summary>One frame before, for models that begin with a picture.</summary>
    FirstFrame,

    /// <summary>A source video under noise of the level that its strength asks for (Meng et al., "SDEdit", 2022).</summary>
    NoisedSource,

    /// <summary>A source video with a mask of what is made anew, in the way VACE models were trained.</summary>
    MaskedVideo,
}

/// <summary>Where a window's context comes from.</summary>
public enum ContextOrigin
{
    /// <summary>No context on this side.</summary>
    None,

    /// <summary>The frozen inputs of the job.</summary>
    Source,

    /// <summary>Float frames of the window made just before this one.</summary>
    Window,
}

/// <summary>How the delivery picture lies on the canvas.</summary>
public enum CanvasFit
{
    /// <summary>The whole picture covers the whole canvas, each axis by its own scale, and is scaled back the same way.</summary>
    Stretch,

    /// <summary>The picture keeps its aspect in the middle of the canvas; context is mirrored beyond its edges, and what is generated there is cut off.</summary>
    Inset,
}

/// <summary>The canvas a plan works in.</summary>
public sealed record CanvasPlan
{
    /// <summary>Size in pixels.</summary>
    public required CanvasSize Size { get; init; }

    /// <summary>Rate of its frames.</summary>
    public required FrameRate Rate { get; init; }

    /// <summary>How the delivery picture lies on it.</summary>
    public required CanvasFit Fit { get; init; }

    /// <summary>Left edge of the delivery picture on the canvas.</summary>
    public required int PictureX { get; init; }

    /// <summary>Upper edge of the delivery picture on the canvas.</summary>
    public required int PictureY { get; init; }

    /// <summary>Width of the delivery picture on the canvas.</summary>
    public required int PictureWidth { get; init; }

    /// <summary>Height of the delivery picture on the canvas.</summary>
    public required int PictureHeight { get; init; }
}

/// <summary>Context frames the host takes out of the user's media before the job starts.</summary>
public sealed record ContextRead
{
    /// <summary>The media file (or the reference picture).</summary>
    public required string Path { get; init; }

    /// <summary>The frames to read, in time order, counted from 0 at the media's first frame. Their number is 4n+1.</summary>
    public required IReadOnlyList<long> Frames { get; init; }
}

/// <summary>What a further input of a job is for.</summary>
public enum InputRole
{
    /// <summary>The video that is restyled, inpainted or outpainted: one frame for each delivered one.</summary>
    Source,

    /// <summary>The mask: one frame for each delivered one, or one for all.</summary>
    Mask,

    /// <summary>The video whose structure is followed: one frame for each delivered one, or one for all.</summary>
    Control,

    /// <summary>A picture that is met at a frame.</summary>
    Keyframe,

    /// <summary>A picture of a subject.</summary>
    Subject,
}

/// <summary>Frames beside the contexts that the host freezes before the job starts.</summary>
public sealed record PlannedInput
{
    /// <summary>Name of the frozen frames in the job's folder.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for.</summary>
    public required InputRole Role { get; init; }

    /// <summary>Which frames of which media.</summary>
    public required ContextRead Read { get; init; }

    /// <summary>The rate that the frames are counted at; null for the media's own.</summary>
    public FrameRate? Rate { get; init; }

    /// <summary>The wanted canvas frame that a keyframe is.</summary>
    public int CanvasFrame { get; init; }
}

/// <summary>
/// How delivered frames lie between canvas frames. Position −1 is the last frame before the cut, positions 0 … <see cref="CanvasFrames"/>−1 are
/// wanted canvas frames, position <see cref="CanvasFrames"/> is the first frame after them. Delivered frame d sits at
/// (<see cref="FirstNumerator"/> + d·<see cref="StepNumerator"/>) / <see cref="Denominator"/>.
/// </summary>
public sealed record FrameMapping
{
    /// <summary>Whether every delivered frame is a canvas frame of its own.</summary>
    public required bool OneToOne { get; init; }

    /// <summary>Wanted canvas frames.</summary>
    public required int CanvasFrames { get; init; }

    /// <summary>Delivered frames.</summary>
    public required int DeliveredFrames { get; init; }

    /// <summary>Position of delivered frame 0, in units of 1/<see cref="Denominator"/> canvas frame.</summary>
    public required long FirstNumerator { get; init; }

    /// <summary>The delivered frame nearest to a wanted canvas frame.</summary>
    /// <param name="canvas">From 0; beyond either end the outermost delivered frame is meant.</param>
    public int Nearest(int canvas) => StepNumerator == 0 ? 0
        : (int)Math.Clamp(Math.Round((canvas * (double)Denominator - FirstNumerator) / StepNumerator, MidpointRounding.AwayFromZero), 0, Math.Max(0, DeliveredFrames - 1));

    /// <summary>The wanted canvas frame nearest to a delivered frame.</summary>
    /// <param name="delivered">From 0.</param>
    public int CanvasFrame(int delivered) =>
        (int)Math.Clamp(Math.Round((FirstNumerator + delivered * (double)StepNumerator) / Denominator, MidpointRounding.AwayFromZero), 0, Math.Max(0, CanvasFrames - 1));

    /// <summary>Step from one delivered frame to the next, in the same unit; 0 for a still.</summary>
    public required long StepNumerator { get; init; }

    /// <summary>Units in one canvas frame.</summary>
    public required long Denominator { get; init; }

    /// <summary>The canvas frame at or before delivered frame <paramref name="delivered"/>, and how far (0 ≤ fraction &lt; 1) it lies towards the next.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such delivered frame.</exception>
    public (int Frame, double Fraction) Position(int delivered)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(delivered);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(delivered, DeliveredFrames);
        var (quotient, remainder) = Math.DivRem(FirstNumerator + delivered * StepNumerator, Denominator);
        if (remainder < 0) (quotient, remainder) = (quotient - 1, remainder + Denominator);
        return ((int)quotient, (double)remainder / Denominator);
    }
}

/// <summary>
/// One canvas of a plan. Its main sequence M has <see cref="Frames"/> = 4n+1 frames; the <see cref="BeforeFrames"/> context frames A are its first ones and
/// clean. Context B after it is a segment of its own, encoded alone, at <see cref="AfterQuarters"/>.
/// </summary>
public sealed record WindowPlan
{
    /// <summary>Place in the order of making, from 0. Windows that lead up to a cut are made from the cut backwards.</summary>
    public required int Order { get; init; }

    /// <summary>Frames T of the main sequence, 4n+1.</summary>
    public required int Frames { get; init; }

    /// <summary>Latents of the main sequence, (T−1)/4+1.</summary>
    public required int Latents { get; init; }

    /// <summary>Where context before comes from.</summary>
    public required ContextOrigin BeforeOrigin { get; init; }

    /// <summary>Context frames before, 4a+1 or 0: the first frames of the main sequence.</summary>
    public required int BeforeFrames { get; init; }

    /// <summary>Latents of the context at the start of the main sequence, 1+a or 0: clean, or sampled anew by models that are given frames in another way.</summary>
    public required int BeforeLatents { get; init; }

    /// <summary>Where context after comes from.</summary>
    public required ContextOrigin AfterOrigin { get; init; }

    /// <summary>Context frames after, 4b+1 or 0.</summary>
    public required int AfterFrames { get; init; }

    /// <summary>Latents of the segment after, 1+b or 0.</summary>
    public required int AfterLatents { get; init; }

    /// <summary>
    /// Whether the segment after takes the last slots of the main sequence (its first latent left out) instead of standing beside it: the best effort
    /// for a model without trained end context.
    /// </summary>
    public bool AfterInSlots { get; init; }

    /// <summary>
    /// First frames of the context after that are not given but generated and dropped, so that what is generated ends with a latent. Where
    /// <see cref="AfterLatents"/> is 0 and <see cref="AfterFrames"/> is not, they follow the kept frames in the main sequence.
    /// </summary>
    public int AfterSkipped { get; init; }

    /// <summary>Latents of the main sequence behind the context before.</summary>
    public required int GeneratedLatents { get; init; }

    /// <summary>Time of each main latent in quarters of a latent (= canvas frames): latent j at 4j.</summary>
    public required IReadOnlyList<int> MainQuarters { get; init; }

    /// <summary>Time of each latent of the segment after, in quarters of a latent on the main sequence's clock.</summary>
    public required IReadOnlyList<int> AfterQuarters { get; init; }

    /// <summary>The frames of the main sequence that are kept.</summary>
    public required FrameRange Deliver { get; init; }

    /// <summary>The wanted canvas frame that the first kept frame is.</summary>
    public required int WantedStart { get; init; }
}

/// <summary>One take of a plan.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Seed">Its seed.</param>
public sealed record TakePlan(int Number, long Seed);

/// <summary>A step cache, resolved.</summary>
public sealed record StepCachePlan
{
    /// <summary>"easycache" or "teacache".</summary>
    public required string Method { get; init; }

    /// <summary>How much relative change of the output may add up before a step is computed.</summary>
    public required double Threshold { get; init; }

    /// <summary>Steps at the start that are always computed.</summary>
    public required int FirstSteps { get; init; }

    /// <summary>TeaCache's polynomial, highest power first; empty for others.</summary>
    public IReadOnlyList<double> Coefficients { get; init; } = [];
}

/// <summary>Sampling settings, resolved.</summary>
public sealed record SamplingPlan
{
    /// <summary>The preset that what the request did not say comes from.</summary>
    public string Preset { get; init; } = SamplingPresets.Standard;

    /// <summary>"unipc", "dpm++", "euler" or "lcm".</summary>
    public required string Sampler { get; init; }

    /// <summary>Solver steps that are taken.</summary>
    public required int Steps { get; init; }

    /// <summary>Guidance; 1 means one pass a step.</summary>
    public required double Guidance { get; init; }

    /// <summary>Guidance of the expert for low noise; null for models with one transformer.</summary>
    public double? LowNoiseGuidance { get; init; }

    /// <summary>Schedule shift.</summary>
    public required double Shift { get; init; }

    /// <summary>Steps of the schedule that are left out, because a noised source stands in for what they would have made.</summary>
    public int Skipped { get; init; }

    /// <summary>The timesteps of the whole schedule, before the shift, of models that are distilled to a few; empty for the solver's own.</summary>
    public IReadOnlyList<double> Timesteps { get; init; } = [];

    /// <summary>The part of the steps, from the first, in which guidance is applied; 1 means all.</summary>
    public double GuidanceUntil { get; init; } = 1;

    /// <summary>What spares passes where steps hardly differ; null computes every one.</summary>
    public StepCachePlan? StepCache { get; init; }

    /// <summary>Steps, from the first, in which guidance is applied.</summary>
    public int GuidedSteps => Guidance == 1 && LowNoiseGuidance is null or 1 ? 0 : Math.Min(Steps, (int)Math.Ceiling(GuidanceUntil * Steps - 1e-9));

    /// <summary>Most passes of the transformer a step.</summary>
    public int PassesPerStep => GuidedSteps == 0 ? 1 : 2;

    /// <summary>Most passes of the transformer in all steps; a step cache may spare some.</summary>
    public int Passes => Steps + GuidedSteps;

    /// <summary>Most passes of the transformer in the first steps.</summary>
    /// <param name="steps">How many.</param>
    public int PassesIn(int steps) => steps + Math.Min(steps, GuidedSteps);
}

/// <summary>Where a time estimate comes from.</summary>
public enum TimeBasis
{
    /// <summary>Nothing is known of this machine's speed.</summary>
    Unknown,

    /// <summary>A one-second probe.</summary>
    Probe,

    /// <summary>A finished run of this model on this machine.</summary>
    Measured,
}

/// <summary>How long a plan will take.</summary>
public sealed record TimeEstimate
{
    /// <summary>Where it comes from. All but <see cref="TimeBasis.Unknown"/> give figures; every one is an estimate.</summary>
    public required TimeBasis Basis { get; init; }

    /// <summary>Seconds of sampling, all windows and takes.</summary>
    public required double SamplingSeconds { get; init; }

    /// <summary>Seconds of encoding context and decoding, all windows and takes.</summary>
    public required double VaeSeconds { get; init; }

    /// <summary>All seconds, with what starting and writing take.</summary>
    public required double TotalSeconds { get; init; }
}

/// <summary>Something a user should know before or after the run.</summary>
/// <param name="Code">Stable, lower_snake_case.</param>
/// <param name="Message">One sentence.</param>
public sealed record PlanWarning(string Code, string Message);

/// <summary>A reason why the request cannot be carried out.</summary>
/// <param name="Code">Stable, lower_snake_case.</param>
/// <param name="Field">The request's field at fault, in the contract's spelling.</param>
/// <param name="Message">One sentence that names the thing and the way out.</param>
public sealed record PlanRefusal(string Code, string Field, string Message);

/// <summary>The answer to "what would happen": everything a worker needs, and everything a person wants to know first.</summary>
public sealed record Plan
{
    /// <summary>Version of this record's JSON form.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The request it answers.</summary>
    public required JobRequest Request { get; init; }

    /// <summary>The model as it was when planned.</summary>
    public required ModelCapabilities Model { get; init; }

    /// <summary>How the frames are made.</summary>
    public required Mechanism Mechanism { get; init; }

    /// <summary>The canvas.</summary>
    public required CanvasPlan Canvas { get; init; }

    /// <summary>From canvas to delivered frames.</summary>
    public required FrameMapping Mapping { get; init; }

    /// <summary>The windows in the order they are made; empty when nothing is generated.</summary>
    public required IReadOnlyList<WindowPlan> Windows { get; init; }

    /// <summary>Context before that the host freezes, or null.</summary>
    public required ContextRead? Before { get; init; }

    /// <summary>Context after that the host freezes, or null.</summary>
    public required ContextRead? After { get; init; }

    /// <summary>Other frames that the host freezes.</summary>
    public IReadOnlyList<PlannedInput> Inputs { get; init; } = [];

    /// <summary>Sampling settings.</summary>
    public required SamplingPlan Sampling { get; init; }

    /// <summary>The takes.</summary>
    public required IReadOnlyList<TakePlan> Takes { get; init; }

    /// <summary>Prompt and negative prompt after defaults.</summary>
    public required string Prompt { get; init; }

    /// <summary>Negative prompt after defaults.</summary>
    public required string NegativePrompt { get; init; }

    /// <summary>Memory.</summary>
    public required MemoryEstimate Memory { get; init; }

    /// <summary>Time.</summary>
    public required TimeEstimate Time { get; init; }

    /// <summary>What a user should know.</summary>
    public required IReadOnlyList<PlanWarning> Warnings { get; init; }

    /// <summary>Why it cannot be done; empty when it can.</summary>
    public required IReadOnlyList<PlanRefusal> Refusals { get; init; }

    /// <summary>Whether there is nothing to refuse.</summary>
    public bool CanRun => Refusals.Count == 0;

    /// <summary>Whether the windows lead up to the cut and are made from it backwards.</summary>
    public bool Backward => Windows.Count > 0 && Windows[0].BeforeOrigin == ContextOrigin.None && Windows[0].AfterOrigin != ContextOrigin.None;

    /// <summary>Whether window <paramref name="order"/> is the one whose free end is the clip's own last made end.</summary>
    public bool IsLast(int order) => order == Windows.Count - 1;
}
