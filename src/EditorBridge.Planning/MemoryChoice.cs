using System.Globalization;
using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Planning;

/// <summary>
/// The memory a job needs on a machine, from the sizes of the model and the canvas, and the arrangement of the weights that fits. Rough by nature: right within about a
/// factor of one and a half.
/// </summary>
internal sealed record MemoryChoice
{
    // A .NET process with libtorch loaded, before any weight; on the GPU, what its libraries take.
    private const long ProcessBytes = 450L << 20;
    private const long DeviceBytes = 700L << 20;

    // What the system, and the editor beside it, are left.
    private const double Share = 0.9;

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
        var estimate = Estimate(latents);
        if (estimate is null || machine.Host > 0 && estimate.Peak > machine.Host * Share)
            return new() { Estimate = estimate ?? MemoryEstimate.None, Refusal = Refuse() };
        return new() { Estimate = estimate, Warnings = [.. Notes(estimate)] };

        MemoryEstimate? Estimate(long count)
        {
            var cpu = Cpu(model, canvas, count, sampling);
            return machine.Device == 0 ? cpu : Gpu(model, canvas, count, sampling, cpu, (long)(machine.Device * Share));
        }

        PlanRefusal Refuse()
        {
            var needed = machine.Device > 0 && estimate is null ? Streamed(model, canvas, latents, sampling) : estimate!.Peak;
            var (there, what) = machine.Device > 0 && estimate is null ? (machine.Device, "GPU memory") : (machine.Host, "memory");
            var fits = Enumerable.Range(1, (int)latents - 1).Reverse().Cast<int?>()
                .FirstOrDefault(count => Estimate(count!.Value) is { } smaller && (machine.Host == 0 || smaller.Peak <= machine.Host * Share));
            // A window's latents stand for one frame and then four each.
            var remedy = fits is { } most ? $"up to {4 * (most - 1) + 1} frames at once fit, with the context beside them: ask for fewer"
                : machine.Device > 0 && estimate is null ? "run the host with --device cpu, or choose a smaller model" : "choose a smaller model";
            return new("memory_too_small", "model", string.Create(CultureInfo.InvariantCulture,
                $"'{model.Name}' at {canvas.Width}x{canvas.Height} needs about {needed / 1e9:0.0} GB of {what} and this machine has {there / 1e9:0.0} GB; {remedy}."));
        }

