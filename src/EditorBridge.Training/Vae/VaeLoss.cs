using static TorchSharp.torch;

namespace EditorBridge.Training.Vae;

/// <summary>
/// What the autoencoder minimises: a smooth L1 of the pixels (Charbonnier), of their differences in space and time (edges and
/// motion), of halved and quartered pictures, and a very small divergence from the unit normal.
/// </summary>
internal static class VaeLoss
{
    private const double EdgeWeight = 0.3, CoarseWeight = 0.5, DivergenceWeight = 2e-5;

    public static (Tensor Loss, Tensor Divergence) Of(Tensor video, Tensor decoded, Tensor mean, Tensor logVariance)
    {
        using var scope = NewDisposeScope();
        var error = decoded - video; // [B, 3, F, H, W]
        var loss = Smooth(error) + EdgeWeight * (Smooth(error.diff(dim: 3)) + Smooth(error.diff(dim: 4)));
        if (video.size(2) > 1)
        {
            loss = loss + EdgeWeight * Smooth(error.diff(dim: 2));
        }

        var coarse = nn.functional.avg_pool2d(error.flatten(0, 2).unsqueeze(1), 4);
        loss = loss + CoarseWeight * Smooth(coarse);
        var divergence = 0.5 * (mean.square() + logVariance.exp() - 1 - logVariance).mean();
        return ((loss + DivergenceWeight * divergence).MoveToOuterDisposeScope(), divergence.MoveToOuterDisposeScope());
    }

    private static Tensor Smooth(Tensor error) => (error.square() + 1e-4).sqrt().mean() - 0.01;
}
