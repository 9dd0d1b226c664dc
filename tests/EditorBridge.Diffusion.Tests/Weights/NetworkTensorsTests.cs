using EditorBridge.Diffusion.Images;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using TorchSharp;

namespace EditorBridge.Diffusion.Tests.Weights;

/// <summary>What is looked for in headers is what the networks are made of.</summary>
public sealed class NetworkTensorsTests
{
    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(false, false, true)]
    public void OfATransformer(bool image, bool positions, bool vace)
    {
        var sizes = new WanTransformerConfig
        {
            NumAttentionHeads = 3, AttentionHeadDim = 8, InChannels = 36, OutChannels = 16, TextDim = 14, FreqDim = 10, FfnDim = 26, NumLayers = 3,
            ImageDim = image ? 20 : null, AddedKvProjDim = image ? 24 : null, PosEmbedSeqLen = positions ? 10 : null,
            VaceLayers = vace ? [0, 2] : null, VaceInChannels = vace ? 96 : null,
        };
        using var network = new WanTransformer(sizes);
        Same(network, NetworkTensors.Transformer(sizes));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OfAVae(bool residual)
    {
        var known = residual ? WanVaeConfig.Wan22 : WanVaeConfig.Wan21;
        foreach (var sizes in (WanVaeConfig[])[known with { BaseDim = 4 }, known with { BaseDim = 6, DecoderBaseDim = 8, NumResBlocks = 1, TemporalDownsample = [true, false, true] }])
        {
            using var network = new WanVideoVae(sizes);
            Same(network, NetworkTensors.Vae(sizes));
        }
    }

    [Fact]
    public void OfATextEncoder()
    {
        var sizes = new UMT5Config { VocabSize = 20, DModel = 8, DKv = 6, DFf = 12, NumHeads = 2, NumLayers = 2, RelativeAttentionNumBuckets = 16 };
        using var network = new UMT5Encoder(sizes);
        Same(network, NetworkTensors.TextEncoder(sizes));
    }

    [Fact]
    public void OfAnImageEncoder()
    {
        var sizes = new ClipVisionConfig { HiddenSize = 16, IntermediateSize = 24, NumHiddenLayers = 2, NumAttentionHeads = 2, ImageSize = 8, PatchSize = 4 };
        using var network = new ClipVisionTower(sizes);
        Same(network, NetworkTensors.ImageEncoder(sizes));
    }

    private static void Same(torch.nn.Module network, IReadOnlyDictionary<string, WantedTensor> listed) => Assert.Equal(
        network.state_dict().Select(pair => $"{pair.Key} [{string.Join(", ", pair.Value.shape)}]").Order(StringComparer.Ordinal),
        listed.Select(pair => $"{pair.Key} [{string.Join(", ", pair.Value.Shape)}]").Order(StringComparer.Ordinal));
}
