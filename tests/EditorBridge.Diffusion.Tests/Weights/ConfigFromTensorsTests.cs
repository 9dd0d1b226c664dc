using System.Text.Json;
using EditorBridge.Diffusion.Images;
using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using EditorBridge.Models.Variants;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Weights;

public sealed class ConfigFromTensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("sizes-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(16, 16, false, false, false, "", WanLine.TextToVideo)]
    [InlineData(36, 16, true, false, false, "", WanLine.ImageToVideo21)]
    [InlineData(36, 16, true, true, false, "model.diffusion_model.", WanLine.FirstLastFrame21)]
    [InlineData(16, 16, false, false, true, "model.diffusion_model.", WanLine.Vace)]
    [InlineData(36, 16, false, false, false, "diffusion_model.", WanLine.ImageToVideo22)]
    [InlineData(48, 48, false, false, false, "", WanLine.TextImageToVideo22)]
    public void ATransformerTellsItsSizesInEveryLayout(int input, int output, bool image, bool frames, bool vace, string prefix, WanLine line)
    {
        var sizes = new WanTransformerConfig
        {
            NumAttentionHeads = 1, AttentionHeadDim = 128, InChannels = input, OutChannels = output, TextDim = 24, FfnDim = 40, NumLayers = 4, FreqDim = 32,
            ImageDim = image ? 20 : null, AddedKvProjDim = image ? 128 : null, PosEmbedSeqLen = frames ? 514 : null,
            VaceLayers = vace ? [0, 2] : null, VaceInChannels = vace ? 96 : null,
        };
        using var network = new WanTransformer(sizes);
        foreach (var name in new Func<string, string>[] { key => key, key => prefix + WanTransformerKeys.ToOriginal(key) })
        {
            var path = Path.Combine(folder, "w.safetensors");
            WeightSaver.Save(network.state_dict().ToDictionary(pair => name(pair.Key), pair => pair.Value), path, ScalarType.BFloat16);
            using var weights = Checkpoint.Open(path).OrThrow();
            Assert.Equal(NetworkKind.Transformer, NetworkKinds.Of(weights));
            var read = ConfigFromTensors.Transformer(weights).OrThrow();
            Assert.Equal(sizes with { PatchSize = read.PatchSize, VaceLayers = read.VaceLayers }, read);
            Assert.Equal(sizes.PatchSize, read.PatchSize);
            Assert.Equal(sizes.VaceLayers, read.VaceLayers);
            Assert.Equal(line, WanVariant.Recognise(weights.Tensors.Values, path).OrThrow().Line);
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
            WeightLoader.LoadParts(again, weights, UMT5Keys.ToHuggingFace);
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

    [Theory]
    [InlineData("vae21", 16, 6, null)]
    [InlineData("vae22", 48, 4, 5)]
    public void AVaeTellsItsLine(string name, int latents, int encoder, int? decoder)
    {
        foreach (var original in new[] { false, true })
        {
            var path = Path.Combine(folder, "vae.safetensors");
            using (NewDisposeScope())
            {
                using var stored = Checkpoint.Open(GoldenCase.PathOf($"{name}/weights.diffusers.safetensors")).OrThrow();
                var names = KeyMap($"{name}/weights.config.json").ToDictionary(pair => pair.Other, pair => pair.Original);
                WeightSaver.Save(stored.Tensors.ToDictionary(pair => original ? names[pair.Key] : pair.Key, pair => MappedTensors.View(pair.Value)), path);
            }
            using var weights = Checkpoint.Open(path).OrThrow();
            Assert.Equal(NetworkKind.Vae, NetworkKinds.Of(weights));
            var read = ConfigFromTensors.Vae(weights).OrThrow();
            Assert.Equal((latents, encoder, decoder), (read.ZDim, read.BaseDim, read.DecoderBaseDim));
            using var vae = new WanVideoVae(read);
            WeightLoader.Load(vae, weights, WanVideoVaeKeys.ToDiffusers);
        }
    }

    [Fact]
    public void AVisionTowerTellsItsSizesInBothNamings()
    {
        var sizes = new ClipVisionConfig { HiddenSize = 160, IntermediateSize = 24, NumHiddenLayers = 2, NumAttentionHeads = 2, ImageSize = 28 };
        using var tower = new ClipVisionTower(sizes);
        var path = Path.Combine(folder, "clip.safetensors");
        WeightSaver.Save(tower, path);
        using (var weights = Checkpoint.Open(path).OrThrow())
            Assert.Equal(sizes, ConfigFromTensors.ImageEncoder(weights).OrThrow());

        using (NewDisposeScope())
        {
            const string Block = "visual.transformer.";
            var original = new Dictionary<string, Tensor>
            {
                ["visual.patch_embedding.weight"] = zeros(160, 3, 14, 14), ["visual.pos_embedding"] = zeros(1, 5, 160), ["visual.cls_embedding"] = zeros(1, 1, 160),
                ["visual.pre_norm.weight"] = zeros(160), ["visual.pre_norm.bias"] = zeros(160), ["textual.x"] = zeros(1),
            };
            for (var i = 0; i < 2; i++)
                foreach (var (name, shape) in new (string, long[])[]
                {
                    ("norm1.weight", [160]), ("norm1.bias", [160]), ("norm2.weight", [160]), ("norm2.bias", [160]), ("attn.to_qkv.weight", [480, 160]), ("attn.to_qkv.bias", [480]),
                    ("attn.proj.weight", [160, 160]), ("attn.proj.bias", [160]), ("mlp.0.weight", [24, 160]), ("mlp.0.bias", [24]), ("mlp.2.weight", [160, 24]), ("mlp.2.bias", [160]),
                })
                    original[$"{Block}{i}.{name}"] = zeros(shape);
            WeightSaver.Save(original, path);
        }
        using var authors = Checkpoint.Open(path).OrThrow();
        Assert.Equal(NetworkKind.ImageEncoder, NetworkKinds.Of(authors));
        Assert.Equal(sizes, ConfigFromTensors.ImageEncoder(authors).OrThrow());
        WeightLoader.LoadParts(tower, authors, ClipVisionKeys.ToHuggingFace);
    }

    [Theory]
    [InlineData("dit_i2v/weights")]
    [InlineData("dit_flf2v/weights")]
    [InlineData("dit_vace/weights")]
    [InlineData("dit_ti2v/weights")]
    [InlineData("dit_t2v/weights")]
    [InlineData("dit_a14b_i2v/high_noise")]
    public void TransformerNamesAreThoseOfTheConversionBothWays(string name)
    {
        var map = KeyMap($"{name}.config.json");
        Assert.True(map.Count > 60);
        Assert.All(map, pair =>
        {
            Assert.Equal(pair.Other, WanTransformerKeys.FromOriginal(pair.Original));
            Assert.Equal(pair.Other, WanTransformerKeys.FromOriginal(pair.Other));
            Assert.Equal(pair.Original, WanTransformerKeys.ToOriginal(pair.Other));
        });
    }

    [Theory]
    [InlineData("vae21")]
    [InlineData("vae22")]
    public void VaeNamesAreThoseOfTheConversion(string name) => Assert.All(KeyMap($"{name}/weights.config.json"), pair =>
    {
        Assert.Equal(pair.Other, WanVideoVaeKeys.ToDiffusers(pair.Original));
        Assert.Equal(pair.Other, WanVideoVaeKeys.ToDiffusers(pair.Other));
    });

    [Fact]
    public void TextEncoderNamesAreThoseOfTheConversion()
        => Assert.All(KeyMap("umt5/weights.config.json"), pair => Assert.Equal(pair.Other, Assert.Single(UMT5Keys.ToHuggingFace(pair.Original))));

    [Fact]
    public void AMissingBlockIsNotANetworkOfFewer()
    {
        using var network = new WanTransformer(new() { NumAttentionHeads = 1, AttentionHeadDim = 128, InChannels = 16, OutChannels = 16, TextDim = 8, FfnDim = 8, NumLayers = 3, FreqDim = 8 });
        var path = Path.Combine(folder, "w.safetensors");
        WeightSaver.Save(network.state_dict().Where(pair => !pair.Key.StartsWith("blocks.1.", StringComparison.Ordinal)).ToDictionary(), path);
        using var weights = Checkpoint.Open(path).OrThrow();
        Assert.Contains("a block", ConfigFromTensors.Transformer(weights).Problem);
    }

    private static List<(string Original, string Other)> KeyMap(string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(GoldenCase.PathOf(name)));
        return [.. json.RootElement.GetProperty("key_map").EnumerateObject().Select(pair => (pair.Name, pair.Value.GetString()!))];
    }
}
