using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Wan;

/// <summary>What the cross attention of every block needs of one text. Owns its tensors.</summary>
public sealed class TextKeysValues : IDisposable
{
    internal TextKeysValues(long batch, IReadOnlyList<(Tensor Key, Tensor Value)> pairs)
    {
        Batch = batch;
        Pairs = pairs;
    }

    /// <summary>Number of texts.</summary>
    public long Batch { get; }

    internal IReadOnlyList<(Tensor Key, Tensor Value)> Pairs { get; } // per block, [B, heads, T, d]

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (key, value) in Pairs)
        {
            key.Dispose();
            value.Dispose();
        }
    }
}
