using EditorBridge.Diffusion.Caching;
using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Tests.Samplers;
using EditorBridge.Diffusion.Wan;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Caching;

public sealed class StepCacheTests : IDisposable
{
    private const int Steps = 10;
    private static readonly long[] Shape = [1, 6, 5, 4, 4];
    private readonly string folder = Directory.CreateTempSubdirectory("caching-").FullName;
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly WanTransformer network;
    private readonly WanTransformer other;
    private readonly ConditionedLatents conditioning;
    private readonly Tensor context;

    public StepCacheTests()
    {
        using var generator = new Generator(11);
        network = SmallSampling.Network(generator);
        other = SmallSampling.Network(generator);
        context = randn([2, 4, 8], generator: generator);
        conditioning = SmallSampling.Conditioning(generator);
    }

    public void Dispose()
    {
        network.Dispose();
        other.Dispose();
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("teacache")]
    [InlineData("easycache")]
    public void ThresholdZeroComputesEveryPassToTheSameBits(string name)
    {
        using var plain = Start();
        var expected = Bits(plain.Run());
        using var cache = Cache(name, 0);
        using var cached = Start(new SamplingOptions { Cache = cache });
        Assert.Equal(expected, Bits(cached.Run()));
        Assert.Equal((2 * Steps, Steps), (cached.ComputedPasses, cached.ComputedSteps));
        Assert.Equal((2 * Steps, Steps), (plain.ComputedPasses, plain.ComputedSteps));
    }

    [Theory]
    [InlineData("teacache", 2, 3)]
    [InlineData("easycache", 2, 3)]
    [InlineData("teacache", 5, 6)]
    [InlineData("easycache", 5, 6)]
    public void AGreatThresholdComputesTheFirstStepsAndTheLast(string name, int first, int computed)
    {
        using var plain = Start();
        var expected = Bits(plain.Run());
        using var cache = Cache(name, 1e9, first);
        using var cached = Start(new SamplingOptions { Cache = cache });
        Assert.NotEqual(expected, Bits(cached.Run()));
        Assert.Equal((2 * computed, computed), (cached.ComputedPasses, cached.ComputedSteps));
    }

    [Theory]
    [InlineData("teacache")]
    [InlineData("easycache")]
    public void AGreaterThresholdNeverComputesMoreHere(string name)
    {
        var counts = new List<int>();
        foreach (var threshold in (double[])[0, 0.02, 0.1, 0.5, 1, 1e9])
        {
            using var cache = Cache(name, threshold);
            using var sampling = Start(new SamplingOptions { Cache = cache });
            sampling.Run();
            counts.Add(sampling.ComputedPasses);
        }

        Assert.Equal(counts.OrderDescending(), counts);
        Assert.True(counts[0] > counts[^1]);
    }

    [Theory]
    [InlineData("teacache", false)]
    [InlineData("easycache", false)]
    [InlineData("teacache", true)]
    [InlineData("easycache", true)]
    public void GoesOnToTheSameBitsFromAFile(string name, bool pair)
    {
        // Guidance sets in and ends on the way, so that the two passes have differences of different age.
        SamplingOptions Options(StepCache cache) => new() { Cache = cache, GuidedSteps = 1..8 };
        using var whole = Cache(name, Some(name));
        using var straight = Start(Options(whole), pair);
        var expected = Bits(straight.Run());
        Assert.InRange(straight.ComputedSteps, 3, Steps - 1);
        for (var stop = 0; stop <= Steps; stop++)
        {
            var path = Path.Combine(folder, $"{stop}.safetensors");
            using (var begun = Cache(name, Some(name)))
            using (var first = Start(Options(begun), pair))
            {
                while (first.StepsTaken < stop)
                    first.Step();
                using var state = first.Save();
                // What it does afterwards must not reach the saved state.
                first.Run();
                state.Write(path);
            }

            using var cache = Cache(name, Some(name));
            using var second = Start(Options(cache), pair);
            using (var read = SamplingState.Read(path))
                second.Restore(read);
            Assert.Equal(stop, second.StepsTaken);
            Assert.Equal(expected, Bits(second.Run()));
            Assert.Equal((straight.ComputedPasses, straight.ComputedSteps), (second.ComputedPasses, second.ComputedSteps));
        }
    }

    [Theory]
    [InlineData("teacache")]
    [InlineData("easycache")]
    public void AChangeOfExpertsIsComputed(string name)
    {
        using var cache = Cache(name, 1e9, 2);
        using var sampling = Start(new SamplingOptions { Cache = cache }, pair: true);
        var computed = new List<int>();
        while (sampling.StepsTaken < Steps)
        {
            var before = sampling.ComputedSteps;
            sampling.Step();
            if (sampling.ComputedSteps > before)
                computed.Add(sampling.StepsTaken - 1);
        }

        Assert.Contains(Boundary, computed);
        Assert.True(computed.Count < Steps);
    }

