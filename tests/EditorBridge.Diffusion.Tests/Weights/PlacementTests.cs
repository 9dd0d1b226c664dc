using EditorBridge.Diffusion.Images;
using EditorBridge.Diffusion.Parity;
using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Lora;
using EditorBridge.Tests.Shared;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Weights;

/// <summary>Networks whose weights stay in their file give what those give that have them unpacked in memory.</summary>
public sealed class PlacementTests : IDisposable
{
    private static readonly WanTransformerConfig Sizes = new()
    {
        NumAttentionHeads = 2, AttentionHeadDim = 8, InChannels = 4, OutChannels = 4, TextDim = 6, FfnDim = 24, NumLayers = 2, TextLen = 4, FreqDim = 8,
    };

    private readonly TemporaryFolder folder = new();

    private string Model => folder.File("transformer");

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Cases() =>
        [.. ParityRun.Cases(GoldenCase.PathOf("")).Where(name => name.Split('/')[0] is not ("schedulers" or "tokenizer")).Where(ParityRun.IsKnown)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void GoldenNumbersComeFromMappedWeightsToo(string name)
    {
        var result = ParityRun.Run(GoldenCase.PathOf(""), name, WeightPlacement.AsStored);
        Assert.True(result.Pass, result.Problem);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData((ScalarType)24)]
    public void ATransformerGivesTheSameBits(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Saved(type);
        using var unpacked = WanTransformer.Load(Model, placement: WeightPlacement.Unpacked);
        using var stored = WanTransformer.Load(Model, placement: WeightPlacement.AsStored);
        using var streamed = WanTransformer.Load(Model, placement: WeightPlacement.Streamed);
        Assert.True(NewWeights.HasNoMemory(stored.get_parameter("blocks.1.ffn.net.2.weight")!));
        Assert.False(NewWeights.HasNoMemory(stored.get_parameter("blocks.1.ffn.net.2.bias")!));
        var expected = Velocity(unpacked);
        Assert.True(expected.isfinite().all().item<bool>());
        Assert.True(Velocity(stored).allclose(expected, 0, 0));
        Assert.True(Velocity(streamed).allclose(expected, 0, 0));
        unpacked.ComputeType = stored.ComputeType = ScalarType.BFloat16;
        Assert.True(Velocity(stored).allclose(Velocity(unpacked), 0, 0));
    }

    [Theory]
    [InlineData(ScalarType.Float32, false)]
    [InlineData(ScalarType.BFloat16, true)]
    public void BlocksThatGoThroughADeviceGiveTheSameBits(ScalarType type, bool vace)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var config = vace ? Sizes with { NumLayers = 3, VaceLayers = [0, 2], VaceInChannels = 96 } : Sizes with { NumLayers = 3 };
        Saved(type, config);
        using var stored = WanTransformer.Load(Model, placement: WeightPlacement.AsStored);
        using var streamed = WanTransformer.Load(Model, placement: WeightPlacement.Streamed);
        streamed.StreamBlocks(CPU);
        var context = vace ? new VaceContext(randn([1, 96, 2, 4, 4]), 0.7) : null;
        var expected = Velocity(stored, context);
        // Twice, as the last block brings the first of the next pass; and with another order of blocks between.
        Assert.True(Velocity(streamed, context).allclose(expected, 0, 0));
        Assert.True(Velocity(streamed, null).allclose(Velocity(stored, null), 0, 0));
        Assert.True(Velocity(streamed, context).allclose(expected, 0, 0));
    }

    [Theory]
    [InlineData("F16")]
    [InlineData("Q8_0")]
    public void ABlockComputesWithTheWeightsThatWereBrought(string type)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var checkpoint = Checkpoint.Open(StoredWeightTests.Write(folder, type, 64, 64)).OrThrow();
        var blocks = Enumerable.Range(0, 4).Select(_ => new LinearLayer(64, 64, hasBias: false)).ToArray();
        foreach (var block in blocks)
            block.Stored = StoredWeight.Of(checkpoint.Tensors["x.weight"], [64, 64]);
        blocks[2].Stored!.Add(ones(64, 1), ones(1, 64), 3);
        using var stream = new BlockStream(blocks, CPU);
        var x = randn(5, 64);
        for (var pass = 0; pass < 2; pass++)
        {
            for (var i = 0; i < blocks.Length; i++)
            {
                var during = 0;
                var actual = stream.Run(i, (i + 1) % 4, () =>
                {
                    during = blocks.Count(block => block.Stored!.Near is not null);
                    return blocks[i].call(x);
                });
                Assert.Equal(1, during);
                Assert.All(blocks, block => Assert.Null(block.Stored!.Near));
                var expected = blocks[i].call(x);
                // Packed weights come as bfloat16.
                Assert.InRange(((actual - expected).abs().max() / expected.abs().max()).item<float>(), 0, type == "F16" ? 0 : 0.01);
            }

            stream.Release();
        }

