using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Wan;

/// <summary>A run of latent frames for the transformer.</summary>
/// <param name="Latent">[B, C, F, H, W].</param>
/// <param name="Timesteps">Noise level of each latent frame on the scale 0..1000, 0 for clean ones: [B, F].</param>
/// <param name="TimePositions">Where each latent frame lies on the time axis, in latent frames; 0, 1, 2, … for a clip of its own, fractions
/// for frames that were encoded apart.</param>
public sealed record LatentSegment(Tensor Latent, Tensor Timesteps, IReadOnlyList<double> TimePositions);