        IEnumerable<PlanWarning> Notes(MemoryEstimate chosen)
        {
            if (chosen.Arrangement == MemoryArrangement.InTurns)
                yield return new("experts_in_turns", $"The GPU's memory holds one of the two transformers of '{model.Name}': they change places there once in every window.");
            if (chosen.Arrangement == MemoryArrangement.Streamed)
                yield return new("weights_streamed", $"'{model.Name}' does not fit the GPU's memory as a whole: its blocks go through it one by one in every step, which takes longer.");
            var every = chosen.Arrangement == MemoryArrangement.Resident ? 0 : Mapped(model.TransformerParameters, model.TransformerBytes, model);
            if (machine.Host > 0 && every > 0 && chosen.Peak + every > machine.Host)
            {
                yield return new("weights_from_disk", string.Create(CultureInfo.InvariantCulture,
                    $"The {every / 1e9:0.0} GB of weights of '{model.Name}' do not fit this machine's memory beside the job: they are read from disk in every step, which is slow."));
            }
        }
    }

    /// <summary>What must be free of the GPU's memory for a plan in the arrangement that needs least of it.</summary>
    public static long LeastOnDevice(Plan plan) => (long)(Streamed(plan.Model, plan.Canvas.Size, Latents(plan.Windows), plan.Sampling) / Share);

    private static long Latents(IReadOnlyList<WindowPlan> windows) => windows.Max(w => w.Latents + (w.AfterInSlots ? 0 : w.AfterLatents));

    private static MemoryEstimate Cpu(ModelCapabilities model, CanvasSize canvas, long latents, SamplingPlan sampling)
    {
        var weights = InMemory(model.TransformerParameters) + InMemory(model.TextEncoderParameters) + InMemory(model.VaeParameters)
            + InMemory(model.LowNoiseParameters) + InMemory(model.ImageEncoderParameters);
        var tokens = Tokens(model, canvas, latents);
        // Residual and modulated input, q, k, v and what norm and rotation make of them, attention's output; the feed-forward part before and after its activation.
        var transformer = tokens * ((10L * model.Dim) + (2L * model.FeedForward)) * 4 + Texts(model, sampling, 4) + Residuals(model, sampling, tokens);
        var vae = Vae(model, canvas);
        return new MemoryEstimate
        {
            Arrangement = MemoryArrangement.Cpu,
            Weights = weights,
            Mapped = Mapped(model.TransformerParameters, model.TransformerBytes, model) + Mapped(model.TextEncoderParameters, model.TextEncoderBytes, model)
                + Mapped(model.VaeParameters, model.VaeBytes, model) + Mapped(model.LowNoiseParameters, model.LowNoiseBytes, model)
                + Mapped(model.ImageEncoderParameters, model.ImageEncoderBytes, model),
            TransformerActivations = transformer,
            VaeStreaming = vae,
            Peak = ProcessBytes + weights + Math.Max(transformer, vae),
        };
    }

    private static MemoryEstimate? Gpu(ModelCapabilities model, CanvasSize canvas, long latents, SamplingPlan sampling, MemoryEstimate cpu, long most)
    {
        var onDevice = cpu with
        {
            // Pinned memory through which weights go, and what is loaded before it goes.
            Peak = ProcessBytes + (1L << 30),
            TransformerActivations = DeviceActivations(model, canvas, latents, sampling),
        };
        var (high, low) = (DeviceWeights(model.TransformerParameters, model.TransformerBytes, model), DeviceWeights(model.LowNoiseParameters, model.LowNoiseBytes, model));
        var beside = DeviceWeights(model.VaeParameters, model.VaeBytes, model) + DeviceBytes + Math.Max(onDevice.TransformerActivations, onDevice.VaeStreaming);
        if (beside + high + low <= most)
            return onDevice with { Arrangement = MemoryArrangement.Resident, DevicePeak = beside + high + low };
        if (low > 0 && beside + Math.Max(high, low) <= most)
            return onDevice with { Arrangement = MemoryArrangement.InTurns, DevicePeak = beside + Math.Max(high, low) };
        var streamed = Streamed(model, canvas, latents, sampling);
        return streamed <= most ? onDevice with { Arrangement = MemoryArrangement.Streamed, DevicePeak = streamed } : null;
    }

    // Two blocks of each transformer at a time, of which one is on its way; the VAE stays.
    private static long Streamed(ModelCapabilities model, CanvasSize canvas, long latents, SamplingPlan sampling)
    {
        var blocks = 2 * (DeviceWeights(model.TransformerParameters, model.TransformerBytes, model) + DeviceWeights(model.LowNoiseParameters, model.LowNoiseBytes, model)) / model.Layers;
        return DeviceBytes + blocks + DeviceWeights(model.VaeParameters, model.VaeBytes, model)
            + Math.Max(DeviceActivations(model, canvas, latents, sampling), Vae(model, canvas));
    }

    // In bfloat16 but for the residual stream, its update and what norms compute.
    private static long DeviceActivations(ModelCapabilities model, CanvasSize canvas, long latents, SamplingPlan sampling)
        => Tokens(model, canvas, latents) * ((28L * model.Dim) + (6L * model.FeedForward)) + Texts(model, sampling, 2) + Residuals(model, sampling, Tokens(model, canvas, latents));

    private static long Tokens(ModelCapabilities model, CanvasSize canvas, long latents)
    {
        long cell = model.SpatialStride * model.Patch;
        return latents * (canvas.Width / cell) * (canvas.Height / cell);
    }

    // Keys and values of every block for each text.
    private static long Texts(ModelCapabilities model, SamplingPlan sampling, int bytes) => 2L * sampling.PassesPerStep * model.Layers * model.TextLength * model.Dim * bytes;

    // TeaCache keeps what the blocks add to every token, for each pass; EasyCache a few latents, which are nothing beside the rest.
    private static long Residuals(ModelCapabilities model, SamplingPlan sampling, long tokens) =>
        sampling.StepCache is { Method: "teacache" } ? 4L * sampling.PassesPerStep * tokens * model.Dim : 0;

    // Streaming cache of 28 bytes a pixel and base channel, and about six full-resolution tensors of a four-frame chunk at work.
    private static long Vae(ModelCapabilities model, CanvasSize canvas) => 76L * model.VaeDecoderBase * canvas.Width * canvas.Height;

    private static long InMemory(long parameters) => parameters < NamedTensor.FewValues ? 4 * parameters : 0;

    private static long Mapped(long parameters, long stored, ModelCapabilities model) => parameters < NamedTensor.FewValues ? 0 : Stored(parameters, stored, model);

    // Blocks of GGUF are unpacked to two bytes a value on their way.
    private static long DeviceWeights(long parameters, long stored, ModelCapabilities model)
        => parameters < NamedTensor.FewValues ? 4 * parameters : Stored(parameters, stored, model) is var bytes && bytes < parameters ? 2 * parameters : bytes;

    private static long Stored(long parameters, long stored, ModelCapabilities model) => stored > 0 ? stored : parameters * model.BytesPerParameter;
}
