using EditorBridge.Diffusion.Caching;
using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>
/// Samples the main sequence of one window: noise to clean latents, with classifier-free guidance (Ho and Salimans, 2022) and given latents
/// put back after every step. Where a model has two experts, the noise level chooses between them and the solver goes on with one history. Guidance may be left out of some
/// steps, and passes may be spared by a step cache. Can be saved between steps and go on to the same bits.
/// </summary>
/// <remarks>Synchronous and not thread safe. Owns the latents and a copy of the texts, not the networks, the sampler or the other inputs.</remarks>
public sealed class FlowSampling : IDisposable
{
    private readonly IReadOnlyList<Expert> experts;
    private readonly ISampler sampler;
    private readonly ConditionedLatents conditioning;
    private readonly SamplingInputs inputs;
    private readonly StepCache? cache;
    private readonly int guidedFrom;
    private readonly int guidedUntil;
    private readonly Tensor context;
    private readonly Tensor? negativeContext;
    private Tensor latents;
    private Expert? prepared;
    private TextKeysValues? text;
    private TextKeysValues? negative;

    /// <summary>Starts at step 0.</summary>
    /// <param name="network">The transformer.</param>
    /// <param name="sampler">At its first step.</param>
    /// <param name="conditioning">Given latents.</param>
    /// <param name="noise">Unit normal noise for the whole main sequence, [B, C, T, h, w] float32; see <see cref="Noise"/>.</param>
    /// <param name="context">The prompt's features, zero padded: [B, text, text_dim].</param>
    /// <param name="negativeContext">The negative prompt's features; not used when <paramref name="guidance"/> is 1.</param>
    /// <param name="guidance">g in <c>uncond + g·(cond − uncond)</c>; 1 means one pass a step.</param>
    /// <exception cref="ArgumentException">Guidance without a negative prompt.</exception>
    public FlowSampling(
        WanTransformer network, ISampler sampler, ConditionedLatents conditioning, Tensor noise, Tensor context, Tensor? negativeContext, double guidance)
        : this([new Expert(network, guidance)], sampler, conditioning, noise, context, negativeContext)
    {
    }

    /// <summary>Starts at step 0 with one expert or several.</summary>
    /// <param name="experts">The one for the highest noise first; the last from timestep 0 on.</param>
    /// <param name="sampler">At its first step.</param>
    /// <param name="conditioning">Given latents.</param>
    /// <param name="noise">Unit normal noise for the whole main sequence, [B, C, T, h, w] float32; see <see cref="Noise"/>.</param>
    /// <param name="context">The prompt's features, zero padded: [B, text, text_dim].</param>
    /// <param name="negativeContext">The negative prompt's features; not used where guidance is 1.</param>
    /// <param name="inputs">What the model takes beside these; null for nothing.</param>
    /// <param name="options">What is left out; null for nothing.</param>
    /// <exception cref="ArgumentException">Guidance without a negative prompt, or experts that leave noise levels out.</exception>
    public FlowSampling(
        IReadOnlyList<Expert> experts, ISampler sampler, ConditionedLatents conditioning, Tensor noise, Tensor context, Tensor? negativeContext,
        SamplingInputs? inputs = null, SamplingOptions? options = null)
    {
        if (experts.Count == 0 || experts[^1].FromTimestep > 0 || experts.Zip(experts.Skip(1)).Any(pair => pair.First.FromTimestep <= pair.Second.FromTimestep))
            throw new ArgumentException("Experts must come from the highest noise to the lowest, the last from timestep 0 on.", nameof(experts));
        options ??= new SamplingOptions();
        var (guided, length) = options.GuidedSteps.GetOffsetAndLength(sampler.Schedule.Steps);
        (guidedFrom, guidedUntil) = (guided, guided + length);
        if (length > 0 && experts.Any(expert => expert.Guidance != 1) && negativeContext is null)
            throw new ArgumentException("Guidance other than 1 needs a negative prompt; an empty one will do.", nameof(negativeContext));

        this.experts = experts;
        this.sampler = sampler;
        this.conditioning = conditioning;
        this.inputs = inputs ?? new SamplingInputs();
        cache = options.Cache;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        latents = conditioning.Impose(noise.to(experts[0].Network.Device)).DetachFromDisposeScope();
        // Held until an expert has prepared it; the caller's own may be gone by then.
        this.context = context.clone().DetachFromDisposeScope();
        this.negativeContext = negativeContext?.clone().DetachFromDisposeScope();
    }

