namespace EditorBridge.Generation;

/// <summary>A take cannot be made, for a reason a user can read.</summary>
/// <param name="code">Stable, lower_snake_case.</param>
/// <param name="message">One sentence that names the thing and the way out.</param>
/// <param name="inner">What was thrown below.</param>
public sealed class GenerationException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Stable, lower_snake_case.</summary>
    public string Code { get; } = code;
}
