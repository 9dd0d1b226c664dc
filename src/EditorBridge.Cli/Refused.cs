using EditorBridge.Timeline;

namespace EditorBridge.Cli;

/// <summary>Ends a command: what was asked for cannot be done. The message is the one sentence that the user reads.</summary>
internal sealed class Refused(string reason, string message) : Exception(message)
{
    /// <summary>UPPER_SNAKE, for programs.</summary>
    public string Reason { get; } = reason;

    public static Refused From(Refusal refusal) => new(refusal.Reason, refusal.Message);
}

/// <summary>At the edge of a command, a refusal ends it.</summary>
internal static class OutcomeExtensions
{
    public static T OrRefuse<T>(this Outcome<T> outcome) => outcome.TryGet(out var value, out var refusal) ? value : throw Refused.From(refusal);
}
