using System.Globalization;
using EditorBridge.Diffusion.Native;
using EditorBridge.Generation;
using EditorBridge.Media;
using EditorBridge.Planning;

namespace EditorBridge.Benchmarks;

/// <summary>A whole job: plan, text, sampling, decoding, an encoded clip.</summary>
internal sealed class JobBenchmark(ComputeDevice device, Action<string> say)
{
    public Measurement Run(string name, string model, string work, CanvasSize canvas, int frames, int steps)
    {
        var tools = FFmpegTools.FindAsync(default).GetAwaiter().GetResult().Value;
        var rate = NetworkBenchmarks.MatrixRate(device);
        using var watch = MemoryWatch.Begin();
        LoadedModel? made = null;
        var load = Lap.Of(() => made = LoadedModel.Load(model, name, device.Name));
        using var loaded = made!;
        var plan = Planner.Plan(new JobRequest
        {
            Kind = JobKind.BRoll,
            Prompt = "snow falls on a quiet city at night, lanterns glow along the canal and a cat walks home",
            Delivery = new Delivery { Width = canvas.Width, Height = canvas.Height, Rate = loaded.Capabilities.CanvasRate, Frames = frames },
            Steps = steps,
            Seed = 7,
        }, loaded.Capabilities, SpeedFigures.Unknown);
        if (!plan.CanRun)
            throw new InvalidOperationException(plan.Refusals[0].Message);
        // A job that is there already would go on from where it ended.
        var place = Path.Combine(work, "job");
        if (Directory.Exists(place)) Directory.Delete(place, recursive: true);
        var folder = new JobFolder(place);
        folder.WritePlan(plan);
        TakeResult? result = null;
        var lap = Lap.Of(() => result = TakeRun.Run(folder, plan, 1, loaded, tools, new Said(say)));
        say(string.Create(CultureInfo.InvariantCulture, $"{name}: sampling {result!.SamplingSeconds:F0} s, VAE {result.VaeSeconds:F0} s, planned peak {plan.Memory.Peak / 1e9:F1} GB"));
        return new Measurement
        {
            Name = name, Device = loaded.Device.Name, Seconds = lap.Seconds, LoadSeconds = load.Seconds, PeakAnonymous = watch.Peak - watch.Start,
            Operations = plan.Windows.Sum(window => Estimates.TransformerFlops(plan.Model, Estimates.Tokens(plan.Model, plan.Canvas.Size, window))) * steps * plan.Sampling.PassesPerStep,
            MatrixRate = rate,
            Planned = plan.Memory.Peak,
            Mapped = Directory.EnumerateFiles(model, "*.safetensors", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length),
        };
    }

    private sealed class Said(Action<string> say) : ITakeObserver
    {
        private TakeStage? stage;

        public void Progress(TakeProgress progress)
        {
            if (progress.Stage != stage)
                say(progress.Stage.ToString());
            stage = progress.Stage;
        }

        public void Preview(TakePreview preview)
        {
        }
    }
}
