using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Variants;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Weights;

public sealed class ConfigFromTensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sizes-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<int, int, string> Transformers => new()
    {
        { 16, 16, "" }, { 16, 16, "model.diffusion_model." }, { 36, 16, "diffusion_model." }, { 48, 48, "" },
    };

    [Theory]
    [MemberData(nameof(Transformers))]
    public void ATransformerTellsItsSizesInBothNamings(int input, int output, string prefix)
    {
        var sizes = new WanTransformerConfig
        {
            NumAttentionHeads = 2, AttentionHeadDim = 128, InChannels = input, OutChannels = output, TextDim = 24, FfnDim = 40, NumLayers = 3, FreqDim = 32,
        };
        using var network = new WanTransformer(sizes);
        foreach (var name in new Func<string, string>[] { key => key, key => prefix + WanTransformerKeys.ToOriginal(key) })
        {
            var path = Path.Combine(folder, "w.safetensors");
            WeightSaver.Save(network.state_dict().ToDictionary(pair => name(pair.Key), pair => pair.Value), path, ScalarType.BFloat16);
            using var weights = Checkpoint.Open(path).OrThrow();
            Assert.Equal(NetworkKind.Transformer, NetworkKinds.Of(weights));
            var read = ConfigFromTensors.Transformer(weights).OrThrow();
            Assert.Equal(sizes with { PatchSize = read.PatchSize }, read);
            Assert.Equal(sizes.PatchSize, read.PatchSize);
            using var again = new WanTransformer(read);
            WeightLoader.Load(again, weights, WanTransformerKeys.FromOriginal);
        }
    }

    [Fact]
    public void ATextEncoderIsReadFromEveryNaming()
    {
        var sizes = new UMT5Config { VocabSize = 20, DModel = 8, DKv = 6, DFf = 12, NumHeads = 2, NumLayers = 2 };
        using var network = new UMT5Encoder(sizes);
        using (no_grad())
            foreach (var weight in network.parameters())
                weight.normal_();
        (string From, string To)[] parts =
        [
            ("shared.", "token_embd."), ("encoder.final_layer_norm.", "enc.output_norm."), ("encoder.block.", "enc.blk."), ("layer.0.layer_norm.", "attn_norm."),
            ("layer.1.layer_norm.", "ffn_norm."), ("layer.0.SelfAttention.relative_attention_bias.", "attn_rel_b."), ("layer.0.SelfAttention.", "attn_"),
            ("layer.1.DenseReluDense.wi_0.", "ffn_gate."), ("layer.1.DenseReluDense.wi_1.", "ffn_up."), ("layer.1.DenseReluDense.wo.", "ffn_down."),
        ];
        foreach (var name in new Func<string, string>[] { key => key, key => parts.Aggregate(key, (text, part) => text.Replace(part.From, part.To, StringComparison.Ordinal)) })
        {
            var path = Path.Combine(folder, "w.safetensors");
            using var model = tensor(new byte[] { 1, 2, 3 });
            WeightSaver.Save(network.state_dict().ToDictionary(pair => name(pair.Key), pair => pair.Value).Append(new("spiece_model", model)).ToDictionary(), path);
            using var weights = Checkpoint.Open(path).OrThrow();
            Assert.Equal(NetworkKind.TextEncoder, NetworkKinds.Of(weights));
            var read = ConfigFromTensors.TextEncoder(weights).OrThrow();
            Assert.Equal(sizes, read);
            using var again = new UMT5Encoder(read);
            WeightLoader.Load(again, weights, UMT5Encoder.RenameKey);
            Assert.All(network.state_dict(), pair => Assert.True(pair.Value.equal(again.state_dict()[pair.Key]).all().item<bool>(), pair.Key));
        }
    }

    [Fact]
    public void ThePublishedTextEncoderNamesAreKnown()
    {
        using var weights = Checkpoint.Open(GoldenCase.PathOf("umt5/weights.hf.safetensors")).OrThrow();
        var read = ConfigFromTensors.TextEncoder(weights).OrThrow();
        Assert.Equal((1024, 64, 16, 128, 4, 3), (read.VocabSize, read.DModel, read.DKv, read.DFf, read.NumHeads, read.NumLayers));
        Assert.Contains("does not hold a Wan transformer", ConfigFromTensors.Transformer(weights).Problem);
    }

    [Fact]
    public void AMissingBlockIsNotANetworkOfFewer()
    {
        using var network = new WanTransformer(new() { NumAttentionHeads = 1, AttentionHeadDim = 128, InChannels = 16, OutChannels = 16, TextDim = 8, FfnDim = 8, NumLayers = 3, FreqDim = 8 });
        var path = Path.Combine(folder, "w.safetensors");
        WeightSaver.Save(network.state_dict().Where(pair => !pair.Key.StartsWith("blocks.1.", StringComparison.Ordinal)).ToDictionary(), path);
        using var weights = Checkpoint.Open(path).OrThrow();
        Assert.Contains("a block", ConfigFromTensors.Transformer(weights).Problem);
    }
}
