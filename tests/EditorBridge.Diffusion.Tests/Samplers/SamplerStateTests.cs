using CsCheck;
using EditorBridge.Diffusion.Samplers;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Samplers;

public class SamplerStateTests
{
    [Fact]
    public void GoesOnToTheSameBitsAfterARestore() =>
        Gen.Select(Gen.Enum<SamplerKind>(), Gen.Int[1, 12], Gen.Double[1, 12], Gen.Int[0, 1000]).Sample((kind, steps, shift, seed) =>
        {
            using var scope = NewDisposeScope();
            var stop = seed % (steps + 1);
            using var generator = new Generator((ulong)seed);
            var start = randn([2, 3, 4], generator: generator);
            using var straight = Sampler.Create(kind, steps, shift);
            using var first = Sampler.Create(kind, steps, shift);
            using var second = Sampler.Create(kind, steps, shift);
            var expected = Run(straight, start, steps);

            var half = Run(first, start, stop);
            using var state = first.Save();
            // What the first one does afterwards must not reach the saved state.
            Run(first, half, steps - stop);
            second.Restore(state);
            Assert.Equal(stop, second.Index);
            var resumed = Run(second, half, steps - stop);

            Assert.Equal(expected.data<float>().ToArray(), resumed.data<float>().ToArray());
        }, iter: 200, threads: 1);

    [Theory]
    [InlineData(SamplerKind.UniPC)]
    [InlineData(SamplerKind.DpmSolver)]
    [InlineData(SamplerKind.Euler)]
    [InlineData(SamplerKind.DiffusersUniPC)]
    public void ReachesTheCleanSampleOfAnExactVelocity(SamplerKind kind)
    {
        // A network that always knows x0 leads every solver straight to it.
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var clean = randn([3, 5], generator: generator);
        var noise = randn([3, 5], generator: generator);
        using var sampler = Sampler.Create(kind, 9, 5);
        var sigma = (double)sampler.Schedule.Sigmas[0];
        var x = clean * (1 - sigma) + noise * sigma;
        while (!sampler.IsDone)
        {
            var velocity = (x - clean) / (double)sampler.Schedule.Sigmas[sampler.Index];
            Assert.True((sampler.PredictClean(velocity, x) - clean).abs().max().item<float>() < 1e-4);
            x = sampler.Step(velocity, x);
        }

        Assert.True((x - clean).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void RefusesAStrangeState()
    {
        using var unipc = Sampler.Create(SamplerKind.UniPC, 4, 5);
        using var euler = Sampler.Create(SamplerKind.Euler, 4, 5);
        using var saved = euler.Save();
        Assert.Contains("euler", Assert.Throws<ArgumentException>(() => unipc.Restore(saved)).Message);
        using var late = new SamplerState("unipc", 5, new Dictionary<string, Tensor>());
        Assert.Throws<ArgumentException>(() => unipc.Restore(late));
        using var empty = new SamplerState("unipc", 2, new Dictionary<string, Tensor>());
        Assert.Contains("clean_before", Assert.Throws<ArgumentException>(() => unipc.Restore(empty)).Message);
    }

    [Fact]
    public void StopsAfterTheLastStep()
    {
        using var scope = NewDisposeScope();
        using var sampler = Sampler.Create(SamplerKind.UniPC, 1, 5);
        var x = ones(2);
        sampler.Step(x, x);
        Assert.Throws<InvalidOperationException>(() => sampler.Step(x, x));
    }

    [Fact]
    public void LeavesNoTensorBehind()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, 2);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var sampler = Sampler.Create(SamplerKind.UniPC, 5, 5))
        {
            for (var i = 0; i < 3; i++)
                sampler.Step(x, x).Dispose();

            sampler.Save().Dispose();
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static Tensor Run(ISampler sampler, Tensor x, int steps)
    {
        for (var i = 0; i < steps; i++)
            x = sampler.Step(x.sin() * (sampler.Timestep / 700) - x * 0.3, x);

        return x;
    }
}
