namespace EditorBridge.Diffusion.Samplers;

/// <summary>
/// The noise levels of one run: what the network is told at each step and what the solver computes with. They differ on purpose: the
/// reference feeds truncated integers to the network while the solver keeps the unrounded value.
/// </summary>
/// <remarks>
/// Flow convention: <c>x_σ = (1 − σ)·x0 + σ·ε</c>. The shift moves steps towards noise: <c>σ' = s·σ / (1 + (s − 1)·σ)</c>.
/// </remarks>
public sealed record FlowSchedule
{
    private const int TrainingTimesteps = 1000;

    private FlowSchedule(float[] timesteps, float[] sigmas)
    {
        Timesteps = timesteps;
        Sigmas = sigmas;
    }

    /// <summary>What the network is given at each step, on the scale 0..1000; whole numbers except for Euler.</summary>
    public IReadOnlyList<float> Timesteps { get; }

    /// <summary>Noise levels, one more than there are steps; the last is 0.</summary>
    public IReadOnlyList<float> Sigmas { get; }

    /// <summary>Number of solver steps.</summary>
    public int Steps => Timesteps.Count;

    /// <summary>This schedule without its first steps.</summary>
    /// <param name="skipped">How many; fewer than there are.</param>
    public FlowSchedule Without(int skipped)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(skipped);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(skipped, Steps);
        return skipped == 0 ? this : new FlowSchedule([.. Timesteps.Skip(skipped)], [.. Sigmas.Skip(skipped)]);
    }

    /// <summary>The shift formula of rectified-flow schedules.</summary>
    /// <param name="sigma">Noise level in 0..1.</param>
    /// <param name="shift">Shift; 1 changes nothing, larger values spend more steps on high noise.</param>
    public static double Shift(double sigma, double shift) => shift * sigma / (1 + (shift - 1) * sigma);

    /// <summary>The original Wan schedule for UniPC. It starts at 0.999 before the shift, not at 1.</summary>
    /// <param name="steps">Number of steps, at least 1.</param>
    /// <param name="shift">Shift, positive.</param>
    public static FlowSchedule WanUniPC(int steps, double shift) => Truncated(Ladder((float)(1 - 1.0 / TrainingTimesteps), 0, steps, shift));

    /// <summary>The original Wan schedule for DPM++. It starts at exactly 1.</summary>
    /// <inheritdoc cref="WanUniPC" path="/param"/>
    public static FlowSchedule WanDpmSolver(int steps, double shift) => Truncated(Ladder(1, 0, steps, shift));

    /// <summary>The schedule of Diffusers' UniPC with flow sigmas: from 1 down to 1/1000, the first kept just below 1.</summary>
    /// <inheritdoc cref="WanUniPC" path="/param"/>
    public static FlowSchedule DiffusersUniPC(int steps, double shift)
    {
        var sigmas = Ladder(1, 1.0 / TrainingTimesteps, steps, shift);
        if (Math.Abs(sigmas[0] - 1) < 1e-6)
            sigmas[0] -= 1e-6;

        return Truncated(sigmas);
    }

    /// <summary>
    /// The schedule of Diffusers' FlowMatchEulerDiscreteScheduler. Its constructor shifts the table and setting the steps shifts
    /// the ends of that table again; timesteps keep their fraction.
    /// </summary>
    /// <inheritdoc cref="WanUniPC" path="/param"/>
    public static FlowSchedule DiffusersEuler(int steps, double shift)
    {
        Check(steps, shift);
        var s = (float)shift;
        float ShiftedOnce(float sigma) => s * sigma / (1 + (s - 1) * sigma);
        double highest = ShiftedOnce(1);
        double lowest = ShiftedOnce(1f / TrainingTimesteps);

        var grid = Linspace(highest * TrainingTimesteps, lowest * TrainingTimesteps, steps);
        var sigmas = grid.Select(t => (float)Shift(t / TrainingTimesteps, shift)).ToArray();
        return new FlowSchedule([.. sigmas.Select(sigma => sigma * TrainingTimesteps)], [.. sigmas, 0f]);
    }

    /// <summary>
    /// The schedule of models that are distilled to a few steps (as LightX2V's, CausVid's and Self-Forcing's are run): the timesteps they were trained with, shifted; timesteps keep
    /// their fraction.
    /// </summary>
    /// <param name="timesteps">Before the shift, falling, above 0 and at most 1000: 1000, 750, 500, 250.</param>
    /// <param name="shift">Shift, positive; 1 where the list already is what the network was told in training.</param>
    public static FlowSchedule Distilled(IReadOnlyList<double> timesteps, double shift)
    {
        Check(timesteps.Count, shift);
        if (timesteps.Any(t => !(t is > 0 and <= TrainingTimesteps)) || timesteps.Zip(timesteps.Skip(1)).Any(pair => pair.First <= pair.Second))
            throw new ArgumentException("Timesteps must fall from at most 1000, and stay above 0.", nameof(timesteps));

        var sigmas = timesteps.Select(t => Shift(t / TrainingTimesteps, shift)).ToArray();
        return new FlowSchedule([.. sigmas.Select(sigma => (float)(sigma * TrainingTimesteps))], [.. sigmas.Select(sigma => (float)sigma), 0f]);
    }

    /// <summary>As many timesteps at equal distances: 4 are 1000, 750, 500, 250.</summary>
    /// <param name="steps">How many, at least 1.</param>
    public static IReadOnlyList<double> EvenTimesteps(int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        return [.. Enumerable.Range(0, steps).Select(i => TrainingTimesteps - i * (double)TrainingTimesteps / steps)];
    }

    private static double[] Ladder(double first, double last, int steps, double shift)
    {
        Check(steps, shift);
        return [.. Linspace(first, last, steps + 1).Take(steps).Select(sigma => Shift(sigma, shift))];
    }

    private static FlowSchedule Truncated(double[] sigmas) => new(
        [.. sigmas.Select(sigma => (float)Math.Truncate(sigma * TrainingTimesteps))],
        [.. sigmas.Select(sigma => (float)sigma), 0f]);

    // Evaluated as numpy does, so that truncation falls on the same side.
    private static double[] Linspace(double first, double last, int count)
    {
        if (count == 1)
            return [first];

        var step = (last - first) / (count - 1);
        var values = new double[count];
        for (var i = 0; i < count; i++)
            values[i] = i * step + first;

        values[^1] = last;
        return values;
    }

    private static void Check(int steps, double shift)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shift);
    }
}
