using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>What a sampler must remember between two steps. Owns its tensors.</summary>
/// <param name="Sampler">Which sampler it belongs to, as <see cref="FlowSampler.Name"/> has it.</param>
/// <param name="Index">The step that comes next.</param>
/// <param name="Tensors">History by name; empty before the first step.</param>
public sealed record SamplerState(string Sampler, int Index, IReadOnlyDictionary<string, Tensor> Tensors) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values)
            tensor.Dispose();
    }
}
