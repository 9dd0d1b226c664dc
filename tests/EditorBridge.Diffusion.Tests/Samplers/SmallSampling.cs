using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Samplers;

/// <summary>A transformer and given latents small enough to be sampled with dozens of times.</summary>
internal static class SmallSampling
{
    /// <summary>Random weights, the last layer's too, which initialisation leaves at zero.</summary>
    public static WanTransformer Network(Generator generator)
    {
        var network = new WanTransformer(new WanTransformerConfig
        {
            NumAttentionHeads = 2, AttentionHeadDim = 16, InChannels = 6, OutChannels = 6, TextDim = 8, TextLen = 4, FfnDim = 48, NumLayers = 2,
        });
        network.Initialize(generator);
        using (no_grad())
            network.state_dict()["proj_out.weight"].normal_(0, 0.2, generator);
        return network;
    }

    /// <summary>Nine frames after five given ones and before one.</summary>
    public static ConditionedLatents Conditioning(Generator generator) => new(
        ConditioningLayout.Forward(wanted: 9, before: 5, after: 1),
        head: randn([1, 6, 2, 4, 4], generator: generator), after: randn([1, 6, 1, 4, 4], generator: generator));
}
