using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>
/// UniPC of order 2 with B(h) = e^h − 1 (Zhao et al., "UniPC", 2023), predicting the clean sample, in the flow convention. Wan's default
/// solver. The corrector runs at every step but the first; the first and the last predictor step are of first order.
/// </summary>
public sealed class UniPCSampler(FlowSchedule schedule) : FlowSampler(schedule)
{
    private const string Clean = "clean";
    private const string CleanBefore = "clean_before";
    private const string LastSample = "last_sample";

    /// <inheritdoc/>
    public override string Name => "unipc";

    private protected override Tensor Advance(Tensor velocity, Tensor sample)
    {
        var clean = PredictClean(velocity, sample);
        if (Index > 0)
        {
            // Corrects the sample, not the clean prediction made from it.
            sample = Correct(clean);
            Remember(CleanBefore, Remembered(Clean));
        }

        Remember(Clean, clean);
        // The first sample is the caller's own, who may go on to write into it.
        Remember(LastSample, Index == 0 ? sample.clone() : sample);
        return Predict(sample);
    }

    private int OrderAt(int index) => Math.Min(Math.Min(2, Schedule.Steps - index), index + 1);

    private Tensor Predict(Tensor sample)
    {
        var (s, t) = (Index, Index + 1);
        var h = Lambda(t) - Lambda(s);
        var phi = Math.Exp(-h) - 1;
        var keep = Sigma(t) / Sigma(s);
        if (OrderAt(s) == 1)
            return Combine((keep, sample), (-Alpha(t) * phi, Remembered(Clean)));

        var ratio = (Lambda(s - 1) - Lambda(s)) / h;
        var second = -Alpha(t) * phi * 0.5 / ratio;
        return Combine((keep, sample), (-Alpha(t) * phi - second, Remembered(Clean)), (second, Remembered(CleanBefore)));
    }

    // Repeats the step that led to the present sample, now that the prediction at its end is known.
    private Tensor Correct(Tensor cleanNow)
    {
        var (s, t) = (Index - 1, Index);
        var h = Lambda(t) - Lambda(s);
        var phi = Math.Exp(-h) - 1;
        var keep = Sigma(t) / Sigma(s);
        var direct = -Alpha(t) * phi;
        if (OrderAt(s) == 1)
            return Combine((keep, Remembered(LastSample)), (0.5 * direct, Remembered(Clean)), (0.5 * direct, cleanNow));

        var ratio = (Lambda(s - 1) - Lambda(s)) / h;
        var shrink = phi / -h - 1;
        var b1 = shrink / phi;
        var b2 = 2 * (shrink / -h - 0.5) / phi;
        var rhoBefore = (b1 - b2) / (1 - ratio);
        var rhoNow = b1 - rhoBefore;

        var before = direct * rhoBefore / ratio;
        var now = direct * rhoNow;
        return Combine(
            (keep, Remembered(LastSample)),
            (direct - before - now, Remembered(Clean)),
            (before, Remembered(CleanBefore)),
            (now, cleanNow));
    }

    private protected override IReadOnlyCollection<string> HistoryAt(int index) => index switch
    {
        0 => [],
        1 => [Clean, LastSample],
        _ => [Clean, CleanBefore, LastSample],
    };
}
