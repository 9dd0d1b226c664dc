using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Caching;

/// <summary>
/// Spares passes of a transformer where a step hardly differs from the one before: what the last computed pass did is done again. The two passes of guidance
/// have differences of their own. The first steps and the last are always computed, and so is the first after a change of experts.
/// </summary>
/// <remarks>Not thread safe. Holds tensors on the networks' device until disposed; all that its decisions rest on can be saved.</remarks>
public abstract class StepCache : IDisposable
{
    private readonly SortedDictionary<string, double> numbers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Tensor> tensors = new(StringComparer.Ordinal);
    private WanTransformer? last;

    private protected StepCache(double threshold, int firstSteps)
    {
        if (!(threshold >= 0))
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "A threshold is 0 or more.");
        ArgumentOutOfRangeException.ThrowIfNegative(firstSteps);
        Threshold = threshold;
        FirstSteps = firstSteps;
    }

    /// <summary>The cache's name in saved states.</summary>
    public abstract string Name { get; }

    /// <summary>How much change may add up before a step is computed; 0 computes every one.</summary>
    public double Threshold { get; }

    /// <summary>Steps at the start that are always computed.</summary>
    public int FirstSteps { get; }

    /// <summary>The velocity of the main sequence, computed or reused.</summary>
    /// <param name="pass">The pass.</param>
    /// <param name="compute">Runs the network; with a residual, its blocks run or not as that says.</param>
    /// <param name="computed">Whether the network's blocks were run.</param>
    public Tensor Predict(CachedPass pass, Func<BlockResidual?, Tensor> compute, out bool computed)
    {
        if (last is not null && !ReferenceEquals(last, pass.Network))
            Forget();
        last = pass.Network;
        return Predict(pass, due: pass.Step < FirstSteps || pass.Step == pass.Steps - 1, compute, out computed);
    }

    /// <summary>A copy, on the CPU, of all that later decisions and differences depend on. The caller disposes it.</summary>
    public StepCacheState Save() => new(
        Name, new Dictionary<string, double>(numbers), All().ToDictionary(pair => pair.Name, pair => SamplingState.Copy(pair.Tensor), StringComparer.Ordinal));

    /// <summary>Goes back to a saved state.</summary>
    /// <param name="state">Saved by a cache of the same kind; copied.</param>
    /// <param name="network">The network that the last step before it was made with.</param>
    /// <exception cref="ArgumentException">The state is of another kind of cache.</exception>
    public void Restore(StepCacheState state, WanTransformer network)
    {
        if (state.Cache != Name)
            throw new ArgumentException($"The saved state belongs to the step cache '{state.Cache}', not to '{Name}'.", nameof(state));

        Forget();
        last = network;
        foreach (var (name, number) in state.Numbers)
            numbers[name] = number;
        foreach (var (name, tensor) in state.Tensors)
        {
            using var scope = NewDisposeScope();
            Place(name, tensor.to(network.Device, copy: true));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Forget();
        GC.SuppressFinalize(this);
    }

    private protected abstract Tensor Predict(CachedPass pass, bool due, Func<BlockResidual?, Tensor> compute, out bool computed);

    /// <summary>Puts a saved tensor back.</summary>
    private protected virtual void Place(string name, Tensor tensor) => Remember(name, tensor);

    /// <summary>All tensors that are saved.</summary>
    private protected virtual IEnumerable<(string Name, Tensor Tensor)> All() => tensors.Select(pair => (pair.Key, pair.Value));

    /// <summary>Lets go of everything that earlier steps left.</summary>
    private protected virtual void Forget()
    {
        foreach (var tensor in tensors.Values)
            tensor.Dispose();
        tensors.Clear();
        numbers.Clear();
        last = null;
    }

    private protected Tensor? Remembered(string name) => tensors.GetValueOrDefault(name);

    private protected void Remember(string name, Tensor tensor)
    {
        var owned = tensor.alias().DetachFromDisposeScope();
        if (tensors.Remove(name, out var old))
            old.Dispose();
        tensors[name] = owned;
    }

    private protected double? Number(string name) => numbers.TryGetValue(name, out var number) ? number : null;

    private protected void Note(string name, double number) => numbers[name] = number;

    /// <summary>The mean of the absolute values.</summary>
    private protected static double Mean(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.abs().mean().item<float>();
    }

    /// <summary>The mean absolute difference.</summary>
    private protected static double Change(Tensor now, Tensor before)
    {
        using var scope = NewDisposeScope();
        return Mean(now - before);
    }
}
