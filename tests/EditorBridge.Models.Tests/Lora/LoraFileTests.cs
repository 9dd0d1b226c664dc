using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Lora;
using EditorBridge.Models.Safetensors;

namespace EditorBridge.Models.Tests.Lora;

public sealed class LoraFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lora-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("diffusion_model.blocks.0.self_attn.q", "lora_A.weight", "lora_B.weight", "blocks.0.self_attn.q")]
    [InlineData("model.diffusion_model.blocks.0.self_attn.q", "lora_down.weight", "lora_up.weight", "blocks.0.self_attn.q")]
    [InlineData("blocks.0.self_attn.q", "lora_A.default.weight", "lora_B.default.weight", "blocks.0.self_attn.q")]
    [InlineData("base_model.model.diffusion_model.blocks.0.self_attn.q", "lora_A.weight", "lora_B.weight", "blocks.0.self_attn.q")]
    [InlineData("lora_unet_blocks_0_self_attn_q", "lora_down.weight", "lora_up.weight", "blocks_0_self_attn_q")]
    [InlineData("lora_unet_blocks_0.self_attn.q", "lora_down.weight", "lora_up.weight", "blocks_0.self_attn.q")]
    [InlineData("transformer.blocks.0.attn1.to_q", "lora_A.weight", "lora_B.weight", "blocks.0.attn1.to_q")]
    public void EverySpellingIsRead(string layer, string down, string up, string name)
    {
        using var lora = LoraFile.Open(Write(($"{layer}.{down}", [2, 3]), ($"{layer}.{up}", [4, 2]), ($"{layer}.alpha", []), ($"{layer}.diff_b", [4]))).OrThrow();
        var read = Assert.Single(lora.Layers);
        Assert.Equal((name, 2, 1f), (read.Name, read.Rank, read.Alpha));
        Assert.Equal([4], read.BiasDifference!.Shape);
        Assert.Null(read.Difference);
        Assert.Empty(lora.LowNoiseLayers);
        Assert.Empty(lora.Unread);
    }

    [Fact]
    public void AFileForBothExpertsKeepsThemApart()
    {
        using var lora = LoraFile.Open(Write(
            ("transformer.blocks.0.ffn.net.2.lora_A.weight", [2, 3]), ("transformer.blocks.0.ffn.net.2.lora_B.weight", [4, 2]),
            ("transformer_2.blocks.1.ffn.net.2.lora_A.weight", [1, 3]), ("transformer_2.blocks.1.ffn.net.2.lora_B.weight", [4, 1]), ("unknown.key", [1]))).OrThrow();
        Assert.Equal("blocks.0.ffn.net.2", Assert.Single(lora.Layers).Name);
        Assert.Equal("blocks.1.ffn.net.2", Assert.Single(lora.LowNoiseLayers).Name);
        Assert.Equal(["unknown.key"], lora.Unread);
    }

    [Fact]
    public void WhatCannotBeUsedIsNamed()
    {
        Assert.Contains("only one half of the product for 'x'", Problem(("x.lora_A.weight", [2, 3])));
        Assert.Contains("'x' of [4, 3] and [2, 3]", Problem(("x.lora_A.weight", [2, 3]), ("x.lora_B.weight", [4, 3])));
        Assert.Contains("'x' of [4, 2, 3] and [2, 3]", Problem(("x.lora_A.weight", [2, 3]), ("x.lora_B.weight", [4, 2, 3])));
        Assert.Contains("twice, in two spellings", Problem(("x.lora_A.weight", [2, 3]), ("x.lora_down.weight", [2, 3])));
        Assert.Contains("'x.alpha' with 2 numbers", Problem(("x.alpha", [2])));
        Assert.Contains("holds no layer of a LoRA", Problem(("blocks.0.weight", [2])));
    }

    private string Problem(params (string Name, long[] Shape)[] tensors)
    {
        var path = Write(tensors);
        var problem = LoraFile.Open(path).Problem!;
        Assert.Contains(path, problem);
        return problem;
    }

    private string Write(params (string Name, long[] Shape)[] tensors)
    {
        var path = Path.Combine(folder, "lora.safetensors");
        SafetensorsWriter.Write(path, tensors.Select(tensor => new SafetensorsSource(tensor.Name, TensorType.F32, tensor.Shape, stream =>
        {
            for (var i = tensor.Shape.Aggregate(1L, (product, size) => product * size); i > 0; i--)
                stream.Write(BitConverter.GetBytes(1f));
        })));
        return path;
    }
}