        foreach (var block in blocks)
            block.Dispose();
    }

    [Fact]
    public void SmallNetworksAreUnpackedUnlessAskedOtherwise()
    {
        Saved(ScalarType.Float16);
        using var network = WanTransformer.Load(Model);
        Assert.All(network.parameters(), parameter => Assert.False(NewWeights.HasNoMemory(parameter)));
    }

    [Fact]
    public void ALoraIsAddedWhereWeightsStayInTheirFile()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Saved(ScalarType.BFloat16);
        var path = folder.File("lora.safetensors");
        WeightSaver.Save(new Dictionary<string, Tensor>
        {
            ["blocks.0.self_attn.q.lora_A.weight"] = randn(3, 16), ["blocks.0.self_attn.q.lora_B.weight"] = randn(16, 3), ["blocks.0.self_attn.q.alpha"] = tensor(6f),
            ["blocks.1.ffn.0.diff"] = randn(24, 16), ["blocks.1.ffn.0.diff_b"] = randn(24), ["blocks.1.norm3.diff"] = randn(16), ["blocks.9.norm3.diff"] = randn(16),
        }, path);
        using var unpacked = WanTransformer.Load(Model, placement: WeightPlacement.Unpacked);
        using var stored = WanTransformer.Load(Model, placement: WeightPlacement.AsStored);
        var plain = Velocity(unpacked);
        using (var lora = LoraFile.Open(path).OrThrow())
        {
            foreach (var network in new[] { unpacked, stored })
            {
                var report = LoraMerge.Into(network, lora, 0.5);
                Assert.Equal(4, report.Changed);
                Assert.Equal(["blocks.9.norm3.diff"], report.Unmatched);
            }
        }

        var expected = Velocity(unpacked);
        Assert.False(expected.allclose(plain, 0.01, 0.01));
        Assert.True(Velocity(stored).allclose(expected, 1e-4, 1e-5));
    }

    [Fact]
    public void ATextEncoderGivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var config = new UMT5Config { VocabSize = 64, DModel = 16, DKv = 8, DFf = 32, NumHeads = 2, NumLayers = 2 };
        using (var encoder = new UMT5Encoder(config))
        {
            using var generator = new Generator(3);
            encoder.Initialize(generator);
            WeightSaver.Save(encoder, folder.File("t5.safetensors"), ScalarType.BFloat16);
        }

        using var weights = Checkpoint.Open(folder.File("t5.safetensors")).OrThrow();
        using var unpacked = UMT5Encoder.Load(config, weights, placement: WeightPlacement.Unpacked);
        using var streamed = UMT5Encoder.Load(config, weights, placement: WeightPlacement.Streamed);
        Assert.True(NewWeights.HasNoMemory(streamed.get_parameter("shared.weight")!));
        var expected = unpacked.EncodeContext([[5, 6, 7, 1], [8, 1]], 12);
        Assert.True(streamed.EncodeContext([[5, 6, 7, 1], [8, 1]], 12).allclose(expected, 0, 0));
    }

    [Fact]
    public void JoinedWeightsStayJoinedInTheFile()
    {
        using var scope = NewDisposeScope();
        var weights = new GoldenWeights(GoldenCase.PathOf("clip"), "weights");
        var config = ConfigFile.ImageEncoder(weights.Converted, weights.Source).OrThrow();
        var path = weights.Files.Single(file => file.Naming == "original").Path;
        using var checkpoint = Checkpoint.Open(path).OrThrow();
        using var tower = ClipVisionTower.Load(config, checkpoint, placement: WeightPlacement.AsStored);
        Assert.True(NewWeights.HasNoMemory(tower.get_parameter("vision_model.encoder.layers.0.self_attn.k_proj.weight")!));
    }

    private void Saved(ScalarType type, WanTransformerConfig? config = null)
    {
        using var network = new WanTransformer(config ?? Sizes);
        using var generator = new Generator(11);
        network.Initialize(generator);
        using (no_grad())
            network.get_parameter("proj_out.weight")!.normal_(0, 0.1, generator);
        network.Save(Model, type);
    }

    private static Tensor Velocity(WanTransformer network, VaceContext? vace = null)
    {
        using var generator = new Generator(2);
        var latent = randn([1, 4, 2, 4, 4], generator: generator);
        return network.Forward([new LatentSegment(latent, full([1, 2], 400.0), [0, 1])], randn([1, 4, 6], generator: generator), vace: vace)[0];
    }
}
