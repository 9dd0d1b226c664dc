using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Tests.Goldens;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Samplers;

public class SamplerGoldenTests
{
    private static readonly (string Name, SamplerKind Kind)[] Kinds =
    [
        ("unipc", SamplerKind.UniPC), ("dpmpp", SamplerKind.DpmSolver), ("euler_diffusers", SamplerKind.Euler),
        ("unipc_diffusers", SamplerKind.DiffusersUniPC),
    ];

    public static TheoryData<string, int, int> Trajectories()
    {
        var data = new TheoryData<string, int, int>();
        foreach (var (name, _) in Kinds)
            foreach (var shift in (int[])[3, 5, 8])
                foreach (var steps in (int[])[4, 10, 20, 50])
                    data.Add(name, shift, steps);

        return data;
    }

    [Theory]
    [MemberData(nameof(Trajectories))]
    public void FollowsTheReferenceTrajectory(string name, int shift, int steps)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open($"schedulers/{name}_shift{shift}_steps{steps}");
        using var sampler = Sampler.Create(Kinds.Single(kind => kind.Name == name).Kind, steps, shift);
        AssertSchedule(golden["out.timesteps"], golden["out.sigmas"], sampler.Schedule);

        var samples = golden["out.samples"];
        var tolerance = 1e-5 * samples.abs().max().item<float>();
        var x = golden["in.x_init"];
        for (var i = 0; i < steps; i++)
        {
            Assert.Equal(i, sampler.Index);
            var velocity = golden["in.A"] * x + golden["in.B"] + golden["in.C"] * (sampler.Timestep / 1000);
            x = sampler.Step(velocity, x);
            var error = (x - samples[i]).abs().max().item<float>();
            Assert.True(error <= tolerance, $"step {i}: {error:g3} > {tolerance:g3}");
        }

        Assert.True(sampler.IsDone);
    }

    [Fact]
    public void MakesTheReferenceSchedules()
    {
        using var scope = NewDisposeScope();
        using var tables = GoldenCase.Open("schedulers/schedule_tables");
        var seen = 0;
        foreach (var name in tables.Names.Where(name => name.EndsWith(".timesteps", StringComparison.Ordinal)))
        {
            var parts = name.Split('.');
            var kind = Kinds.Single(kind => kind.Name == parts[0]).Kind;
            var shift = double.Parse(parts[1]["shift".Length..]);
            var steps = int.Parse(parts[2]["steps".Length..]);
            using var sampler = Sampler.Create(kind, steps, shift);
            AssertSchedule(tables[name], tables[name.Replace(".timesteps", ".sigmas")], sampler.Schedule);
            seen++;
        }

        Assert.Equal(336, seen);
    }

    private static void AssertSchedule(Tensor timesteps, Tensor sigmas, FlowSchedule schedule)
    {
        using var single = timesteps.to(ScalarType.Float32);
        Assert.Equal(single.data<float>().ToArray(), schedule.Timesteps);
        var expected = sigmas.data<float>().ToArray();
        Assert.Equal(expected.Length, schedule.Sigmas.Count);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - schedule.Sigmas[i]) <= 1.2e-7, $"sigma {i}: {schedule.Sigmas[i]:g9}, not {expected[i]:g9}");
    }
}
