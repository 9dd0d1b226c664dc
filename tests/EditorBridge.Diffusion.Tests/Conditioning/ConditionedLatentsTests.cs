using CsCheck;
using EditorBridge.Diffusion.Conditioning;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Conditioning;

public class ConditionedLatentsTests
{
    [Fact]
    public void LaysOutAFill()
    {
        // 9 frames before, 6 wanted, 5 after: ⌈6/4⌉ = 2 new latents; B begins at frame 15, a quarter before latent 4 would.
        var layout = ConditioningLayout.Forward(wanted: 6, before: 9, after: 5);
        Assert.Equal([0, 1, 2, 3, 4], layout.MainPositions);
        Assert.Equal([3.75, 4.75], layout.AfterPositions);
        Assert.Equal((3, 2), (layout.HeadLatents, layout.GeneratedLatents));
    }

    [Fact]
    public void LaysOutBroll()
    {
        var layout = ConditioningLayout.Forward(wanted: 48, before: 0, after: 0);
        Assert.Equal(13, layout.MainLatents);
        Assert.Equal(13, layout.GeneratedLatents);
        Assert.Empty(layout.AfterPositions);
        Assert.Equal(1, ConditioningLayout.Forward(1, 0, 0).MainLatents);
        Assert.Equal(1 + 12, ConditioningLayout.Forward(48, 1, 0).MainLatents);
    }

    [Fact]
    public void LaysOutAnExtensionAtTheHead()
    {
        // 6 wanted frames: n = ⌈5/4⌉ + 1 = 3 latents of 9 frames; B's first frame is frame 9.
        var layout = ConditioningLayout.Backward(wanted: 6, after: 9);
        Assert.Equal([0, 1, 2], layout.MainPositions);
        Assert.Equal([2.25, 3.25, 4.25], layout.AfterPositions);
        Assert.Equal(0, layout.HeadLatents);
    }

    [Fact]
    public void EveryWindowHoldsWhatIsWanted() =>
        Gen.Select(Gen.Int[1, 200], Gen.Int[-1, 4], Gen.Int[-1, 4]).Sample((wanted, a, b) =>
        {
            var (before, after) = (a < 0 ? 0 : 4 * a + 1, b < 0 ? 0 : 4 * b + 1);
            var forward = ConditioningLayout.Forward(wanted, before, after);
            var frames = 4 * (forward.MainLatents - 1) + 1;
            Assert.InRange(frames - before - wanted, 0, 3);
            Assert.Equal(a + 1, forward.HeadLatents);
            Assert.Equal(b + 1, forward.AfterQuarters.Count);
            // A latent's time is that of its last frame, whether it belongs to M or to B.
            if (after > 0)
                Assert.Equal(before + wanted, forward.AfterQuarters[0]);

            var backward = ConditioningLayout.Backward(wanted, after);
            Assert.InRange(4 * (backward.MainLatents - 1) + 1 - wanted, 0, 3);
            if (after > 0)
                Assert.Equal(backward.MainQuarters[^1] + 1, backward.AfterQuarters[0]);
        });

    [Fact]
    public void GivenLatentsAreCleanAndGeneratedOnesAreNot()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var layout = ConditioningLayout.Forward(wanted: 6, before: 5, after: 5);
        var (head, after) = (randn([2, 3, 2, 4, 4], generator: generator), randn([2, 3, 2, 4, 4], generator: generator));
        var noisy = randn([2, 3, 4, 4, 4], generator: generator);
        var conditioned = new ConditionedLatents(layout, head, after);
        var segments = conditioned.Segments(noisy, tensor(new[] { 900.5, 20 }));

        Assert.Equal(2, segments.Count);
        Assert.Equal(Numbers(cat([head, noisy.narrow(2, 2, 2)], 2)), Numbers(segments[0].Latent));
        Assert.Equal(Numbers(after), Numbers(segments[1].Latent));
        Assert.Equal([0, 0, 900.5, 900.5, 0, 0, 20, 20], segments[0].Timesteps.data<double>().ToArray());
        Assert.Equal([0, 0, 0, 0], segments[1].Timesteps.data<double>().ToArray());
        Assert.Equal([0, 1, 2, 3], segments[0].TimePositions);
        Assert.Equal([2.75, 3.75], segments[1].TimePositions);

        Assert.Equal(Numbers(noisy.narrow(2, 2, 2)), Numbers(conditioned.Generated(noisy)));
        Assert.Equal([0, 0, 1, 1], conditioned.LossMask().data<float>().ToArray());
        Assert.Equal([1, 1, 4, 1, 1], conditioned.LossMask().shape);

        var sampling = conditioned.Segments(noisy, 900.5);
        Assert.Equal([0, 0, 900.5, 900.5, 0, 0, 900.5, 900.5], sampling[0].Timesteps.data<double>().ToArray());
        Assert.Equal(Numbers(segments[0].Latent), Numbers(sampling[0].Latent));
    }

    [Fact]
    public void TheEndMayTakeTheLastSlots()
    {
        using var scope = NewDisposeScope();
        var layout = new ConditioningLayout { MainQuarters = [0, 4, 8, 12, 16], HeadLatents = 1, TailLatents = 2 };
        var conditioned = new ConditionedLatents(layout, head: ones([1, 2, 1, 2, 2]), tail: ones([1, 2, 2, 2, 2]) * 2);
        var main = conditioned.Impose(zeros([1, 2, 5, 2, 2]));
        Assert.Equal([1, 0, 0, 2, 2], main[0, 0, .., 0, 0].clone().data<float>().ToArray());
        Assert.Equal([0, 7, 7, 0, 0], conditioned.Segments(main, 7)[0].Timesteps.data<double>().ToArray());
    }

    [Fact]
    public void NothingGivenLeavesEverything()
    {
        using var scope = NewDisposeScope();
        var main = randn([1, 2, 3, 2, 2]);
        var conditioned = new ConditionedLatents(ConditioningLayout.Alone(3));
        Assert.Equal(Numbers(main), Numbers(conditioned.Impose(main)));
        Assert.Single(conditioned.Segments(main, 5));
    }

    [Fact]
    public void NamesWhatDoesNotFit()
    {
        using var scope = NewDisposeScope();
        var layout = ConditioningLayout.Forward(wanted: 4, before: 5, after: 1);
        var (two, one) = (zeros([1, 2, 2, 2, 2]), zeros([1, 2, 1, 2, 2]));
        Assert.Contains("before", Assert.Throws<ArgumentException>(() => new ConditionedLatents(layout, null, one)).Message);
        Assert.Contains("after", Assert.Throws<ArgumentException>(() => new ConditionedLatents(layout, two, two)).Message);
        Assert.Contains("last slots", Assert.Throws<ArgumentException>(() => new ConditionedLatents(layout, two, one, one)).Message);
        Assert.Throws<ArgumentException>(() => new ConditionedLatents(layout, two, one).Impose(two));
        Assert.Throws<ArgumentException>(() => ConditioningLayout.Alone(1, head: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ConditioningLayout.Forward(4, 3, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => ConditioningLayout.Forward(0, 0, 0));
    }

    private static float[] Numbers(Tensor tensor) => tensor.contiguous().data<float>().ToArray();
}
