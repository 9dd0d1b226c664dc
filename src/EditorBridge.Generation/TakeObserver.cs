namespace EditorBridge.Generation;

/// <summary>What a take is busy with.</summary>
public enum TakeStage
{
    /// <summary>Reading frozen inputs and encoding the prompt and the context frames.</summary>
    Preparing,

    /// <summary>Solver steps.</summary>
    Sampling,

    /// <summary>Decoding latents; frames go to the encoder as they come.</summary>
    Decoding,

    /// <summary>Finishing the clip file and its sidecar.</summary>
    Writing,
}

/// <summary>How far a take is.</summary>
/// <param name="Stage">What it is busy with.</param>
/// <param name="Window">The window, from 0 in the order of making.</param>
/// <param name="Windows">How many windows there are.</param>
/// <param name="Step">Steps, latents or frames of the stage that are done in this window.</param>
/// <param name="Of">How many there are.</param>
/// <param name="Fraction">Share of the whole take that is done, 0 to 1.</param>
/// <param name="SecondsLeft">Estimate for the rest of the take, once something has been measured; null before.</param>
public sealed record TakeProgress(TakeStage Stage, int Window, int Windows, int Step, int Of, double Fraction, double? SecondsLeft);

/// <summary>A picture of what is coming.</summary>
/// <param name="Window">The window it shows.</param>
/// <param name="Step">The solver step it was made after.</param>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Png">The picture as a PNG file.</param>
public sealed record TakePreview(int Window, int Step, int Width, int Height, byte[] Png);

/// <summary>Hears of a take's progress, on the thread that runs it. An exception ends the take; its checkpoints stay.</summary>
public interface ITakeObserver
{
    /// <summary>Called at every step.</summary>
    /// <param name="progress">How far it is.</param>
    void Progress(TakeProgress progress);

    /// <summary>Called now and then while sampling.</summary>
    /// <param name="preview">A picture of the first new frames.</param>
    void Preview(TakePreview preview);
}

/// <summary>Hears nothing.</summary>
public sealed class SilentObserver : ITakeObserver
{
    /// <inheritdoc/>
    public void Progress(TakeProgress progress)
    {
    }

    /// <inheritdoc/>
    public void Preview(TakePreview preview)
    {
    }
}
