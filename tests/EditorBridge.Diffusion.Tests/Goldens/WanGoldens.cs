using EditorBridge.Diffusion.Parity;
using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Goldens;

internal static class WanGoldens
{
    /// <summary>The network with its golden weights.</summary>
    public static WanTransformer Network(string model)
    {
        var weights = new GoldenWeights(GoldenCase.PathOf(model), "weights");
        return TransformerParity.Network(weights, weights.Files[0].Path);
    }

    /// <summary>[rows, D] to [1, length, D] with rows of zero behind.</summary>
    public static Tensor Padded(Tensor rows, long length) => TransformerParity.Padded(rows, length);
}
