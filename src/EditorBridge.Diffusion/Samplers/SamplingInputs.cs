using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>What a transformer takes beside noise and text; the same in every step and in both passes of guidance.</summary>
public sealed record SamplingInputs
{
    /// <summary>Mask and latents behind the noise, of image-to-video models: [B, 4 + z, T, h, w] (<see cref="Conditioning.GivenFrames"/>).</summary>
    public Tensor? Channels { get; init; }

    /// <summary>Features of the given pictures, of the image-to-video models of 2.1: [B, image tokens, image_dim].</summary>
    public Tensor? Image { get; init; }

    /// <summary>What a VACE model keeps, follows or refers to.</summary>
    public VaceContext? Vace { get; init; }
}
