using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Wan;

/// <summary>What a VACE transformer is to keep, follow or refer to.</summary>
/// <param name="Latents">[B, 96, F, H, W]: latents of what is kept, latents of what is to change, the mask. Of the same grid as the noise.</param>
/// <param name="Scale">How much its hints weigh; 1 is what the models were trained with.</param>
public sealed record VaceContext(Tensor Latents, double Scale = 1);
