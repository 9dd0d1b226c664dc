using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Samplers;

public sealed class FlowSamplingTests : IDisposable
{
    private static readonly long[] Shape = [1, 6, 5, 4, 4];
    private readonly string folder = Directory.CreateTempSubdirectory("sampling-").FullName;
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly WanTransformer network;
    private readonly ConditionedLatents conditioning;
    private readonly Tensor context;

    public FlowSamplingTests()
    {
        using var generator = new Generator(11);
        network = SmallSampling.Network(generator);
        context = randn([2, 4, 8], generator: generator);
        conditioning = SmallSampling.Conditioning(generator);
    }

    public void Dispose()
    {
        network.Dispose();
        scope.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(SamplerKind.UniPC)]
    [InlineData(SamplerKind.DpmSolver)]
    [InlineData(SamplerKind.Euler)]
    public void GoesOnToTheSameBitsFromAFile(SamplerKind kind)
    {
        using var straight = Start(kind);
        var expected = Bits(straight.Run());
        for (var stop = 0; stop <= 6; stop++)
        {
            var path = Path.Combine(folder, $"{stop}.safetensors");
            using (var first = Start(kind))
            {
                while (first.StepsTaken < stop)
                    first.Step();
                using var state = first.Save();
                first.Run();
                state.Write(path);
            }

            using var second = Start(kind, seed: 999);
            using (var state = SamplingState.Read(path))
                second.Restore(state);
            Assert.Equal(stop, second.StepsTaken);
            Assert.Equal(expected, Bits(second.Run()));
        }
    }

    [Fact]
    public void KeepsGivenLatentsAtEveryStep()
    {
        using var sampling = Start(SamplerKind.UniPC);
        var head = conditioning.Impose(zeros(Shape)).narrow(2, 0, 2);
        Assert.Equal(Bits(head), Bits(sampling.Latents.narrow(2, 0, 2)));
        var steps = new List<int>();
        sampling.Run(step =>
        {
            steps.Add(step.Taken);
            Assert.Equal(Bits(head), Bits(step.Clean.narrow(2, 0, 2)));
            Assert.Equal(Bits(head), Bits(sampling.Latents.narrow(2, 0, 2)));
        });
        Assert.Equal([1, 2, 3, 4, 5, 6], steps);
    }

    [Fact]
    public void PredictsTheCleanLatentsTheLastStepArrivesAt()
    {
        using var sampling = Start(SamplerKind.UniPC);
        Tensor? last = null;
        sampling.Run(step => last = step.Clean.clone().DetachFromDisposeScope());
        Assert.True((last! - sampling.Latents).abs().max().item<float>() < 1e-5);
        last!.Dispose();
    }

    [Fact]
    public void GuidanceFollowsItsFormula()
    {
        Tensor At(double guidance, Tensor? negative, Tensor positive)
        {
            using var sampler = Sampler.Create(SamplerKind.Euler, 1, 1);
            using var sampling = new FlowSampling(network, sampler, conditioning, FlowSampling.Noise(Shape, 3), positive, negative, guidance);
            return conditioning.Generated(sampling.Run()).clone();
        }

        // One Euler step is linear in the velocity.
        var (conditional, unconditional) = (At(1, null, context[0..1]), At(1, null, context[1..2]));
        var guided = At(3.5, context[1..2], context[0..1]);
        var expected = unconditional + (conditional - unconditional) * 3.5;
        Assert.True((guided - expected).abs().max().item<float>() < 1e-4);
        Assert.True((guided - conditional).abs().max().item<float>() > 1e-3);
        Assert.Throws<ArgumentException>(() => At(2, null, context[0..1]));
    }

