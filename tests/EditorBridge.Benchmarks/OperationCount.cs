using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Benchmarks;

/// <summary>Counts the operations of a VAE's convolutions as they run.</summary>
internal sealed class OperationCount
{
    public OperationCount(WanVideoVae vae)
    {
        foreach (var module in vae.modules())
        {
            if (module is CausalConv3d causal)
                causal.register_forward_hook((_, _, _, output) => Add(causal, output));
            else if (module is FrameConv2d frame)
                frame.register_forward_hook((_, _, output) => Add(frame, output));
        }
    }

    public double Operations { get; private set; }

    public void Reset() => Operations = 0;

    // Every output value is a sum over the weights of its channel.
    private Tensor Add(nn.Module layer, Tensor output)
    {
        var weight = layer.get_parameter("weight")!;
        Operations += 2.0 * output.numel() * weight.numel() / weight.shape[0];
        return output;
    }
}
