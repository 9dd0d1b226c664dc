using EditorBridge.Diffusion.Parity;
using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Text;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Text;

public sealed class UMT5EncoderTests
{
    private static readonly UMT5Config Config = new()
    {
        VocabSize = 1024, DModel = 64, DKv = 16, DFf = 128, NumHeads = 4, NumLayers = 3,
    };

    [Fact]
    public void RowsBehindAPromptAreZero()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = new UMT5Encoder(Config);
        encoder.Initialize(new Generator(5));
        var context = encoder.EncodeContext([[5, 6, 7, 1], [9, 1]], 32);
        Assert.Equal([2, 32, 64], context.shape);
        Assert.Equal(0, context[0].slice(0, 4, 32, 1).abs().sum().item<float>());
        Assert.Equal(0, context[1].slice(0, 2, 32, 1).abs().sum().item<float>());
        Assert.True(context[1, 1].abs().sum().item<float>() > 0);
    }

    [Fact]
    public void OriginalKeysBecomeHuggingFaceKeys()
    {
        var weights = new GoldenWeights(GoldenCase.PathOf("umt5"), "weights");
        using var encoder = new UMT5Encoder(ConfigFile.TextEncoder(weights.Converted, weights.Source).OrThrow());
        Assert.Equal(32, weights.KeyMap.Count);
        foreach (var (original, converted) in weights.KeyMap)
        {
            Assert.Equal(converted, Assert.Single(UMT5Keys.ToHuggingFace(original)));
            Assert.Equal(converted, Assert.Single(UMT5Keys.ToHuggingFace(converted)));
        }

        Assert.Equal(weights.KeyMap.Select(pair => pair.Converted).Order(StringComparer.Ordinal), encoder.state_dict().Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ItTrainsFromRandomWeights()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        using var encoder = new UMT5Encoder(Config);
        encoder.Initialize(generator);
        var hidden = encoder.EncodeContext([[5, 6, 7, 1], [9, 1]], 8);
        Assert.True(hidden.isfinite().all().item<bool>());
        Assert.InRange(hidden[0, 0].std().item<float>(), 0.3f, 3f);
        hidden.square().sum().backward();
        foreach (var (name, parameter) in encoder.named_parameters())
            Assert.True(parameter.grad is { } gradient && gradient.abs().sum().item<float>() > 0, name);
        Assert.Equal(0, encoder.get_parameter("shared.weight")!.grad![100].abs().sum().item<float>());
    }

    [Fact]
    public void RandomWeightsFollowTheGenerator()
    {
        using var scope = NewDisposeScope();
        using var one = new UMT5Encoder(Config);
        using var other = new UMT5Encoder(Config);
        one.Initialize(new Generator(3));
        other.Initialize(new Generator(3));
        foreach (var (name, parameter) in one.named_parameters())
            Assert.True(parameter.allclose(other.get_parameter(name)!, 0, 0), name);
    }

    [Fact]
    public void ATooLongPromptIsRefused()
    {
        using var encoder = new UMT5Encoder(Config);
        Assert.Contains("4 pieces", Assert.Throws<ArgumentException>(() => encoder.EncodeContext([[1, 2, 3, 4]], 3)).Message);
    }
}
