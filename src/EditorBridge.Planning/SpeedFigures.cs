namespace EditorBridge.Planning;

/// <summary>What is known of this machine's speed with a model.</summary>
/// <param name="Basis">Where the figures come from.</param>
/// <param name="TransformerFlopsPerSecond">Floating point operations a second the transformer reaches.</param>
/// <param name="VaeFlopsPerSecond">The same for the VAE.</param>
public sealed record SpeedFigures(TimeBasis Basis, double TransformerFlopsPerSecond, double VaeFlopsPerSecond)
{
    /// <summary>Nothing is known.</summary>
    public static readonly SpeedFigures Unknown = new(TimeBasis.Unknown, 0, 0);

    /// <summary>What a one-second matrix product probe says: networks reach about half of it in both parts.</summary>
    /// <param name="matrixFlopsPerSecond">Operations a second of the probe.</param>
    public static SpeedFigures FromProbe(double matrixFlopsPerSecond) => new(TimeBasis.Probe, matrixFlopsPerSecond / 2, matrixFlopsPerSecond / 2);
}
