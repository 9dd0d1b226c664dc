using EditorBridge.Diffusion.Caching;
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
    /// <param name="sampling">The plan's settings.</param>
    /// <param name="seed">The window's seed, for solvers that add noise.</param>
    /// <exception cref="GenerationException">The plan names a sampler that is not there.</exception>
    public static ISampler Solver(SamplingPlan sampling, long seed)
    {
        var kind = sampling.Sampler switch
        {
            "unipc" => SamplerKind.UniPC,
            "dpm++" => SamplerKind.DpmSolver,
            "euler" => SamplerKind.Euler,
            "lcm" => SamplerKind.Lcm,
            _ => throw new GenerationException("sampler_unknown", $"The plan names the sampler '{sampling.Sampler}', which this version does not have; submit the job again."),
        };
        var steps = sampling.Steps + sampling.Skipped;
        return sampling.Timesteps.Count > 0 || kind == SamplerKind.Lcm
            ? Sampler.Distilled(kind, sampling.Timesteps.Count > 0 ? sampling.Timesteps : FlowSchedule.EvenTimesteps(steps), sampling.Shift, sampling.Skipped, seed)
            : Sampler.Create(kind, steps, sampling.Shift, sampling.Skipped);
    }

    /// <summary>The step cache of a plan with nothing remembered, or null. The caller disposes it.</summary>
    /// <param name="sampling">The plan's settings.</param>
    /// <exception cref="GenerationException">The plan names a step cache that is not there.</exception>
    public static StepCache? Cache(SamplingPlan sampling) => sampling.StepCache switch
    {
        null => null,
        { Method: "easycache" } easy => new EasyCache(easy.Threshold, easy.FirstSteps),
        { Method: "teacache" } tea => new TeaCache(tea.Threshold, tea.FirstSteps, tea.Coefficients),
        var other => throw new GenerationException("step_cache_unknown", $"The plan names the step cache '{other.Method}', which this version does not have; submit the job again."),
    };

    /// <summary>The seed of a window: the take's own for the first, mixed with the window's number for later ones.</summary>
    public static long Seed(long take, int window) => NoiseSeed.OfWindow(take, window);
}
