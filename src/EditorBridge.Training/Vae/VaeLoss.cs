using static TorchSharp.torch;

namespace EditorBridge.Training.Vae;

/// <summary>
/// What the autoencoder minimises: a smooth L1 of the pixels (Charbonnier), of their differences in space and time (edges and
/// motion), and of pictures a quarter the size.
/// </summary>
internal static class VaeLoss
{
    private const double EdgeWeight = 0.3, CoarseWeight = 0.5;

    public static Tensor Of(Tensor video, Tensor decoded)
    {
        using var scope = NewDisposeScope();
        var error = decoded - video; // [B, 3, F, H, W]
        var loss = Smooth(error) + EdgeWeight * (Smooth(error.diff(dim: 3)) + Smooth(error.diff(dim: 4)));
        if (video.size(2) > 1)
        {
            loss = loss + EdgeWeight * Smooth(error.diff(dim: 2));
        }

        var coarse = nn.functional.avg_pool2d(error.flatten(0, 2).unsqueeze(1), 4);
        return (loss + CoarseWeight * Smooth(coarse)).MoveToOuterDisposeScope();
    }

    private static Tensor Smooth(Tensor error) => (error.square() + 1e-4).sqrt().mean() - 0.01;
}
