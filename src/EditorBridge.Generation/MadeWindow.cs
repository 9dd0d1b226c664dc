using EditorBridge.Diffusion.Wan;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>A sampled window, ready to be decoded. Owns all but its context frames.</summary>
/// <param name="window">Its plan.</param>
/// <param name="before">Context before, [1, 3, F, H, W], or null.</param>
/// <param name="after">Context after, or null.</param>
/// <param name="decoding">Decodes it; owned by this.</param>
internal sealed class MadeWindow(WindowPlan window, Tensor? before, Tensor? after, VaeDecoding decoding) : IDisposable
{
    /// <summary>Its plan.</summary>
    public WindowPlan Window => window;

    /// <summary>Context before.</summary>
    public Tensor? Before => before;

    /// <summary>Context after.</summary>
    public Tensor? After => after;

    /// <summary>Decodes its latents; has done so with the context before.</summary>
    public VaeDecoding Decoding => decoding;

    /// <summary>Brings the new frames to the shot before; null where there is none.</summary>
    public SeamCorrection? StartSeam { get; set; }

    /// <summary>Brings the new frames to the shot after; null where there is none.</summary>
    public SeamCorrection? EndSeam { get; set; }

    /// <summary>The main sequence, context included.</summary>
    public Tensor? Latents { get; set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        decoding.Dispose();
        StartSeam?.Dispose();
        EndSeam?.Dispose();
        Latents?.Dispose();
    }
}
