using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Wan;

/// <summary>What a transformer's blocks add to the tokens in a pass, kept so that a later pass can do without them.</summary>
/// <remarks>Owns its tensor.</remarks>
public sealed class BlockResidual : IDisposable
{
    /// <summary>The sum of what all blocks added in the pass that was computed last: [B, L, D] float32; null before the first.</summary>
    public Tensor? Tokens { get; private set; }

    /// <summary>Whether the next pass adds <see cref="Tokens"/> in place of running the blocks; otherwise it runs them and replaces it.</summary>
    public bool Reuse { get; set; }

    /// <summary>Keeps a residual and lets go of the one before.</summary>
    /// <param name="tokens">[B, L, D]; a new reference to it is kept. Null forgets.</param>
    public void Keep(Tensor? tokens)
    {
        Tokens?.Dispose();
        Tokens = tokens?.alias().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => Keep(null);
}
