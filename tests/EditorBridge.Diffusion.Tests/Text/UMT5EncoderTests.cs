using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Text;

public sealed class UMT5EncoderTests
{
    private const double Tolerance = 1e-5;

    private static readonly UMT5Config Config = new()
    {
        VocabSize = 1024, DModel = 64, DKv = 16, DFf = 128, NumHeads = 4, NumLayers = 3,
    };

    private static UMT5Encoder Load(string weights)
    {
        var encoder = new UMT5Encoder(Config);
        using var file = SafetensorsFile.Open(GoldenCase.PathOf($"umt5/{weights}.safetensors")).OrThrow();
        WeightLoader.Load(encoder, file, UMT5Encoder.RenameKey);
        return encoder;
    }

    [Theory]
    [InlineData("weights.hf")]
    [InlineData("weights.original")]
    public void ABatchIsThatOfTheReference(string weights)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenCase.Open("umt5/case_short");
        using var encoder = Load(weights);
        var hidden = encoder.forward(golden["in.ids"], golden["in.mask"]);
        golden.AssertClose("out.hidden", hidden, Tolerance);

        // The same without padding rows, as the pipelines use it.
        var mask = golden["in.mask"];
        var prompts = Enumerable.Range(0, 3).Select(row =>
        {
            var length = mask[row].sum().item<long>();
            return (IReadOnlyList<int>)[.. golden["in.ids"][row].slice(0, 0, length, 1).clone().data<long>().Select(static id => (int)id)];
        }).ToArray();
        var context = encoder.EncodeContext(prompts, 32);
        Assert.Equal([3, 32, 64], context.shape);
        for (var row = 0; row < 3; row++)
        {
            var length = prompts[row].Count;
            golden.AssertClose($"out.context.{row}", context[row].slice(0, 0, length, 1), Tolerance);
            Assert.Equal(0, context[row].slice(0, length, 32, 1).abs().sum().item<float>());
        }
    }

    [Fact]
    public void EveryStageIsThatOfTheReference()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenCase.Open("umt5/case_short");
        using var encoder = Load("weights.hf");
        var seen = new List<string>();
        foreach (var (name, module) in encoder.named_modules())
        {
            var stage = name switch
            {
                "shared" => "mid.token_embedding",
                "encoder.block.0.layer.0.SelfAttention" => "mid.block0.attn",
                "encoder.block.0.layer.1.DenseReluDense" => "mid.block0.ffn",
                "encoder.block.0" => "mid.block0",
                "encoder.block.1" => "mid.block1",
                "encoder.block.2" => "mid.block2",
                _ => null,
            };
            if (stage is null)
                continue;
            void Check(Tensor output)
            {
                seen.Add(stage);
                golden.AssertClose(stage, output, Tolerance);
            }
            if (module is nn.Module<Tensor, Tensor> one)
                one.register_forward_hook((_, _, output) => { Check(output); return output; });
            else if (module is nn.Module<Tensor, Tensor?, Tensor> two)
                two.register_forward_hook((_, _, _, output) => { Check(output); return output; });
        }
        using var result = encoder.call(golden["in.ids"], golden["in.mask"]);
        var attention = (UMT5Encoder.SelfAttention)encoder.named_modules().First(m => m.name == "encoder.block.0.layer.0.SelfAttention").module;
        golden.AssertClose("mid.block0.pos_bias", attention.PositionBias(24), Tolerance);
        Assert.Equal(6, seen.Count);
    }

    [Fact]
    public void FarPositionsAreThoseOfTheReference()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenCase.Open("umt5/case_long_unmasked");
        using var encoder = Load("weights.hf");
        golden.AssertClose("out.hidden", encoder.forward(golden["in.ids"], golden["in.mask"]), Tolerance);
        golden.AssertClose("out.hidden", encoder.forward(golden["in.ids"]), Tolerance);
    }

    [Fact]
    public void PaddingTo512ChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenCase.Open("umt5/case_pad512");
        using var encoder = Load("weights.hf");
        var hidden = encoder.forward(golden["in.ids"], golden["in.mask"]);
        golden.AssertClose("out.hidden_first_rows", hidden.slice(1, 0, 25, 1), Tolerance);
        golden.AssertClose("out.context.0", hidden[0].slice(0, 0, 9, 1), Tolerance);
    }

    [Fact]
    public void BucketsAreThoseOfTheReference()
    {
        using var golden = GoldenCase.Open("umt5/relative_buckets");
        using var positions = golden["in.relative_position"];
        using var buckets = golden["out.bucket"];
        Assert.Equal(buckets.data<long>().ToArray(), positions.data<long>().Select(static p => (long)UMT5Encoder.Bucket((int)p, 32, 128)).ToArray());
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
