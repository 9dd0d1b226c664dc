using System.Text.Json;
using EditorBridge.Planning;
using Google.Protobuf.WellKnownTypes;
using V1 = EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Services;

/// <summary>Writes a plan as the contract has it.</summary>
internal static class PlanWriting
{
    /// <summary>The plan, with refusals the planner does not know of.</summary>
    public static V1.Plan ToContract(Plan plan, IReadOnlyList<V1.Refusal> further)
    {
        var delivery = plan.Request.Delivery;
        var written = new V1.Plan
        {
            Model = "models/" + plan.Model.Name,
            ModelHash = plan.Model.Hash,
            Mechanism = Mechanism(plan.Mechanism),
            Canvas = new V1.Canvas
            {
                Size = Size(plan.Canvas.Size.Width, plan.Canvas.Size.Height), Rate = Rate(plan.Canvas.Rate), Frames = plan.Mapping.CanvasFrames,
            },
            Direction = Direction(plan),
            ContextBeforeFrames = plan.Before?.Frames.Count ?? 0,
            ContextAfterFrames = plan.After?.Frames.Count ?? 0,
            Solver = plan.Sampling.Sampler,
            Steps = plan.Sampling.Steps,
            Guidance = plan.Sampling.Guidance,
            Shift = plan.Sampling.Shift,
            EffectivePrompt = plan.Prompt,
            PeakMemoryBytes = plan.Memory.Peak,
            PeakDeviceMemoryBytes = plan.Memory.DevicePeak,
            DiskBytes = DiskBytes(plan),
            EstimatedTime = plan.Time.Basis == TimeBasis.Unknown ? null : Duration.FromTimeSpan(TimeSpan.FromSeconds(Math.Min(plan.Time.TotalSeconds, 1e8))),
            TimeBasis = (V1.Plan.Types.TimeBasis)(int)plan.Time.Basis,
            Frames = delivery.Frames,
            Rate = Rate(delivery.Rate),
            Size = Size(delivery.Width, delivery.Height),
            RateConversion = plan.Mapping.OneToOne ? "one for one" : $"{plan.Canvas.Rate} to {delivery.Rate}",
            Preset = plan.Sampling.Preset,
            GuidanceUntil = plan.Sampling.GuidanceUntil,
            Passes = plan.Sampling.Passes,
            StepCache = plan.Sampling.StepCache is { } cache ? new V1.StepCache
            {
                Method = cache.Method == "teacache" ? V1.StepCache.Types.Method.TeaCache : V1.StepCache.Types.Method.EasyCache, Threshold = cache.Threshold, FirstSteps = cache.FirstSteps,
            } : null,
            PlannerJson = JsonSerializer.Serialize(plan, PlanningJson.Default.Plan),
        };
        if (plan.Sampling.LowNoiseGuidance is { } low) written.LowNoiseGuidance = low;
        written.Windows.AddRange(plan.Windows.Select(w => new V1.Window
        {
            Frames = w.Frames,
            Latents = w.Latents,
            Deliver = new V1.FrameRange { Start = w.WantedStart, Duration = w.Deliver.Duration },
            ContextBeforeFrames = w.BeforeFrames,
            ContextAfterFrames = w.AfterFrames,
        }));
        written.Timesteps.AddRange(plan.Sampling.Timesteps);
        written.Seeds.AddRange(plan.Takes.Select(t => t.Seed));
        written.Warnings.AddRange(plan.Warnings.Select(w => new V1.Notice { Code = w.Code.ToUpperInvariant(), Message = w.Message }));
        written.Refusals.AddRange(plan.Refusals.Select(r =>
            new V1.Refusal { Field = "spec." + r.Field, Reason = r.Code.ToUpperInvariant(), Message = r.Message }));
        written.Refusals.AddRange(further);
        written.Feasible = written.Refusals.Count == 0;
        return written;
    }

    /// <summary>Frozen frames at 6 bytes a pixel, latents and saved state, and clips at the worst rate of the codecs.</summary>
    private static long DiskBytes(Plan plan)
    {
        if (plan.Windows.Count == 0) return 0;
        var delivery = plan.Request.Delivery;
        var pixels = (long)delivery.Width * delivery.Height;
        var context = (plan.Before?.Frames.Count ?? 0) + (plan.After?.Frames.Count ?? 0) + plan.Inputs.Sum(input => input.Read.Frames.Count);
        var cells = (long)plan.Canvas.Size.Width / plan.Model.SpatialStride * (plan.Canvas.Size.Height / plan.Model.SpatialStride) * plan.Model.LatentChannels;
        var latents = plan.Windows.Sum(w => (long)w.Latents + w.AfterLatents) * cells * sizeof(float);
        // Saved state is the latents, two earlier predictions of the solver, and the decoder's cache, which is of their order; EasyCache has five tensors of it.
        var cached = plan.Sampling.StepCache switch
        {
            null => 0,
            { Method: "teacache" } => 4 * plan.Sampling.PassesPerStep * plan.Windows.Max(w => Estimates.Tokens(plan.Model, plan.Canvas.Size, w)) * plan.Model.Dim,
            _ => 5 * latents,
        };
        return (context * pixels * 6) + (plan.Takes.Count * ((5 * latents) + cached + (delivery.Frames * pixels)));
    }

    private static V1.Plan.Types.Mechanism Mechanism(Mechanism mechanism) => mechanism switch
    {
        Planning.Mechanism.Handles => V1.Plan.Types.Mechanism.Handles,
        Planning.Mechanism.Text => V1.Plan.Types.Mechanism.Text,
        Planning.Mechanism.CleanContext => V1.Plan.Types.Mechanism.CleanContext,
        Planning.Mechanism.BestEffortContext => V1.Plan.Types.Mechanism.BestEffortContext,
        Planning.Mechanism.VideoContext => V1.Plan.Types.Mechanism.VideoContext,
        Planning.Mechanism.FirstLastFrame => V1.Plan.Types.Mechanism.FirstLastFrame,
        Planning.Mechanism.FirstFrame => V1.Plan.Types.Mechanism.FirstFrame,
        Planning.Mechanism.NoisedSource => V1.Plan.Types.Mechanism.NoisedSource,
        Planning.Mechanism.MaskedVideo => V1.Plan.Types.Mechanism.MaskedVideo,
        _ => V1.Plan.Types.Mechanism.Unspecified,
    };

    private static V1.Plan.Types.Direction Direction(Plan plan) =>
        plan.Windows.Count == 0 ? V1.Plan.Types.Direction.Unspecified
        : plan.Backward ? V1.Plan.Types.Direction.Backward
        : plan.After is not null ? V1.Plan.Types.Direction.Bridge
        : V1.Plan.Types.Direction.Forward;

    private static V1.PixelSize Size(int width, int height) => new() { Width = width, Height = height };

    private static V1.FrameRate Rate(Timeline.FrameRate rate) => new() { Numerator = rate.Numerator, Denominator = rate.Denominator };
}
