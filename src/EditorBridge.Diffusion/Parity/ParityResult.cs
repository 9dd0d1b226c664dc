namespace EditorBridge.Diffusion.Parity;

/// <summary>What became of one golden file.</summary>
/// <param name="Case">Its path below the folder, without extension: <c>dit_t2v/case_basic</c>.</param>
/// <param name="Worst">The error that came nearest to its tolerance: relative to the largest value, or the difference where the tolerance is one.</param>
/// <param name="Tolerance">That error's tolerance; 0 where the numbers must be equal.</param>
/// <param name="Pass">Whether everything was within tolerance.</param>
/// <param name="Problem">Why it did not pass, in one sentence; null when it did.</param>
public sealed record ParityResult(string Case, double Worst, double Tolerance, bool Pass, string? Problem);
