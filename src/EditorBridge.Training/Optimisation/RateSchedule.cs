namespace EditorBridge.Training.Optimisation;

/// <summary>Learning rate over a run whose length is a time, because machines differ: linear warm-up, then half a cosine.</summary>
/// <param name="Peak">Highest rate.</param>
/// <param name="WarmUp">Share of the run that is warm-up.</param>
/// <param name="Floor">Rate at the end, as a share of the peak.</param>
public sealed record RateSchedule(double Peak, double WarmUp = 0.02, double Floor = 0.02)
{
    /// <summary>The rate at a share of the run.</summary>
    public double At(double progress)
    {
        progress = Math.Clamp(progress, 0, 1);
        return progress < WarmUp
            ? Peak * (0.02 + 0.98 * progress / WarmUp)
            : Peak * (Floor + (1 - Floor) * 0.5 * (1 + Math.Cos(Math.PI * (progress - WarmUp) / (1 - WarmUp))));
    }
}