    /// <summary>The main sequence as it stands, given latents included: [B, C, T, h, w]. Valid until the next step.</summary>
    public Tensor Latents => latents;

    /// <summary>Called in every step with both passes' predictions, where there are two.</summary>
    internal Action<Tensor, Tensor>? Predicted { get; set; }

    /// <summary>Steps taken.</summary>
    public int StepsTaken => sampler.Index;

    /// <summary>Steps in all.</summary>
    public int Steps => sampler.Schedule.Steps;

    /// <summary>Passes whose blocks were computed, those before a restored state included.</summary>
    public int ComputedPasses { get; private set; }

    /// <summary>Steps in which at least one pass was computed, likewise.</summary>
    public int ComputedSteps { get; private set; }

    /// <summary>Unit normal noise from torch's CPU generator, the same on every machine and device.</summary>
    /// <param name="shape">[1, C, T, h, w].</param>
    /// <param name="seed">The take's seed.</param>
    public static Tensor Noise(ReadOnlySpan<long> shape, long seed)
    {
        using var generator = new Generator(unchecked((ulong)seed), CPU);
        return randn(shape, dtype: float32, generator: generator);
    }

    /// <summary>Takes the remaining steps.</summary>
    /// <param name="onStep">Called after each; its tensors are valid during the call only.</param>
    /// <param name="cancellation">Looked at between passes, with a step cache between steps; what was sampled so far stays and can be saved.</param>
    /// <returns><see cref="Latents"/>, clean.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Tensor Run(Action<SamplingStep>? onStep = null, CancellationToken cancellation = default)
    {
        while (StepsTaken < Steps)
            Step(onStep, cancellation);

        return latents;
    }

    /// <summary>Takes one step.</summary>
    /// <inheritdoc cref="Run" path="/param"/>
    /// <exception cref="OperationCanceledException">Cancelled; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">All steps have been taken.</exception>
    public void Step(Action<SamplingStep>? onStep = null, CancellationToken cancellation = default)
    {
        if (StepsTaken >= Steps)
            throw new InvalidOperationException($"All {Steps} steps have been taken.");

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        cancellation.ThrowIfCancellationRequested();
        var expert = At(sampler.Timestep);
        Prepare(expert);
        var segments = WithChannels(conditioning.Segments(latents, sampler.Timestep));
        var vace = inputs.Vace is { } given ? given with { Latents = given.Latents.to(latents.device) } : null;
        var computed = 0;
        var velocity = Pass(text!, conditional: true);
        if (negative is not null && StepsTaken >= guidedFrom && StepsTaken < guidedUntil)
        {
            Interrupt();
            var unconditional = Pass(negative, conditional: false);
            Predicted?.Invoke(velocity, unconditional);
            velocity = unconditional + (velocity - unconditional) * expert.Guidance;
        }

        Interrupt();
        var clean = onStep is null ? null : conditioning.Impose(sampler.PredictClean(velocity, latents));
        var next = conditioning.Impose(sampler.Step(velocity, latents)).DetachFromDisposeScope();
        latents.Dispose();
        latents = next;
        ComputedPasses += computed;
        ComputedSteps += Math.Min(computed, 1);
        onStep?.Invoke(new SamplingStep(StepsTaken, Steps, clean!));

        // A step cache remembers every pass: half a step could not be taken again to the same bits.
        void Interrupt()
        {
            if (cache is null)
                cancellation.ThrowIfCancellationRequested();
        }

        Tensor Pass(TextKeysValues words, bool conditional)
        {
            if (cache is null)
            {
                computed++;
                return expert.Network.Forward(segments, words, vace)[0];
            }

            var pass = new CachedPass(expert.Network, StepsTaken, Steps, sampler.Timestep, conditional, latents, conditioning.Generated);
            var velocity = cache.Predict(pass, residual => expert.Network.Forward(segments, words, vace, residual)[0], out var ran);
            computed += ran ? 1 : 0;
            return velocity;
        }
    }

