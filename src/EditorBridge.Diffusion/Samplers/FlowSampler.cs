using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>
/// What the flow solvers share: counting steps, history and its saving. Coefficients are computed in double from the float32 noise
/// levels; every update is one linear combination of tensors.
/// </summary>
public abstract class FlowSampler : ISampler
{
    private readonly SortedDictionary<string, Tensor> history = new(StringComparer.Ordinal);

    private protected FlowSampler(FlowSchedule schedule)
    {
        Schedule = schedule;
    }

    /// <summary>The solver's name in saved states.</summary>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public FlowSchedule Schedule { get; }

    /// <inheritdoc/>
    public int Index { get; private set; }

    /// <inheritdoc/>
    public Tensor Step(Tensor velocity, Tensor sample)
    {
        if (Index >= Schedule.Steps)
            throw new InvalidOperationException($"The sampler has already taken all of its {Schedule.Steps} steps.");

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var next = Advance(velocity, sample);
        Index++;
        return next.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public Tensor PredictClean(Tensor velocity, Tensor sample) => Combine((1, sample), (-(double)Schedule.Sigmas[Index], velocity));

    /// <inheritdoc/>
    public SamplerState Save() =>
        new(Name, Index, history.ToDictionary(entry => entry.Key, entry => SamplingState.Copy(entry.Value), StringComparer.Ordinal));

    /// <inheritdoc/>
    public void Restore(SamplerState state)
    {
        if (state.Sampler != Name)
            throw new ArgumentException($"The saved state belongs to the sampler '{state.Sampler}', not to '{Name}'.", nameof(state));

        if (state.Index < 0 || state.Index > Schedule.Steps)
        {
            throw new ArgumentException(
                $"The saved state is at step {state.Index}, but this run has {Schedule.Steps} steps.", nameof(state));
        }

        var expected = HistoryAt(state.Index);
        if (!expected.ToHashSet(StringComparer.Ordinal).SetEquals(state.Tensors.Keys))
        {
            throw new ArgumentException(
                $"The saved state of step {state.Index} should hold [{string.Join(", ", expected)}] but holds "
                + $"[{string.Join(", ", state.Tensors.Keys)}].", nameof(state));
        }

        Forget();
        foreach (var (name, tensor) in state.Tensors)
            history[name] = Owned(tensor.clone());

        Index = state.Index;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Forget();
        GC.SuppressFinalize(this);
    }

    /// <summary>Computes the latent at the next noise level and renews the history.</summary>
    private protected abstract Tensor Advance(Tensor velocity, Tensor sample);

    /// <summary>Names of the tensors remembered when <paramref name="index"/> is the next step.</summary>
    private protected abstract IReadOnlyCollection<string> HistoryAt(int index);

    private protected double Sigma(int index) => Schedule.Sigmas[index];

    private protected double Alpha(int index) => 1 - Sigma(index);

    /// <summary>Half the log signal-to-noise ratio: −∞ at pure noise, +∞ at the end.</summary>
    private protected double Lambda(int index) => Math.Log(Alpha(index)) - Math.Log(Sigma(index));

    private protected Tensor Remembered(string name) => history[name];

    private protected void Remember(string name, Tensor value)
    {
        var owned = Owned(value.alias());
        if (history.Remove(name, out var old))
            old.Dispose();

        history[name] = owned;
    }

    private protected static Tensor Combine(params ReadOnlySpan<(double Weight, Tensor Tensor)> terms)
    {
        Tensor? sum = null;
        foreach (var (weight, tensor) in terms)
        {
            if (sum is null)
                sum = tensor * weight;
            else if (weight != 0)
                sum.add_(tensor, alpha: weight);
        }

        return sum ?? throw new ArgumentException("There is nothing to combine.", nameof(terms));
    }

    private static Tensor Owned(Tensor tensor) => tensor.DetachFromDisposeScope();

    private void Forget()
    {
        foreach (var tensor in history.Values)
            tensor.Dispose();

        history.Clear();
    }
}
