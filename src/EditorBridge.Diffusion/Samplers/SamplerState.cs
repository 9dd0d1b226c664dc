using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>What a sampler must remember between two steps. Owns its tensors.</summary>
/// <param name="Sampler">Which sampler it belongs to, as <see cref="FlowSampler.Name"/> has it.</param>
/// <param name="Index">The step that comes next.</param>
/// <param name="Tensors">History by name; empty before the first step.</param>
public sealed record SamplerState(string Sampler, int Index, IReadOnlyDictionary<string, Tensor> Tensors) : IDisposable
{
    /// <summary>A copy on a device. The caller disposes it.</summary>
    /// <param name="device">Where the latents of the run are.</param>
    public SamplerState To(Device device) => this with
    {
        Tensors = Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.to(device, copy: true).DetachFromDisposeScope(), StringComparer.Ordinal),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values)
            tensor.Dispose();
    }
}