    [Theory]
    [InlineData("teacache")]
    [InlineData("easycache")]
    public void ACancelLeavesAStateThatGoesOnToTheSameBits(string name)
    {
        using var whole = Cache(name, Some(name));
        using var straight = Start(new SamplingOptions { Cache = whole });
        var expected = Bits(straight.Run());
        using var cache = Cache(name, Some(name));
        using var sampling = Start(new SamplingOptions { Cache = cache });
        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => sampling.Run(step =>
        {
            if (step.Taken == 4) source.Cancel();
        }, source.Token));
        Assert.Equal(4, sampling.StepsTaken);
        Assert.Equal(expected, Bits(sampling.Run()));
    }

    [Theory]
    [InlineData("teacache")]
    [InlineData("easycache")]
    public void LeavesNoTensorBehind(string name)
    {
        using var noise = FlowSampling.Noise(Shape, 1);
        using var words = context[0..1];
        using var negative = context[1..2];
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var cache = Cache(name, Some(name)))
        using (var sampler = Sampler.Create(SamplerKind.UniPC, Steps, 5))
        using (var sampling = new FlowSampling([new Expert(network, 4)], sampler, conditioning, noise, words, negative, options: new SamplingOptions { Cache = cache }))
        {
            sampling.Run();
            using var state = sampling.Save();
            sampling.Restore(state);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void RefusesTheStateOfAnotherCache()
    {
        using var tea = Cache("teacache", 0.1);
        using var easy = Cache("easycache", 0.1);
        using var first = Start(new SamplingOptions { Cache = tea });
        first.Step();
        using var state = first.Save();
        using var second = Start(new SamplingOptions { Cache = easy });
        Assert.Contains("teacache", Assert.Throws<ArgumentException>(() => second.Restore(state)).Message, StringComparison.Ordinal);
        using var plain = Start();
        Assert.Contains("step cache", Assert.Throws<ArgumentException>(() => plain.Restore(state)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThePolynomialIsHighestPowerFirstAndNeverNegative()
    {
        using var cache = new TeaCache(0.1, 5, [2, -1, 0.5, -0.25]);
        Assert.Equal(2 * 8 - 4 + 1 - 0.25, cache.Expected(2), 12);
        Assert.Equal(0, cache.Expected(0));
        using var plain = new TeaCache(0.1, 5, [1, 0]);
        Assert.Equal(0.37, plain.Expected(0.37));
        Assert.Throws<ArgumentException>(() => new TeaCache(0.1, 5, [double.NaN]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new EasyCache(-1, 5));
    }

    [Fact]
    public void OutsideOfTheGuidedStepsThePromptIsAlone()
    {
        using var unguided = Start(new SamplingOptions { GuidedSteps = 0..0 });
        using var one = new FlowSampling([new Expert(network, 1)], Sampler.Create(SamplerKind.UniPC, Steps, 5), conditioning, FlowSampling.Noise(Shape, 4), context[0..1], null);
        Assert.Equal(Bits(one.Run()), Bits(unguided.Run()));
        Assert.Equal(Steps, unguided.ComputedPasses);

        using var all = Start(new SamplingOptions { GuidedSteps = ..Steps });
        using var plain = Start();
        Assert.Equal(Bits(plain.Run()), Bits(all.Run()));

        using var some = Start(new SamplingOptions { GuidedSteps = 2..6 });
        var seen = 0;
        some.Predicted = (_, _) => seen++;
        some.Run();
        Assert.Equal((4, Steps + 4), (seen, some.ComputedPasses));
    }

    private static int Boundary => 4;

    // Reuses some steps of these networks and computes others; random weights change more from step to step than trained ones.
    private static double Some(string name) => name == "teacache" ? 1 : 0.15;

    private static StepCache Cache(string name, double threshold, int first = 2) => name == "teacache" ? new TeaCache(threshold, first, [1, 0]) : new EasyCache(threshold, first);

    private FlowSampling Start(SamplingOptions? options = null, bool pair = false)
    {
        var sampler = Sampler.Create(SamplerKind.UniPC, Steps, 5);
        Expert[] experts = pair ? [new Expert(other, 3, sampler.Schedule.Timesteps[Boundary - 1]), new Expert(network, 4)] : [new Expert(network, 4)];
        return new FlowSampling(experts, sampler, conditioning, FlowSampling.Noise(Shape, 4), context[0..1], context[1..2], options: options);
    }

    private static float[] Bits(Tensor tensor) => tensor.contiguous().data<float>().ToArray();
}