    [Fact]
    public void ACancelledStepChangesNothing()
    {
        using var straight = Start(SamplerKind.UniPC);
        var expected = Bits(straight.Run());
        using var sampling = Start(SamplerKind.UniPC);
        sampling.Step();
        var before = Bits(sampling.Latents);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => sampling.Run(cancellation: source.Token));
        Assert.Equal(1, sampling.StepsTaken);
        Assert.Equal(before, Bits(sampling.Latents));
        Assert.Equal(expected, Bits(sampling.Run()));
    }

    [Fact]
    public void LeavesNoTensorBehind()
    {
        using var noise = FlowSampling.Noise(Shape, 1);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var sampler = Sampler.Create(SamplerKind.UniPC, 3, 5))
        using (var sampling = new FlowSampling(network, sampler, conditioning, noise, context[0..1], context[1..2], 4))
        {
            sampling.Run(_ => { });
            using var state = sampling.Save();
            sampling.Restore(state);
        }

        // Two slices of the context belong to the test.
        Assert.Equal(before + 2, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void TwoExpertsShareOneHistory()
    {
        using var other = new WanTransformer(network.Config);
        using var generator = new Generator(12);
        other.Initialize(generator);
        using (no_grad())
            other.state_dict()["proj_out.weight"].normal_(0, 0.2, generator);
        var boundary = Sampler.Create(SamplerKind.UniPC, 6, 5).Schedule.Timesteps[2];
        FlowSampling Both() => new([new Expert(other, 3, boundary), new Expert(network, 1)], Sampler.Create(SamplerKind.UniPC, 6, 5), conditioning,
            FlowSampling.Noise(Shape, 4), context[0..1], context[1..2]);

        using var both = Both();
        var (first, last) = (new List<float[]>(), new List<float[]>());
        both.Run(step => (step.Taken <= 3 ? first : last).Add(Bits(step.Clean)));
        var expected = Bits(both.Latents);
        Assert.Equal(3, first.Count);

        // Up to the boundary it is the one alone; from there on with the history of that one.
        using var alone = new FlowSampling(other, Sampler.Create(SamplerKind.UniPC, 6, 5), conditioning, FlowSampling.Noise(Shape, 4), context[0..1], context[1..2], 3);
        var clean = new List<float[]>();
        alone.Run(step => clean.Add(Bits(step.Clean)));
        Assert.Equal(clean.Take(3), first);
        Assert.NotEqual(clean[3], last[0]);

        foreach (var stop in (int[])[2, 3, 5])
        {
            using var begun = Both();
            while (begun.StepsTaken < stop)
                begun.Step();
            using var state = begun.Save();
            using var resumed = Both();
            resumed.Restore(state);
            Assert.Equal(expected, Bits(resumed.Run()));
        }
    }

    [Fact]
    public void ExpertsThatTakeTurnsAreBroughtOnceEach()
    {
        using var other = new WanTransformer(network.Config);
        using var generator = new Generator(12);
        other.Initialize(generator);
        using (no_grad())
            other.state_dict()["proj_out.weight"].normal_(0, 0.2, generator);
        network.Save(Path.Combine(folder, "low"));
        other.Save(Path.Combine(folder, "high"));
        using var high = WanTransformer.Load(Path.Combine(folder, "high"), placement: WeightPlacement.InTurns);
        using var low = WanTransformer.Load(Path.Combine(folder, "low"), placement: WeightPlacement.InTurns);
        high.TakeTurns(CPU); // which poses as a GPU here
        low.TakeTurns(CPU);
        var boundary = Sampler.Create(SamplerKind.UniPC, 6, 5).Schedule.Timesteps[2];
        FlowSampling Of(WanTransformer first, WanTransformer second) => new([new Expert(first, 3, boundary), new Expert(second, 2)], Sampler.Create(SamplerKind.UniPC, 6, 5), conditioning,
            FlowSampling.Noise(Shape, 4), context[0..1], context[1..2]);

        using var resident = Of(other, network);
        var expected = Bits(resident.Run());
        using (var turns = Of(high, low))
        {
            Assert.Equal((0, 0), (high.Placements, low.Placements));
            turns.Run(step => Assert.Equal((step.Taken <= 3, step.Taken > 3), (high.HasTurn, low.HasTurn)));
            Assert.Equal((1, 1), (high.Placements, low.Placements));
            Assert.Equal(expected, Bits(turns.Latents));
        }

        // A second window begins with the first expert again; one that goes on behind the boundary never asks for it.
        using var second = Of(high, low);
        while (second.StepsTaken < 4)
            second.Step();
        Assert.Equal((2, 2), (high.Placements, low.Placements));
        using var state = second.Save();
        using var resumed = Of(high, low);
        resumed.Restore(state);
        resumed.Run();
        Assert.Equal((2, 2), (high.Placements, low.Placements));
    }

    [Fact]
    public void ExpertsMustCoverEveryNoiseLevel()
    {
        foreach (var experts in (Expert[][])[[], [new Expert(network, 1, 500)], [new Expert(network, 1), new Expert(network, 1, 500)]])
            Assert.Throws<ArgumentException>(() => new FlowSampling(experts, Sampler.Create(SamplerKind.UniPC, 6, 5), conditioning, FlowSampling.Noise(Shape, 4), context[0..1], null));
    }

    [Fact]
    public void RefusesADamagedState()
    {
        using var sampling = Start(SamplerKind.UniPC);
        sampling.Step();
        var path = Path.Combine(folder, "state.safetensors");
        using (var state = sampling.Save())
            state.Write(path);
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..^9]);
        Assert.Throws<InvalidDataException>(() => SamplingState.Read(path));
        File.Copy(Goldens.GoldenCase.PathOf("vae22/decode_f1.safetensors"), path, overwrite: true);
        Assert.Contains("not a saved sampling state", Assert.Throws<InvalidDataException>(() => SamplingState.Read(path)).Message);
    }

    private FlowSampling Start(SamplerKind kind, long seed = 4) => new(
        network, Sampler.Create(kind, 6, 5), conditioning, FlowSampling.Noise(Shape, seed), context[0..1], context[1..2], 4);

    private static float[] Bits(Tensor tensor) => tensor.contiguous().data<float>().ToArray();
}
