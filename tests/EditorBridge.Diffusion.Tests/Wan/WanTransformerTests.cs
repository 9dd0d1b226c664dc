using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Wan;

public class WanTransformerTests
{
    private static readonly WanTransformerConfig Small = new()
    {
        NumAttentionHeads = 2, AttentionHeadDim = 24, InChannels = 6, OutChannels = 6, TextDim = 10, TextLen = 5, FfnDim = 64, NumLayers = 2,
    };

    [Fact]
    public void SegmentsOfOneClipGiveWhatTheClipGives()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = Random(1);
        var (clip, times, context) = Inputs(2, frames: 4);
        var whole = network.Forward([new LatentSegment(clip, times, [0, 1, 2, 3])], context)[0];
        var parts = network.Forward(
            [
                new LatentSegment(clip.narrow(2, 3, 1), times.narrow(1, 3, 1), [3]),
                new LatentSegment(clip.narrow(2, 0, 3), times.narrow(1, 0, 3), [0, 1, 2]),
            ],
            context);
        AssertClose(whole, cat([parts[1], parts[0]], 2), 1e-5);
    }

    [Fact]
    public void SegmentsMayDifferInSize()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = Random(1);
        var (clip, times, context) = Inputs(2, frames: 3);
        var small = clip[.., .., 0..1, 0..4, 0..2];
        var clean = zeros(2, 1);
        var one = network.Forward([new LatentSegment(clip, times, [0, 1, 2]), new LatentSegment(small, clean, [5.25])], context);
        var other = network.Forward([new LatentSegment(small, clean, [5.25]), new LatentSegment(clip, times, [0, 1, 2])], context);
        Assert.Equal([2, 6, 1, 4, 2], one[1].shape);
        AssertClose(one[0], other[1], 1e-5);
        AssertClose(one[1], other[0], 1e-5);
    }

    [Fact]
    public void FractionsOfTimeCount()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = Random(1);
        var (clip, times, context) = Inputs(2, frames: 2);
        var at = (double[] positions) => network.Forward([new LatentSegment(clip, times, positions)], context)[0];
        // Only distances matter to rotary positions.
        AssertClose(at([0, 2.75]), at([10.5, 13.25]), 1e-4);
        Assert.True((at([0, 2.75]) - at([0, 3])).abs().max().item<float>() > 1e-3);
    }

    [Fact]
    public void PreparedTextGivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = Random(1);
        var (clip, times, context) = Inputs(2, frames: 2);
        LatentSegment[] segments = [new(clip, times, [0, 1])];
        using var text = network.PrepareText(context);
        var first = network.Forward(segments, text)[0];
        Assert.True(first.equal(network.Forward(segments, context)[0]).all().item<bool>());
        Assert.True(first.equal(network.Forward(segments, text)[0]).all().item<bool>());
    }

    [Fact]
    public void GradientsAreTheSlopesOfTheLoss()
    {
        using var scope = NewDisposeScope();
        using var network = Random(1);
        var (clip, times, context) = Inputs(2, frames: 2);
        Tensor Loss() => network.Forward([new LatentSegment(clip, times, [0, 1])], context)[0].square().mean();
        Loss().backward();
        using var generator = new Generator(9);
        foreach (var (name, parameter) in network.named_parameters())
        {
            var gradient = parameter.grad;
            Assert.True(gradient is not null, name);
            using var noGrad = no_grad();
            // A step along the gradient itself, long enough to stand out from rounding.
            var norm = gradient!.norm().item<float>();
            Assert.True(norm > 0, name);
            var step = gradient * (0.02 / norm);
            parameter.add_(step);
            var up = Loss().item<float>();
            parameter.sub_(step * 2);
            var down = Loss().item<float>();
            parameter.add_(step);
            Assert.True(Math.Abs((up - down) / 0.04 - norm) <= 0.05 * norm + 2e-5, $"{name}: {(up - down) / 0.04} instead of {norm}");
        }
    }

    [Fact]
    public void ComputesInBfloat16WithGradientsInFloat32()
    {
        using var scope = NewDisposeScope();
        using var network = Random(1);
        var (clip, times, context) = Inputs(2, frames: 2);
        Tensor Velocity() => network.Forward([new LatentSegment(clip, times, [0, 1])], context)[0];
        var exact = Velocity().detach();
        network.ComputeType = bfloat16;
        var rough = Velocity();
        Assert.Equal(float32, rough.dtype);
        var error = (rough - exact).norm().item<float>() / exact.norm().item<float>();
        Assert.InRange(error, 1e-5, 0.03);
        rough.square().mean().backward();
        Assert.All(network.parameters(), parameter => Assert.Equal(float32, parameter.grad!.dtype));
        network.ComputeType = null;
        Assert.True(exact.equal(Velocity()).all().item<bool>());
    }

    [Fact]
    public void HoldsWeightsInBfloat16()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = Random(1);
        var (clip, times, context) = Inputs(2, frames: 2);
        LatentSegment[] segments = [new(clip, times, [0, 1])];
        var exact = network.Forward(segments, context)[0];
        network.to(bfloat16);
        var rough = network.Forward(segments, context)[0];
        Assert.Equal(float32, rough.dtype);
        Assert.InRange((rough - exact).norm().item<float>() / exact.norm().item<float>(), 1e-5, 0.05);
        network.ComputeType = float32;
        Assert.InRange((network.Forward(segments, context)[0] - exact).norm().item<float>() / exact.norm().item<float>(), 1e-5, 0.05);
    }

    [Fact]
    public void StartsTrainingFromAVelocityOfZero()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var generator = new Generator(3);
        using var network = new WanTransformer(Small);
        network.Initialize(generator);
        var (clip, times, context) = Inputs(2, frames: 2);
        Assert.Equal(0, network.Forward([new LatentSegment(clip, times, [0, 1])], context)[0].abs().max().item<float>());
        var weights = network.state_dict();
        Assert.Equal(1, weights["blocks.1.attn1.norm_k.weight"].min().item<float>());
        Assert.InRange(weights["blocks.1.attn1.to_k.weight"].std().item<float>(), 0.12, 0.17); // √(2 / (48 + 48))
        Assert.InRange(weights["condition_embedder.time_embedder.linear_1.weight"].std().item<float>(), 0.018, 0.022);
    }

    [Fact]
    public void ComesBackFromItsFolder()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = Random(1);
        var (clip, times, context) = Inputs(2, frames: 2);
        LatentSegment[] segments = [new(clip, times, [0, 1])];
        var folder = Directory.CreateTempSubdirectory("transformer-");
        try
        {
            network.Save(folder.FullName);
            using var again = WanTransformer.Load(folder.FullName);
            Assert.Equal(5, again.Config.TextLen);
            Assert.True(network.Forward(segments, context)[0].equal(again.Forward(segments, context)[0]).all().item<bool>());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void LeavesNoTensorBehind()
    {
        using var network = Random(1);
        using var scope = NewDisposeScope();
        var (clip, times, context) = Inputs(2, frames: 2);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        foreach (var velocity in network.Forward([new LatentSegment(clip, times, [0, 1])], context))
            velocity.Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void BlocksLetGoOfWhatTheNextHasRead(bool vace)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var network = new WanTransformer(Small with { NumLayers = 6, VaceLayers = vace ? [0, 1, 2, 3, 4, 5] : null, VaceInChannels = vace ? 96 : null });
        var live = new List<long>();
        foreach (var (name, module) in network.named_modules())
        {
            if (name.StartsWith("blocks.", StringComparison.Ordinal) && module is nn.Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor> block)
            {
                block.register_forward_hook((_, _, _, _, _, _, output) =>
                {
                    live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
                    return output;
                });
            }
        }

        var (clip, times, context) = Inputs(2, frames: 2);
        network.Forward([new LatentSegment(clip, times, [0, 1])], context, vace: vace ? new VaceContext(randn([2, 96, 2, 4, 6])) : null);
        Assert.Equal(6, live.Count);
        Assert.Equal(Enumerable.Repeat(live[1], 5), live.Skip(1));
    }

    [Fact]
    public void NamesWhatDoesNotFit()
    {
        using var scope = NewDisposeScope();
        using var network = Random(1);
        var (clip, times, context) = Inputs(2, frames: 2);
        Assert.Contains("time positions", Assert.Throws<ArgumentException>(() => network.Forward([new LatentSegment(clip, times, [0])], context)).Message);
        Assert.Contains("[2, 2]", Assert.Throws<ArgumentException>(() => network.Forward([new LatentSegment(clip, times[0..1], [0, 1])], context)).Message);
        Assert.Contains("10", Assert.Throws<ArgumentException>(() => network.PrepareText(zeros(2, 5, 11))).Message);
        Assert.Contains("text", Assert.Throws<ArgumentException>(() => network.Forward([], zeros(5, 10))).Message);
        Assert.Contains("belong together", Assert.Throws<NotSupportedException>(() => new WanTransformer(Small with { ImageDim = 8 })).Message);
        Assert.Contains("rise from 0", Assert.Throws<NotSupportedException>(() => new WanTransformer(Small with { VaceLayers = [1], VaceInChannels = 96 })).Message);
        Assert.Contains("not a VACE model", Assert.Throws<ArgumentException>(() => network.Forward([new LatentSegment(clip, times, [0, 1])], context, vace: new VaceContext(clip))).Message);
        Assert.Contains("no features of pictures", Assert.Throws<ArgumentException>(() => network.PrepareText(context, image: zeros(2, 5, 8))).Message);
    }

    private static WanTransformer Random(ulong seed)
    {
        using var generator = new Generator(seed);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var network = new WanTransformer(Small);
        foreach (var parameter in network.parameters())
        {
            var deviation = parameter.dim() > 1 ? 1 / Math.Sqrt(parameter.numel() / parameter.shape[0]) : 0.2;
            parameter.add_(randn(parameter.shape, generator: generator) * deviation);
        }

        return network;
    }

    private static (Tensor Clip, Tensor Times, Tensor Context) Inputs(long batch, long frames)
    {
        using var generator = new Generator(5);
        return (randn([batch, 6, frames, 4, 6], generator: generator), rand([batch, frames], generator: generator) * 1000,
            randn([batch, 5, 10], generator: generator));
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var error = (expected - actual).abs().max().item<float>() / expected.abs().max().item<float>();
        Assert.True(error <= tolerance, $"off by {error:g3}");
    }
}
