using EditorBridge.Diffusion.Parity;
using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Wan;

/// <summary>What the golden files say of the transformer beside its numbers, which are in <see cref="ParityTests"/>.</summary>
public class WanTransformerGoldenTests
{
    [Fact]
    public void PerFrameTimestepsAreThoseOfTheirTokens()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = WanGoldens.Network("dit_ti2v");
        using var golden = GoldenCase.Open("dit_ti2v/case_i2v_tokens");
        var latent = golden["in.x.0"].unsqueeze(0);
        var frameTimes = golden["in.t"].view(1, 3, -1)[.., .., 0];
        Assert.Equal(0, frameTimes[0, 0].item<float>());
        var result = network.Forward([new LatentSegment(latent, frameTimes, [0, 1, 2])], WanGoldens.Padded(golden["in.context.0"], network.Config.TextLen));
        golden.AssertClose("out.0", result[0][0], 2e-5);
    }

    [Theory]
    [InlineData("dit_ti2v", "weights")]
    [InlineData("dit_t2v", "weights")]
    [InlineData("dit_i2v", "weights")]
    [InlineData("dit_vace", "weights")]
    public void ReadsBothNamings(string folder, string name)
    {
        var weights = new GoldenWeights(GoldenCase.PathOf(folder), name);
        foreach (var (original, diffusers) in weights.KeyMap)
        {
            Assert.Equal(diffusers, WanTransformerKeys.FromOriginal(original));
            Assert.Equal(diffusers, WanTransformerKeys.FromOriginal(diffusers));
        }

        using var network = new WanTransformer(ConfigFile.Transformer(weights.Converted, weights.Source).OrThrow());
        Assert.Equal(weights.KeyMap.Select(pair => pair.Converted).Order(StringComparer.Ordinal), network.state_dict().Keys.Order(StringComparer.Ordinal));
    }
}
