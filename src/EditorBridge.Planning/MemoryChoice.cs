using System.Globalization;

namespace EditorBridge.Planning;

/// <summary>The memory a job needs on a machine, from the sizes of the model and the canvas, and the arrangement of weights and pictures that fits.</summary>
internal sealed record MemoryChoice
{
    /// <summary>The part of a machine's memory that jobs may have; the rest is the system's and the editor's.</summary>
    public const double Share = 0.9;

    // Longest sides of the VAE's tiles in pixels, from the least loss of time to the least memory. 0: whole pictures.
    private static readonly int[] TilePixels = [0, 512, 384, 256];

    private static readonly MemoryArrangement[] OnGpu = [MemoryArrangement.Resident, MemoryArrangement.InTurns, MemoryArrangement.Streamed];

    /// <summary>What is needed.</summary>
    public required MemoryEstimate Estimate { get; init; }

    /// <summary>Why the job does not fit, or null.</summary>
    public PlanRefusal? Refusal { get; init; }

    /// <summary>What to say of it.</summary>
    public IReadOnlyList<PlanWarning> Warnings { get; init; } = [];

    /// <summary>Chooses.</summary>
    public static MemoryChoice Choose(
        ModelCapabilities model, CanvasSize canvas, IReadOnlyList<WindowPlan> windows, SamplingPlan sampling, MachineMemory machine)
    {
        if (windows.Count == 0) return new() { Estimate = MemoryEstimate.None };
        var latents = Latents(windows);
        var job = new JobMemory(model, canvas, latents, sampling, Continues(windows));
        var tried = Ways(job, machine.Device > 0).ToList();
        if (tried.FirstOrDefault(Fits) is not { } chosen)
            return new() { Estimate = tried[^1], Refusal = Refuse(tried[^1]) };
        return new() { Estimate = chosen, Warnings = [.. Notes(chosen)] };

        bool Fits(MemoryEstimate way) => (machine.Host == 0 || way.Peak <= machine.Host * Share) && (machine.Device == 0 || way.DevicePeak <= machine.Device * Share);

        PlanRefusal Refuse(MemoryEstimate least)
        {
            var onDevice = machine.Device > 0 && least.DevicePeak > machine.Device * Share;
            var (needed, there, what) = onDevice ? (least.DevicePeak, machine.Device, "GPU memory") : (least.Peak, machine.Host, "memory");
            var fits = Enumerable.Range(1, (int)latents - 1).Reverse().Cast<int?>()
                .FirstOrDefault(count => Ways(job with { Latents = count!.Value }, machine.Device > 0).Any(Fits));
            // A window's latents stand for one frame and then four each.
            var remedy = fits is { } most ? $"up to {4 * (most - 1) + 1} frames at once fit, with the context beside them: ask for fewer"
                : onDevice ? "run the host with --device cpu, or choose a smaller model" : "choose a smaller model";
            return new("memory_too_small", "model", string.Create(CultureInfo.InvariantCulture,
                $"'{model.Name}' at {canvas.Width}x{canvas.Height} needs about {needed / 1e9:0.0} GB of {what} and this machine has {there / 1e9:0.0} GB; {remedy}."));
        }

        IEnumerable<PlanWarning> Notes(MemoryEstimate use)
        {
            if (use.Arrangement == MemoryArrangement.InTurns)
                yield return new("experts_in_turns", $"The GPU's memory holds one of the two transformers of '{model.Name}': they change places there once in every window.");
            if (use.Arrangement == MemoryArrangement.Streamed)
                yield return new("weights_streamed", $"'{model.Name}' does not fit the GPU's memory as a whole: its blocks go through it one by one in every step, which takes longer.");
            if (use.VaeTile > 0)
                yield return new("vae_tiled", $"Pictures of {canvas.Width}x{canvas.Height} do not fit memory while they are decoded: that is done in {Tiles(model, use.VaeTile)}, which takes longer.");
            var every = use.Arrangement == MemoryArrangement.Resident ? 0 : job.MappedTransformers;
            if (machine.Host > 0 && every > 0 && use.Peak + every > machine.Host)
            {
                yield return new("weights_from_disk", string.Create(CultureInfo.InvariantCulture,
                    $"The {every / 1e9:0.0} GB of weights of '{model.Name}' do not fit this machine's memory beside the job: they are read from disk in every step, which is slow."));
            }
        }
    }

    /// <summary>What must be free of the GPU's memory for a plan in the arrangement that needs least of it.</summary>
    public static long LeastOnDevice(Plan plan) => (long)(Ways(
        new JobMemory(plan.Model, plan.Canvas.Size, Latents(plan.Windows), plan.Sampling, Continues(plan.Windows)), onGpu: true).Min(way => way.DevicePeak) / Share);

    /// <summary>Tiles in words.</summary>
    public static string Tiles(ModelCapabilities model, int tile) => $"overlapping tiles of at most {tile * model.SpatialStride}x{tile * model.SpatialStride} pixels that are blended";

    // All ways that differ, the fastest first.
    private static IEnumerable<MemoryEstimate> Ways(JobMemory job, bool onGpu)
    {
        var (model, canvas) = (job.Model, job.Canvas);
        var side = Math.Max(canvas.Width, canvas.Height) / model.SpatialStride;
        int[] tiles = [.. TilePixels.Select(pixels => pixels / model.SpatialStride).Where(tile => tile == 0 || tile < side)];
        foreach (var arrangement in onGpu ? OnGpu : [MemoryArrangement.Cpu])
        {
            if (arrangement == MemoryArrangement.InTurns && model.LowNoiseParameters == 0) continue;
            foreach (var tile in tiles)
            {
                var memory = job with { VaeTile = tile };
                yield return new MemoryEstimate
                {
                    Arrangement = arrangement,
                    VaeTile = tile,
                    Weights = memory.Weights,
                    Mapped = memory.Mapped,
                    TransformerActivations = onGpu ? memory.DeviceActivations : memory.Texts + memory.Pass,
                    VaeStreaming = memory.Vae,
                    Peak = onGpu ? memory.PeakBesideDevice(arrangement) : memory.Peak,
                    DevicePeak = onGpu ? memory.PeakOnDevice(arrangement) : 0,
                };
            }
        }
    }

    private static bool Continues(IReadOnlyList<WindowPlan> windows) => windows.Any(w => w.BeforeFrames > 0);

    private static long Latents(IReadOnlyList<WindowPlan> windows) => windows.Max(w => w.Latents + (w.AfterInSlots ? 0 : w.AfterLatents));
}
