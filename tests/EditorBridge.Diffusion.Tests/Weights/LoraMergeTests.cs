using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Lora;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Weights;

public sealed class LoraMergeTests : IDisposable
{
    private static readonly WanTransformerConfig Sizes = new()
    {
        NumAttentionHeads = 2, AttentionHeadDim = 8, InChannels = 4, OutChannels = 4, TextDim = 6, FfnDim = 24, NumLayers = 2, TextLen = 4, FreqDim = 8,
    };

    private readonly string folder = Directory.CreateTempSubdirectory("lora-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("diffusion_model.blocks.1.self_attn.q", "lora_A", "lora_B", "blocks.1.attn1.to_q")]
    [InlineData("blocks.1.cross_attn.o", "lora_down", "lora_up", "blocks.1.attn2.to_out.0")]
    [InlineData("lora_unet_blocks_1_cross_attn_k", "lora_down", "lora_up", "blocks.1.attn2.to_k")]
    [InlineData("lora_unet_blocks_1.cross_attn.k", "lora_down", "lora_up", "blocks.1.attn2.to_k")]
    [InlineData("lora_unet_blocks_0_ffn_0", "lora_down", "lora_up", "blocks.0.ffn.net.0.proj")]
    [InlineData("transformer.blocks.0.ffn.net.2", "lora_A", "lora_B", "blocks.0.ffn.net.2")]
    [InlineData("transformer.condition_embedder.time_proj", "lora_A", "lora_B", "condition_embedder.time_proj")]
    [InlineData("diffusion_model.text_embedding.2", "lora_A", "lora_B", "condition_embedder.text_embedder.linear_2")]
    [InlineData("diffusion_model.patch_embedding", "lora_A", "lora_B", "patch_embedding")]
    public void TheProductIsAdded(string layer, string down, string up, string place)
    {
        using var scope = NewDisposeScope();
        using var network = new WanTransformer(Sizes);
        var weight = network.get_parameter(place + ".weight")!;
        var before = network.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        var columns = weight.shape[1..];
        var (a, b) = (randn([3, .. columns]), randn([weight.shape[0], 3, .. columns.Skip(1).Select(_ => 1L)]));
        using var lora = Lora(($"{layer}.{down}.weight", a), ($"{layer}.{up}.weight", b.to(bfloat16)), ($"{layer}.alpha", tensor(6f)));
        var report = LoraMerge.Into(network, lora, -0.5);
        Assert.Equal(1, report.Changed);
        Assert.Empty(report.Unmatched);
        var expected = einsum("or,ri->oi", b.to(bfloat16).to(float32).flatten(1), a.flatten(1)).reshape(weight.shape) * (-0.5f * 6 / 3);
        foreach (var (key, now) in network.state_dict())
            Assert.True(allclose(now - before[key], key == place + ".weight" ? expected : zeros_like(now), 1e-5, 1e-6), key);
    }

    [Fact]
    public void DifferencesReachWeightsBiasesAndTables()
    {
        using var scope = NewDisposeScope();
        using var network = new WanTransformer(Sizes);
        using var lora = Lora(
            ("diffusion_model.blocks.0.norm3.diff", ones(16)), ("diffusion_model.blocks.0.ffn.0.diff_b", ones(24) * 2), ("diffusion_model.head.modulation.diff", ones(1, 2, 16)));
        var norm = network.get_parameter("blocks.0.norm2.weight")!.clone();
        Assert.Equal(3, LoraMerge.Into(network, lora, 0.5).Changed);
        Assert.True(allclose(network.get_parameter("blocks.0.norm2.weight")!, norm + 0.5));
        Assert.True(allclose(network.get_parameter("blocks.0.ffn.net.0.proj.bias")!, ones(24)));
        Assert.True(allclose(network.get_parameter("scale_shift_table")!, ones(1, 2, 16) * 0.5));
    }

    [Fact]
    public void TheLowNoiseExpertTakesItsOwnLayers()
    {
        using var scope = NewDisposeScope();
        using var lora = Lora(
            ("transformer.proj_out.lora_A.weight", ones(1, 16)), ("transformer.proj_out.lora_B.weight", ones(16, 1)),
            ("transformer_2.proj_out.lora_A.weight", ones(1, 16)), ("transformer_2.proj_out.lora_B.weight", ones(16, 1) * 3));
        foreach (var (low, expected) in new[] { (false, 1f), (true, 3f) })
        {
            using var network = new WanTransformer(Sizes);
            LoraMerge.Into(network, lora, 1, low);
            Assert.True(allclose(network.get_parameter("proj_out.weight")!, ones(16, 16) * expected));
        }
    }

    [Fact]
    public void WhatHasNoPlaceIsListed()
    {
        using var scope = NewDisposeScope();
        using var network = new WanTransformer(Sizes);
        using var lora = Lora(
            ("diffusion_model.blocks.0.norm3.diff", ones(16)), ("diffusion_model.blocks.7.norm3.diff", ones(16)), ("diffusion_model.blocks.1.norm3.diff", ones(8)),
            ("diffusion_model.blocks.0.cross_attn.k_img.lora_A.weight", ones(1, 16)), ("diffusion_model.blocks.0.cross_attn.k_img.lora_B.weight", ones(16, 1)),
            ("diffusion_model.blocks.0.norm3.dora_scale", ones(1)));
        var report = LoraMerge.Into(network, lora, 1);
        Assert.Equal(1, report.Changed);
        Assert.Equal(["blocks.0.cross_attn.k_img.lora_A.weight"], report.ImageOnly);
        Assert.Equal(["blocks.0.norm3.dora_scale", "blocks.7.norm3.diff"], report.Unmatched);
        Assert.Equal(["'blocks.1.norm3.diff' is [8], 'blocks.1.norm2.weight' is [16]"], report.Misshaped);
    }

    [Fact]
    public void ALoraOfAnotherSizeIsRefused()
    {
        using var scope = NewDisposeScope();
        using var network = new WanTransformer(Sizes);
        using var lora = Lora(("diffusion_model.blocks.0.ffn.0.lora_A.weight", ones(4, 5120)), ("diffusion_model.blocks.0.ffn.0.lora_B.weight", ones(13824, 4)));
        var problem = Assert.Throws<InvalidDataException>(() => LoraMerge.Into(network, lora, 1)).Message;
        Assert.Contains("made for another network", problem);
        Assert.Contains("is [4, 5120], 'blocks.0.ffn.net.0.proj.weight' is [24, 16]", problem);
    }

    [Fact]
    public void NamesGoBothWays()
    {
        using var network = new WanTransformer(Sizes);
        var original = network.state_dict().Keys.ToDictionary(key => WanTransformerKeys.ToOriginal(key));
        Assert.All(original, pair => Assert.Equal(pair.Value, WanTransformerKeys.FromOriginal(pair.Key)));
        Assert.Contains("blocks.1.cross_attn.norm_k.weight", original.Keys);
        Assert.DoesNotContain(original.Keys, key => key.Contains("attn1", StringComparison.Ordinal) || key.Contains("condition_embedder", StringComparison.Ordinal));
    }

    private LoraFile Lora(params (string Name, Tensor Value)[] tensors)
    {
        var path = Path.Combine(folder, "lora.safetensors");
        WeightSaver.Save(tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Value), path);
        return LoraFile.Open(path).OrThrow();
    }
}
