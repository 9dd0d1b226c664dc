using EditorBridge.Diffusion.Caching;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>What a sampling run may leave out.</summary>
public sealed record SamplingOptions
{
    /// <summary>The steps, from 0, in which guidance is applied; in the others the pass without the prompt is not computed.</summary>
    public Range GuidedSteps { get; init; } = Range.All;

    /// <summary>Spares passes where steps hardly differ; null computes every one. The caller disposes it.</summary>
    public StepCache? Cache { get; init; }
}