    /// <summary>A copy, on the CPU, of all that the remaining steps depend on. The caller disposes it.</summary>
    public SamplingState Save() => new(SamplingState.Copy(latents), sampler.Save())
    {
        Cache = cache?.Save(),
        ComputedPasses = ComputedPasses,
        ComputedSteps = ComputedSteps,
    };

    /// <summary>Goes back to a saved state; the remaining steps then give the same bits as they would have given.</summary>
    /// <param name="state">Saved by a run with the same network, settings and conditioning; copied.</param>
    /// <exception cref="ArgumentException">The state is of another run.</exception>
    public void Restore(SamplingState state)
    {
        if (!state.Latents.shape.SequenceEqual(latents.shape))
            throw new ArgumentException($"The saved latents are [{string.Join(", ", state.Latents.shape)}], this run has [{string.Join(", ", latents.shape)}].", nameof(state));

        if ((state.Cache is null) != (cache is null))
            throw new ArgumentException($"The saved state {(state.Cache is null ? "has none of the step cache" : "has a step cache")} and this run {(cache is null ? "has none" : "has one")}.", nameof(state));

        var device = latents.device;
        using var history = state.Sampler.To(device);
        sampler.Restore(history);
        latents.Dispose();
        latents = state.Latents.to(device, copy: true).DetachFromDisposeScope();
        (ComputedPasses, ComputedSteps) = (state.ComputedPasses, state.ComputedSteps);
        if (state.Cache is { } kept && StepsTaken > 0)
            cache!.Restore(kept, At(sampler.Schedule.Timesteps[StepsTaken - 1]).Network);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        latents.Dispose();
        context.Dispose();
        negativeContext?.Dispose();
        text?.Dispose();
        negative?.Dispose();
    }

    private Expert At(double timestep) => experts.First(candidate => timestep >= candidate.FromTimestep);

    // The keys and values of a text are an expert's own; there is room for one expert's at a time.
    private void Prepare(Expert expert)
    {
        if (ReferenceEquals(expert, prepared))
            return;
        text?.Dispose();
        negative?.Dispose();
        (prepared, text, negative) = (null, null, null);
        using var scope = NewDisposeScope();
        // Where memory holds one, the other leaves before it comes.
        foreach (var other in experts.Where(other => !ReferenceEquals(other.Network, expert.Network)))
            other.Network.EndTurn();
        expert.Network.BeginTurn();
        var device = expert.Network.Device;
        var image = inputs.Image?.to(device);
        text = expert.Network.PrepareText(context.to(device), image);
        negative = expert.Guidance == 1 || guidedFrom == guidedUntil ? null : expert.Network.PrepareText(negativeContext!.to(device), image);
        prepared = expert;
    }

    private IReadOnlyList<LatentSegment> WithChannels(IReadOnlyList<LatentSegment> segments) => inputs.Channels is null ? segments
        : [segments[0] with { Latent = cat([segments[0].Latent, inputs.Channels.to(latents.device)], 1) }, .. segments.Skip(1)];
}

/// <summary>A step that has been taken.</summary>
/// <param name="Taken">Steps taken, this one included.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Clean">The clean main sequence as predicted at this step, for previews: [B, C, T, h, w].</param>
public readonly record struct SamplingStep(int Taken, int Steps, Tensor Clean);
