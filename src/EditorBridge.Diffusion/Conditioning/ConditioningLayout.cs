namespace EditorBridge.Diffusion.Conditioning;

/// <summary>
/// Which latents of one window are given and which are generated, and where all of them lie in time. Two runs of latents: the main
/// sequence M, whose first latents (the encoding of the context before, A) and last latents may be given, and beside it the context after, B,
/// encoded alone. Times are in quarters of a latent, which are canvas frames: latent j of M at 4j; B may begin at any frame.
/// </summary>
/// <remarks>
/// A causal VAE codes frame 0 of a run into one latent and every four frames after it into another, so a latent's time is that of its last
/// frame. Numbers only; <see cref="ConditionedLatents"/> has the tensors.
/// </remarks>
public sealed record ConditioningLayout
{
    private const int Stride = 4;

    /// <summary>Time of each latent of the main sequence.</summary>
    public required IReadOnlyList<int> MainQuarters { get; init; }

    /// <summary>Given latents at the start of the main sequence, 1+a or 0.</summary>
    public int HeadLatents { get; init; }

    /// <summary>Given latents in the last slots of the main sequence; only for models without trained context after.</summary>
    public int TailLatents { get; init; }

    /// <summary>Time of each latent of the segment after; empty without.</summary>
    public IReadOnlyList<int> AfterQuarters { get; init; } = [];

    /// <summary>Latents of the main sequence.</summary>
    public int MainLatents => MainQuarters.Count;

    /// <summary>Latents that are generated.</summary>
    public int GeneratedLatents => MainLatents - HeadLatents - TailLatents;

    /// <summary>Time of each latent of the main sequence, in latents.</summary>
    public IReadOnlyList<double> MainPositions => [.. MainQuarters.Select(quarter => quarter / (double)Stride)];

    /// <summary>Time of each latent of the segment after, in latents.</summary>
    public IReadOnlyList<double> AfterPositions => [.. AfterQuarters.Select(quarter => quarter / (double)Stride)];

    /// <summary>A sequence with nothing given but, perhaps, its first latents.</summary>
    /// <param name="latents">Latents of the sequence.</param>
    /// <param name="head">Given latents at its start; 1 for a first frame.</param>
    public static ConditioningLayout Alone(int latents, int head = 0) =>
        new ConditioningLayout { MainQuarters = Quarters(0, latents), HeadLatents = head }.Checked();

    /// <summary>One window made forwards: B-roll, extension at the tail, fill.</summary>
    /// <param name="wanted">Wanted frames N.</param>
    /// <param name="before">Context frames before, 4a+1 or 0.</param>
    /// <param name="after">Context frames after, 4b+1 or 0; they follow the wanted frames at once.</param>
    public static ConditioningLayout Forward(int wanted, int before, int after)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wanted, 1);
        var head = LatentsOf(before);
        var latents = before == 0 ? (wanted - 1 + Stride - 1) / Stride + 1 : head + (wanted + Stride - 1) / Stride;
        return new ConditioningLayout
        {
            MainQuarters = Quarters(0, latents), HeadLatents = head, AfterQuarters = Quarters(before + wanted, LatentsOf(after)),
        }.Checked();
    }

    /// <summary>One window made backwards from the context that follows it: extension at the head. Its surplus falls at its start.</summary>
    /// <param name="wanted">Wanted frames N.</param>
    /// <param name="after">Context frames after, 4b+1.</param>
    public static ConditioningLayout Backward(int wanted, int after)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wanted, 1);
        var latents = (wanted - 1 + Stride - 1) / Stride + 1;
        return new ConditioningLayout
        {
            MainQuarters = Quarters(0, latents), AfterQuarters = Quarters(Stride * (latents - 1) + 1, LatentsOf(after)),
        }.Checked();
    }

    /// <summary>Latents that 4n+1 frames (or none) are encoded into.</summary>
    /// <param name="frames">4n+1 or 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another number of frames.</exception>
    public static int LatentsOf(int frames) => frames == 0 ? 0 : frames > 0 && frames % Stride == 1 ? frames / Stride + 1
        : throw new ArgumentOutOfRangeException(nameof(frames), frames, "Context must be 4n+1 frames.");

    /// <summary>This layout, when its numbers go together.</summary>
    /// <exception cref="ArgumentException">Nothing is left to generate, or a number is negative.</exception>
    public ConditioningLayout Checked() => HeadLatents >= 0 && TailLatents >= 0 && GeneratedLatents > 0
        ? this
        : throw new ArgumentException($"{HeadLatents} latents at the start and {TailLatents} at the end leave nothing of {MainLatents} to generate.");

    private static int[] Quarters(int first, int count) => [.. Enumerable.Range(0, count).Select(i => first + Stride * i)];
}
