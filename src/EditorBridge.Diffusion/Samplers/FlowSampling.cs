using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>
/// Samples the main sequence of one window: noise to clean latents, with classifier-free guidance (Ho and Salimans, 2022) and given latents
/// put back after every step. Can be saved between steps and go on to the same bits.
/// </summary>
/// <remarks>Synchronous and not thread safe. Owns the latents and a copy of the texts, not the network or the sampler.</remarks>
public sealed class FlowSampling : IDisposable
{
    private readonly WanTransformer network;
    private readonly ISampler sampler;
    private readonly ConditionedLatents conditioning;
    private readonly TextKeysValues text;
    private readonly TextKeysValues? negative;
    private readonly double guidance;
    private Tensor latents;

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
    {
        if (guidance != 1 && negativeContext is null)
            throw new ArgumentException("Guidance other than 1 needs a negative prompt; an empty one will do.", nameof(negativeContext));

        this.network = network;
        this.sampler = sampler;
        this.conditioning = conditioning;
        this.guidance = guidance;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        latents = conditioning.Impose(noise.to(network.Device)).DetachFromDisposeScope();
        text = network.PrepareText(context);
        negative = guidance == 1 ? null : network.PrepareText(negativeContext!);
    }

    /// <summary>The main sequence as it stands, given latents included: [B, C, T, h, w]. Valid until the next step.</summary>
    public Tensor Latents => latents;

    /// <summary>Steps taken.</summary>
    public int StepsTaken => sampler.Index;

    /// <summary>Steps in all.</summary>
    public int Steps => sampler.Schedule.Steps;

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
    /// <param name="cancellation">Looked at between passes; what was sampled so far stays and can be saved.</param>
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
        var segments = conditioning.Segments(latents, sampler.Timestep);
        var velocity = network.Forward(segments, text)[0];
        if (negative is not null)
        {
            cancellation.ThrowIfCancellationRequested();
            var unconditional = network.Forward(segments, negative)[0];
            velocity = unconditional + (velocity - unconditional) * guidance;
        }

        cancellation.ThrowIfCancellationRequested();
        var clean = onStep is null ? null : conditioning.Impose(sampler.PredictClean(velocity, latents));
        var next = conditioning.Impose(sampler.Step(velocity, latents)).DetachFromDisposeScope();
        latents.Dispose();
        latents = next;
        onStep?.Invoke(new SamplingStep(StepsTaken, Steps, clean!));
    }

    /// <summary>A copy, on the CPU, of all that the remaining steps depend on. The caller disposes it.</summary>
    public SamplingState Save() => new(SamplingState.Copy(latents), sampler.Save());

    /// <summary>Goes back to a saved state; the remaining steps then give the same bits as they would have given.</summary>
    /// <param name="state">Saved by a run with the same network, settings and conditioning; copied.</param>
    /// <exception cref="ArgumentException">The state is of another run.</exception>
    public void Restore(SamplingState state)
    {
        if (!state.Latents.shape.SequenceEqual(latents.shape))
            throw new ArgumentException($"The saved latents are [{string.Join(", ", state.Latents.shape)}], this run has [{string.Join(", ", latents.shape)}].", nameof(state));

        var device = latents.device;
        using var history = state.Sampler.To(device);
        sampler.Restore(history);
        latents.Dispose();
        latents = state.Latents.to(device, copy: true).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        latents.Dispose();
        text.Dispose();
        negative?.Dispose();
    }
}

/// <summary>A step that has been taken.</summary>
/// <param name="Taken">Steps taken, this one included.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Clean">The clean main sequence as predicted at this step, for previews: [B, C, T, h, w].</param>
public readonly record struct SamplingStep(int Taken, int Steps, Tensor Clean);
