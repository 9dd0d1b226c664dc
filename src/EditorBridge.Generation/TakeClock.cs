using EditorBridge.Planning;

namespace EditorBridge.Generation;

/// <summary>Counts a take's work in operations, times it, and says how much is left.</summary>
internal sealed class TakeClock
{
    private readonly TimeProvider time;
    private readonly ITakeObserver observer;
    private readonly double[] stepFlops;
    private readonly double latentFlops;
    private readonly double whole;
    private readonly double[] done = new double[2];
    private readonly double[] measuredFlops = new double[2];
    private readonly double[] measuredSeconds = new double[2];
    private readonly int windows;
    private double ahead;

    public TakeClock(Plan plan, ITakeObserver observer, TimeProvider time)
    {
        this.observer = observer;
        this.time = time;
        windows = plan.Windows.Count;
        stepFlops = [.. plan.Windows.Select(w => Estimates.TransformerFlops(plan.Model, Estimates.Tokens(plan.Model, plan.Canvas.Size, w)) * plan.Sampling.PassesPerStep)];
        latentFlops = Estimates.DecodeFlops(plan.Model, plan.Canvas.Size);
        Sampling = plan.Windows.Select((w, i) => stepFlops[i] * plan.Sampling.Steps).Sum();
        Decoding = plan.Windows.Sum(w => w.Latents) * latentFlops;
        whole = Sampling + Decoding;
    }

    private double Sampling { get; }

    private double Decoding { get; }

    /// <summary>Seconds of each stage.</summary>
    public double SamplingSeconds => measuredSeconds[0];

    /// <summary>Seconds of encoding context and decoding.</summary>
    public double VaeSeconds => measuredSeconds[1];

    /// <summary>The speed of this run; null when it did only one kind of work.</summary>
    public SpeedFigures? Speed => measuredSeconds[0] > 0 && measuredSeconds[1] > 0
        ? new SpeedFigures(TimeBasis.Measured, measuredFlops[0] / measuredSeconds[0], measuredFlops[1] / measuredSeconds[1])
        : null;

    /// <summary>Work that an earlier run did.</summary>
    public void SkipSteps(int window, int count) => done[0] += stepFlops[window] * count;

    /// <summary>Times one solver step.</summary>
    public void Step(int window, Action work) => Timed(0, stepFlops[window], () =>
    {
        work();
        return true;
    });

    /// <summary>Times the decoding of latents.</summary>
    public T Latents<T>(int count, Func<T> work) => Timed(1, latentFlops * count, work);

    /// <summary>Tells the observer.</summary>
    public void Report(TakeStage stage, int window, int step, int of)
    {
        var fraction = stage == TakeStage.Writing && step == of ? 1 : Math.Min(0.999, (done[0] + done[1]) / whole);
        observer.Progress(new TakeProgress(stage, window, windows, step, of, Math.Max(ahead, fraction), Left()));
        ahead = Math.Max(ahead, fraction);
    }

    private double? Left()
    {
        double? Rate(int kind) => measuredSeconds[kind] > 0 ? measuredFlops[kind] / measuredSeconds[kind] : null;
        var sampling = Rate(0) ?? Rate(1);
        var decoding = Rate(1) ?? Rate(0);
        return sampling is null ? null : Math.Max(0, Sampling - done[0]) / sampling + Math.Max(0, Decoding - done[1]) / decoding;
    }

    private T Timed<T>(int kind, double flops, Func<T> work)
    {
        var start = time.GetTimestamp();
        var result = work();
        measuredSeconds[kind] += time.GetElapsedTime(start).TotalSeconds;
        measuredFlops[kind] += flops;
        done[kind] += flops;
        return result;
    }
}
