namespace EditorBridge.Diffusion.Samplers;

/// <summary>Seeds of the parts of a run, from the one seed it has (SplitMix64, Steele et al. 2014).</summary>
public static class NoiseSeed
{
    /// <summary>The seed of a window: the run's own for the first.</summary>
    /// <param name="seed">The run's.</param>
    /// <param name="window">From 0.</param>
    public static long OfWindow(long seed, int window) => window == 0 ? seed : Mixed(seed, (ulong)window);

    /// <summary>The seed of the noise that a step adds; never that of a window.</summary>
    /// <param name="seed">The window's.</param>
    /// <param name="step">From 0.</param>
    public static long OfStep(long seed, int step) => Mixed(seed, (1UL << 32) + (ulong)step);

    private static long Mixed(long seed, ulong number)
    {
        unchecked
        {
            var z = (ulong)seed + number * 0x9E3779B97F4A7C15UL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return (long)((z ^ (z >> 31)) >> 1);
        }
    }
}
