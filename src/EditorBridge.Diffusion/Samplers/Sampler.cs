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
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "There is no such sampler."),
    };
}
