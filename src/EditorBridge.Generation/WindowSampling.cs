using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Planning;

namespace EditorBridge.Generation;

/// <summary>What a planned window means to the sampler.</summary>
internal static class WindowSampling
{
    /// <summary>The layout of a planned window for the transformer.</summary>
    /// <param name="window">The window.</param>
    /// <param name="conditioning">How the model is given frames: all but clean latents are sampled anew with the rest.</param>
    public static ConditioningLayout Layout(WindowPlan window, Conditioning conditioning = Conditioning.CleanLatents) => conditioning != Conditioning.CleanLatents
        ? ConditioningLayout.Alone(window.Latents)
        : new ConditioningLayout
        {
            MainQuarters = window.MainQuarters,
            HeadLatents = window.BeforeLatents,
            TailLatents = window.AfterInSlots ? window.AfterLatents : 0,
            AfterQuarters = window.AfterInSlots ? [] : window.AfterQuarters,
        }.Checked();

    /// <summary>The solver of a plan, at its first step.</summary>
    /// <exception cref="GenerationException">The plan names a sampler that is not there.</exception>
    public static ISampler Solver(SamplingPlan sampling) => Sampler.Create(
        sampling.Sampler switch
        {
            "unipc" => SamplerKind.UniPC,
            "dpm++" => SamplerKind.DpmSolver,
            "euler" => SamplerKind.Euler,
            _ => throw new GenerationException("sampler_unknown", $"The plan names the sampler '{sampling.Sampler}', which this version does not have; submit the job again."),
        },
        sampling.Steps + sampling.Skipped, sampling.Shift, sampling.Skipped);

    /// <summary>The seed of a window: the take's own for the first, mixed with the window's number for later ones.</summary>
    public static long Seed(long take, int window) => NoiseSeed.OfWindow(take, window);
}
