using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>Euler's method: <c>x += (σ_next − σ)·v</c>. No history.</summary>
public sealed class EulerSampler(FlowSchedule schedule) : FlowSampler(schedule)
{
    /// <inheritdoc/>
    public override string Name => "euler";

    private protected override Tensor Advance(Tensor velocity, Tensor sample) =>
        Combine((1, sample), (Sigma(Index + 1) - Sigma(Index), velocity));

    private protected override IReadOnlyCollection<string> HistoryAt(int index) => [];
}
