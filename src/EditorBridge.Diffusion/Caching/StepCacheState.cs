using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Caching;

/// <summary>What a step cache must remember between two steps. Owns its tensors.</summary>
/// <param name="Cache">Which cache it belongs to, as <see cref="StepCache.Name"/> has it.</param>
/// <param name="Numbers">Sums and factors by name.</param>
/// <param name="Tensors">Inputs, outputs and differences by name; on the CPU.</param>
public sealed record StepCacheState(string Cache, IReadOnlyDictionary<string, double> Numbers, IReadOnlyDictionary<string, Tensor> Tensors) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values)
            tensor.Dispose();
    }
}
