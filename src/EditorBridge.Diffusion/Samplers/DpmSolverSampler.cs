using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>
/// DPM-Solver++(2M), midpoint, in the flow convention (Lu et al., "DPM-Solver++", 2022), as the original Wan code runs it: the first
/// step and the last are of first order.
/// </summary>
public sealed class DpmSolverSampler(FlowSchedule schedule) : FlowSampler(schedule)
{
    private const string Clean = "clean";

    /// <inheritdoc/>
    public override string Name => "dpm-solver++";

    private protected override Tensor Advance(Tensor velocity, Tensor sample)
    {
        var (s, t) = (Index, Index + 1);
        var clean = PredictClean(velocity, sample);

        var h = Lambda(t) - Lambda(s);
        var decay = Math.Exp(-h) - 1;
        var keep = Sigma(t) / Sigma(s);
        var first = -Alpha(t) * decay;

        Tensor next;
        if (s == 0 || t == Schedule.Steps)
        {
            next = Combine((keep, sample), (first, clean));
        }
        else
        {
            // From σ = 1 the ratio is infinite and the second-order term vanishes.
            var ratio = (Lambda(s) - Lambda(s - 1)) / h;
            var second = 0.5 * first / ratio;
            next = Combine((keep, sample), (first + second, clean), (-second, Remembered(Clean)));
        }

        Remember(Clean, clean);
        return next;
    }

    private protected override IReadOnlyCollection<string> HistoryAt(int index) => index == 0 ? [] : [Clean];
}
