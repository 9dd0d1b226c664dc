namespace EditorBridge.Diffusion.Samplers;

/// <summary>Solver together with its schedule.</summary>
public enum SamplerKind
{
    /// <summary>UniPC with the original Wan schedule; the default.</summary>
    UniPC,

    /// <summary>DPM-Solver++ with the original Wan schedule.</summary>
    DpmSolver,

    /// <summary>Euler as in Diffusers.</summary>
    Euler,

    /// <summary>UniPC with the schedule of Diffusers' Wan pipelines.</summary>
    DiffusersUniPC,

    /// <summary>Steps to the clean sample and back under fresh noise, at equal distances before the shift.</summary>
    Lcm,
}

/// <summary>Makes samplers.</summary>
public static class Sampler
{
    /// <summary>Makes a sampler that stands at step 0.</summary>
    /// <param name="kind">Solver and schedule.</param>
    /// <param name="steps">Number of steps, at least 1.</param>
    /// <param name="shift">Shift of the schedule, positive; Wan's default is 5.</param>
    /// <param name="skipped">First steps of the schedule that are left out, for samples that begin at a lower noise level.</param>
    public static ISampler Create(SamplerKind kind, int steps, double shift, int skipped = 0) => kind switch
    {
        SamplerKind.UniPC => new UniPCSampler(FlowSchedule.WanUniPC(steps, shift).Without(skipped)),
        SamplerKind.DpmSolver => new DpmSolverSampler(FlowSchedule.WanDpmSolver(steps, shift).Without(skipped)),
        SamplerKind.Euler => new EulerSampler(FlowSchedule.DiffusersEuler(steps, shift).Without(skipped)),
        SamplerKind.DiffusersUniPC => new UniPCSampler(FlowSchedule.DiffusersUniPC(steps, shift).Without(skipped)),
        SamplerKind.Lcm => Distilled(SamplerKind.Lcm, FlowSchedule.EvenTimesteps(steps), shift, skipped),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such sampler."),
    };

    /// <summary>Makes a sampler that stands at the first of the timesteps that a model was distilled to.</summary>
    /// <param name="kind">Euler or LCM: the others need more steps than there are.</param>
    /// <param name="timesteps">Before the shift, falling; see <see cref="FlowSchedule.Distilled"/>.</param>
    /// <param name="shift">Shift of the schedule, positive.</param>
    /// <param name="skipped">First steps of the schedule that are left out.</param>
    /// <param name="seed">Seed of the fresh noise of LCM's steps.</param>
    public static ISampler Distilled(SamplerKind kind, IReadOnlyList<double> timesteps, double shift, int skipped = 0, long seed = 0)
    {
        var schedule = FlowSchedule.Distilled(timesteps, shift).Without(skipped);
        return kind switch
        {
            SamplerKind.Euler => new EulerSampler(schedule),
            SamplerKind.Lcm => new LcmSampler(schedule, seed),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Given timesteps are walked by Euler or LCM."),
        };
    }
}
