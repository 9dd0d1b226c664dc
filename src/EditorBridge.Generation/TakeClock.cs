using EditorBridge.Planning;

namespace EditorBridge.Generation;

/// <summary>Counts a take's work in operations, times it, and says how much is left.</summary>
internal sealed class TakeClock
{
    private readonly TimeProvider time;
    private readonly ITakeObserver observer;
    private readonly double[] passFlops;
    private readonly SamplingPlan sampling;
    private readonly double latentFlops;
    private readonly double whole;
    private readonly double[] done = new double[2];
    // Of the work that was timed: what was planned for it, and what was computed. A step cache spares some.
    private readonly double[] plannedFlops = new double[2];
    private readonly double[] measuredFlops = new double[2];
    private readonly double[] measuredSeconds = new double[2];
    private readonly int windows;
    private readonly Action worked;
    private double ahead;

    /// <param name="plan">The plan.</param>
    /// <param name="tile">Longest side in latents of the VAE's tiles; 0 for whole pictures.</param>
    /// <param name="observer">Is told.</param>
    /// <param name="time">The clock.</param>
    /// <param name="worked">Called after each piece of timed work.</param>
    public TakeClock(Plan plan, int tile, ITakeObserver observer, TimeProvider time, Action? worked = null)
    {
        this.worked = worked ?? (() => { });
        this.observer = observer;
        this.time = time;
        windows = plan.Windows.Count;
        sampling = plan.Sampling;
        passFlops = [.. plan.Windows.Select(w => Estimates.TransformerFlops(plan.Model, Estimates.Tokens(plan.Model, plan.Canvas.Size, w)))];
        latentFlops = Estimates.DecodeFlops(plan.Model, plan.Canvas.Size, tile);
        Sampling = passFlops.Sum() * sampling.Passes;
        Decoding = plan.Windows.Sum(w => w.Latents) * latentFlops;
        whole = Sampling + Decoding;
    }

    private double Sampling { get; }

    private double Decoding { get; }

    /// <summary>Seconds of each stage.</summary>
    public double SamplingSeconds => measuredSeconds[0];

    /// <summary>Seconds of encoding context and decoding.</summary>
    public double VaeSeconds => measuredSeconds[1];

    /// <summary>Passes of the transformer that were computed.</summary>
    public int ComputedPasses { get; private set; }

    /// <summary>The speed of this run, from what was computed; null when it did only one kind of work.</summary>
    public SpeedFigures? Speed => measuredSeconds[0] > 0 && measuredSeconds[1] > 0 && measuredFlops[0] > 0
        ? new SpeedFigures(TimeBasis.Measured, measuredFlops[0] / measuredSeconds[0], measuredFlops[1] / measuredSeconds[1])
        : null;

    /// <summary>First steps of a window that an earlier run took.</summary>
    public void SkipSteps(int window, int count) => done[0] += passFlops[window] * sampling.PassesIn(count);

    /// <summary>Times one solver step.</summary>
    /// <param name="window">The window.</param>
    /// <param name="step">The step, from 0.</param>
    /// <param name="work">Takes it and says how many passes were computed.</param>
    public void Step(int window, int step, Func<int> work)
    {
        var planned = sampling.PassesIn(step + 1) - sampling.PassesIn(step);
        var computed = Timed(0, passFlops[window] * planned, work);
        ComputedPasses += computed;
        measuredFlops[0] += passFlops[window] * computed;
    }

    /// <summary>Times the decoding of latents.</summary>
    public T Latents<T>(int count, Func<T> work)
    {
        var result = Timed(1, latentFlops * count, work);
        measuredFlops[1] += latentFlops * count;
        return result;
    }

    /// <summary>Tells the observer.</summary>
    public void Report(TakeStage stage, int window, int step, int of)
    {
        var fraction = stage == TakeStage.Writing && step == of ? 1 : Math.Min(0.999, (done[0] + done[1]) / whole);
        observer.Progress(new TakeProgress(stage, window, windows, step, of, Math.Max(ahead, fraction), Left()));
        ahead = Math.Max(ahead, fraction);
    }

    private double? Left()
    {
        double? Rate(int kind) => measuredSeconds[kind] > 0 ? plannedFlops[kind] / measuredSeconds[kind] : null;
        var sampled = Rate(0) ?? Rate(1);
        var decoded = Rate(1) ?? Rate(0);
        return sampled is null ? null : Math.Max(0, Sampling - done[0]) / sampled + Math.Max(0, Decoding - done[1]) / decoded;
    }

    private T Timed<T>(int kind, double flops, Func<T> work)
    {
        var start = time.GetTimestamp();
        var result = work();
        measuredSeconds[kind] += time.GetElapsedTime(start).TotalSeconds;
        worked();
        plannedFlops[kind] += flops;
        done[kind] += flops;
        return result;
    }
}
