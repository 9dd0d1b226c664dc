using System.Globalization;
using System.Text.RegularExpressions;
using EditorBridge.Diffusion.Samplers;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Cases of <c>schedulers</c>: whole trajectories, and tables of noise levels.</summary>
internal static partial class SchedulerParity
{
    public const double Tolerance = 1e-5;

    /// <summary>Noise levels may be one float32 step off.</summary>
    private const double SigmaTolerance = 1.2e-7;

    public static bool Run(GoldenFile golden, GoldenComparison comparison)
    {
        var name = Path.GetFileNameWithoutExtension(golden.Path);
        if (Trajectory().Match(name) is { Success: true } trajectory && golden.Has("in.x_init") && Kind(trajectory.Groups["kind"].Value) is { } kind)
        {
            Follow(golden, comparison, kind, trajectory);
            return true;
        }

        var tables = golden.Names.Select(key => Table().Match(key)).Where(match => match.Success).ToList();
        if (tables.Count == 0)
            return false;
        foreach (var table in tables)
        {
            var tableKind = Kind(table.Groups["kind"].Value) ?? throw new InvalidDataException($"there is no sampler '{table.Groups["kind"].Value}' here");
            using var sampler = Sampler.Create(tableKind, Steps(table), Shift(table));
            var stem = table.Value[..^"timesteps".Length];
            CompareSchedule(comparison, sampler.Schedule, table.Value, stem + "sigmas");
        }

        return true;
    }

    private static void Follow(GoldenFile golden, GoldenComparison comparison, SamplerKind kind, Match name)
    {
        var shift = golden.Metadata.TryGetValue("shift", out var text) ? Number(text) : Shift(name);
        var steps = golden.Metadata.TryGetValue("steps", out text) ? (int)Number(text) : Steps(name);
        using var sampler = Sampler.Create(kind, steps, shift);
        CompareSchedule(comparison, sampler.Schedule, "out.timesteps", "out.sigmas");
        var x = golden["in.x_init"];
        var (samples, velocities) = (new List<Tensor>(), new List<Tensor>());
        while (!sampler.IsDone)
        {
            var velocity = golden["in.A"] * x + golden["in.B"] + golden["in.C"] * (sampler.Timestep / 1000);
            x = sampler.Step(velocity, x);
            velocities.Add(velocity);
            samples.Add(x);
        }

        comparison.Relative("out.samples", stack(samples), Tolerance);
        if (golden.Has("mid.velocity"))
            comparison.Relative("mid.velocity", stack(velocities), Tolerance);
    }

    private static void CompareSchedule(GoldenComparison comparison, FlowSchedule schedule, string timesteps, string sigmas)
    {
        comparison.Absolute(timesteps, tensor(schedule.Timesteps.ToArray()), 0);
        comparison.Absolute(sigmas, tensor(schedule.Sigmas.ToArray()), SigmaTolerance);
    }

    private static SamplerKind? Kind(string name) => name switch
    {
        "unipc" => SamplerKind.UniPC,
        "dpmpp" => SamplerKind.DpmSolver,
        "euler_diffusers" => SamplerKind.Euler,
        "unipc_diffusers" => SamplerKind.DiffusersUniPC,
        _ => null,
    };

    // Names of files may have a p for the point, as in case_scale0p6.
    private static double Shift(Match match) => Number(match.Groups["shift"].Value.Replace('p', '.'));

    private static int Steps(Match match) => int.Parse(match.Groups["steps"].Value, CultureInfo.InvariantCulture);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<kind>\w+)_shift(?<shift>\d+([.p]\d+)?)_steps(?<steps>\d+)$")]
    private static partial Regex Trajectory();

    [GeneratedRegex(@"^(?<kind>\w+)\.shift(?<shift>\d+([.p]\d+)?)\.steps(?<steps>\d+)\.timesteps$")]
    private static partial Regex Table();
}
