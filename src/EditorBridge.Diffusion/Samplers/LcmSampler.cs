using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>
/// The stochastic sampler of consistency and distribution-matching models (Luo et al., "Latent Consistency Models", 2023; Yin et al., "DMD2", 2024): each step predicts the clean
/// sample and puts it under fresh noise of the next level. No history: the noise of a step is drawn from the seed and the step's number.
/// </summary>
/// <param name="schedule">Noise levels.</param>
/// <param name="seed">The run's seed.</param>
public sealed class LcmSampler(FlowSchedule schedule, long seed) : FlowSampler(schedule)
{
    /// <inheritdoc/>
    public override string Name => "lcm";

    private protected override Tensor Advance(Tensor velocity, Tensor sample)
    {
        var clean = PredictClean(velocity, sample);
        var next = Sigma(Index + 1);
        if (next == 0)
            return clean;
        var noise = FlowSampling.Noise(sample.shape, NoiseSeed.OfStep(seed, Index)).to(sample.device);
        return Combine((1 - next, clean), (next, noise));
    }

    private protected override IReadOnlyCollection<string> HistoryAt(int index) => [];
}
