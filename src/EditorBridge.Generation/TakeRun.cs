using EditorBridge.Diffusion.Native;
using EditorBridge.Media;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>How a take is run; nothing here changes what it shows, except the number of threads in the last bits, and tiles a little.</summary>
public sealed record TakeOptions
{
    /// <summary>Threads of the networks. A take that goes on keeps the number it began with.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>How much sampling may be lost in a crash; zero saves every step.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a preview is made while sampling.</summary>
    public TimeSpan PreviewInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>What memory allows when the take begins: side in latents of the VAE's tiles, 0 for whole pictures; null for what was planned. A take that goes on keeps what it began with.</summary>
    public int? VaeTile { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What came of a take.</summary>
public sealed record TakeResult
{
    /// <summary>The take's number.</summary>
    public required int Take { get; init; }

    /// <summary>Its seed.</summary>
    public required long Seed { get; init; }

    /// <summary>The clip.</summary>
    public required string ClipPath { get; init; }

    /// <summary>Frames in it.</summary>
    public required int Frames { get; init; }

    /// <summary>What the colour correction did at each seam.</summary>
    public required IReadOnlyList<SeamReport> Seams { get; init; }

    /// <summary>Threads it was computed with.</summary>
    public required int Threads { get; init; }

    /// <summary>Pieces of the prompt, end mark included, that the model read.</summary>
    public required int PromptPieces { get; init; }

    /// <summary>Seconds of sampling in this run.</summary>
    public required double SamplingSeconds { get; init; }

    /// <summary>Seconds of decoding in this run.</summary>
    public required double VaeSeconds { get; init; }

    /// <summary>Passes of the transformer that were computed in this run; a step cache spares some of the plan's.</summary>
    public required int ComputedPasses { get; init; }

    /// <summary>The speed it reached, for the estimates of later plans; null when this run only finished what another began.</summary>
    public required SpeedFigures? Speed { get; init; }

    /// <summary>Seconds of this run.</summary>
    public required double Seconds { get; init; }

    /// <summary>Most memory of its own that the process took during this run, in bytes: beside the plan's <see cref="MemoryEstimate.Peak"/>.</summary>
    public required long PeakMemory { get; init; }

    /// <summary>Most memory of the GPU that was in use during this run beyond what was before the model went there: beside the plan's <see cref="MemoryEstimate.DevicePeak"/>. Null without a GPU that says.</summary>
    public long? PeakDeviceMemory { get; init; }
}

/// <summary>Carries out one take of a plan.</summary>
public static class TakeRun
{
    /// <summary>
    /// Runs a take on the calling thread: reads the frozen inputs, encodes, samples, decodes, corrects, conforms and writes clip and sidecar into the job folder.
    /// A take that was killed goes on from its last checkpoint to the same bits; one that is finished is made again.
    /// </summary>
    /// <param name="folder">The job's folder; holds the inputs that the plan names.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="take">Number of the take, from 1.</param>
    /// <param name="model">The plan's model.</param>
    /// <param name="tools">ffmpeg.</param>
    /// <param name="observer">Hears of progress on this thread.</param>
    /// <param name="cancellation">Looked at between passes of the transformer and between latents; checkpoints stay.</param>
    /// <param name="options">Threads, checkpoints, previews.</param>
    /// <exception cref="GenerationException">The take cannot be made; the message is for the user.</exception>
    /// <exception cref="MediaException">ffmpeg failed; the message is for the user.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static TakeResult Run(
        JobFolder folder, Plan plan, int take, LoadedModel model, FFmpegTools tools, ITakeObserver observer, CancellationToken cancellation = default, TakeOptions? options = null)
    {
        options ??= new TakeOptions();
        return Run(folder, plan, take, model, run => new EncodedClip(tools, folder, plan, run.Take, run, model.LoraNotes, options.Time, cancellation), observer, options, cancellation);
    }

    internal static TakeResult Run(
        JobFolder folder, Plan plan, int take, LoadedModel model, Func<RunFacts, IClipWriter> writer, ITakeObserver observer, TakeOptions options, CancellationToken cancellation)
    {
        if (!plan.CanRun || plan.Windows.Count == 0) throw new GenerationException("plan_empty", "The plan generates nothing; there is nothing to run.");
        var chosen = plan.Takes.FirstOrDefault(t => t.Number == take)
            ?? throw new GenerationException("take_unknown", $"The plan has {plan.Takes.Count} takes; there is no take {take}.");
        if (plan.Model.Hash != model.Capabilities.Hash)
            throw new GenerationException("model_changed", $"The model '{plan.Model.Name}' is another than when the job was planned; submit the job again.");

        if (!plan.Request.Loras.SequenceEqual(model.Loras))
            throw new GenerationException("model_changed", $"The model '{plan.Model.Name}' was loaded with other LoRAs than the job has; submit the job again.");

        using var memory = MemoryWatch.Begin(model.Device);
        var start = options.Time.GetTimestamp();
        var state = TakeState.Open(folder, plan, take, model.Capabilities.Hash, options.Threads, options.VaeTile ?? plan.Memory.VaeTile);
        model.Vae.EncodingTile = state.VaeTile;
        set_num_threads(state.Threads);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var clock = new TakeClock(plan, state.VaeTile, observer, options.Time, memory.LookAtDevice);
        clock.Report(TakeStage.Preparing, 0, 0, 1);
        var placement = CanvasFrames.Placement(plan);
        var (before, beforeInfo) = Inputs(folder, JobFolder.Before, plan.Before, placement);
        var (after, afterInfo) = Inputs(folder, JobFolder.After, plan.After, placement);
        using var inputs = JobInputs.Open(folder, plan);
        cancellation.ThrowIfCancellationRequested();
        var (prompt, negative, pieces) = Text(plan, model);
        var runner = new TakeRunner(plan, chosen, model, prompt, negative, inputs, state, clock, observer, options, cancellation);
        var clip = runner.Run(before, after, placement, writer(new RunFacts(chosen, state.Threads, beforeInfo, afterInfo, memory, [.. plan.Inputs.Select(input => input.Role).Distinct().Select(role => (role, inputs.Info(role)!))], state.VaeTile)));
        state.Clear();
        clock.Report(TakeStage.Writing, plan.Windows.Count - 1, 1, 1);
        return new TakeResult
        {
            Take = take,
            Seed = chosen.Seed,
            ClipPath = clip,
            Frames = plan.Mapping.DeliveredFrames,
            Seams = runner.Seams,
            Threads = state.Threads,
            PromptPieces = pieces,
            SamplingSeconds = clock.SamplingSeconds,
            VaeSeconds = clock.VaeSeconds,
            ComputedPasses = clock.ComputedPasses,
            Speed = clock.Speed,
            Seconds = options.Time.GetElapsedTime(start).TotalSeconds,
            PeakMemory = memory.Peak,
            PeakDeviceMemory = memory.PeakOnDevice,
        };
    }

    private static (Tensor? Frames, FrozenFramesInfo? Info) Inputs(JobFolder folder, string name, ContextRead? planned, CanvasPlacement placement)
    {
        if (planned is null) return (null, null);
        var opened = FrozenFrames.Open(folder.Inputs, name);
        if (!opened.TryGet(out var reader, out var refusal)) throw new GenerationException("inputs_damaged", refusal.Message);
        using (reader)
        {
            return reader.Info.Count == planned.Frames.Count
                ? (CanvasFrames.Read(reader, placement), reader.Info)
                : throw new GenerationException("inputs_damaged", $"The job's input '{name}' has {reader.Info.Count} frames, {planned.Frames.Count} are planned; submit the job again.");
        }
    }

    private static (Tensor Prompt, Tensor? Negative, int Pieces) Text(Plan plan, LoadedModel model)
    {
        using var pause = CollectorPause.Begin();
        var length = model.Transformer.Config.TextLen;
        var pieces = model.Tokenizer.EncodePrompt(plan.Prompt, length);
        var prompt = model.TextEncoder.EncodeContext([pieces], length);
        var negative = plan.Sampling.PassesPerStep == 1 ? null : model.TextEncoder.EncodeContext([model.Tokenizer.EncodePrompt(plan.NegativePrompt, length)], length);
        return (prompt, negative, pieces.Count);
    }
}

/// <summary>What a clip's writer needs to know of the run.</summary>
internal sealed record RunFacts(
    TakePlan Take, int Threads, FrozenFramesInfo? Before, FrozenFramesInfo? After, MemoryWatch Memory, IReadOnlyList<(InputRole Role, FrozenFramesInfo Info)> Further, int VaeTile = 0);
