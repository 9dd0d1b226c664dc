using CsCheck;
using EditorBridge.Diffusion.Samplers;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Samplers;

public class DistilledScheduleTests
{
    [Fact]
    public void HasTheNoiseLevelsOfLightX2V()
    {
        // 1000, 750, 500, 250 of a table from 1 to 0 in a thousand steps, shifted by 5.
        var schedule = FlowSchedule.Distilled([1000, 750, 500, 250], 5);
        Assert.Equal([1000f, 937.5f, 833.3333f, 625f], schedule.Timesteps.Select(t => MathF.Round(t, 4)));
        Assert.Equal([1f, 0.9375f, 0.833333f, 0.625f, 0f], schedule.Sigmas.Select(sigma => MathF.Round(sigma, 6)));
        Assert.Equal([1000, 750, 500, 250], FlowSchedule.EvenTimesteps(4));
        // What FastWan tells its network is after the shift already.
        Assert.Equal([1000f, 757f, 522f], FlowSchedule.Distilled([1000, 757, 522], 1).Timesteps);
    }

    [Fact]
    public void BothPairsChangeExpertsAfterTwoSteps()
    {
        var timesteps = FlowSchedule.Distilled([1000, 750, 500, 250], 5).Timesteps;
        Assert.Equal(2, timesteps.Count(t => t >= 875));
        Assert.Equal(2, timesteps.Count(t => t >= 900));
    }

    [Fact]
    public void FallsFromTheFirstToZero() =>
        Gen.Select(Gen.Int[1, 1000].HashSet[1, 12], Gen.Double[0.5, 20]).Sample((set, shift) =>
        {
            var schedule = FlowSchedule.Distilled([.. set.OrderDescending().Select(t => (double)t)], shift);
            Assert.Equal(set.Count, schedule.Steps);
            Assert.Equal(schedule.Sigmas.OrderDescending(), schedule.Sigmas);
            Assert.InRange(schedule.Sigmas[0], 0, 1);
            Assert.Equal(0, schedule.Sigmas[^1]);
            Assert.All(schedule.Timesteps.Zip(schedule.Sigmas), pair => Assert.Equal(1000 * pair.Second, pair.First, 1e-3f));
        }, iter: 200);

    [Fact]
    public void RefusesAListThatDoesNotFall()
    {
        foreach (var list in (double[][])[[500, 750], [1001], [500, 0], [500, 500], [double.NaN]])
            Assert.Throws<ArgumentException>(() => FlowSchedule.Distilled(list, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sampler.Distilled(SamplerKind.UniPC, [1000, 500], 5));
    }

    [Fact]
    public void LcmPutsTheCleanSampleUnderFreshNoiseOfItsSeed()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var clean = randn([1, 2, 3, 4, 4], generator: generator);
        var x = randn([1, 2, 3, 4, 4], generator: generator);
        using var sampler = Sampler.Distilled(SamplerKind.Lcm, [1000, 500], 1, seed: 7);
        var next = sampler.Step(x - clean, x);
        var noise = FlowSampling.Noise(clean.shape, NoiseSeed.OfStep(7, 0));
        Assert.True((next - (clean * 0.5 + noise * 0.5)).abs().max().item<float>() < 1e-6);
        Assert.True((sampler.Step((next - clean) / 0.5, next) - clean).abs().max().item<float>() < 1e-5);

        using var twin = Sampler.Distilled(SamplerKind.Lcm, [1000, 500], 1, seed: 8);
        Assert.True((twin.Step(x - clean, x) - next).abs().max().item<float>() > 0.1);
    }

    [Fact]
    public void NoTwoPartsOfARunShareASeed() => Gen.Long[0, long.MaxValue].Sample(seed =>
    {
        long[] all = [.. Enumerable.Range(0, 40).Select(window => NoiseSeed.OfWindow(seed, window)), .. Enumerable.Range(0, 40).Select(step => NoiseSeed.OfStep(seed, step))];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.All(all, one => Assert.True(one >= 0));
    }, iter: 100);
}
