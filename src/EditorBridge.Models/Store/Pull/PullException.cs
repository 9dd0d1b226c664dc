namespace EditorBridge.Models.Store.Pull;

/// <summary>A model could not be fetched. The message is one sentence that names the file, the reason and the way out.</summary>
public sealed class PullException : Exception
{
    /// <summary>Makes the exception from its reason and sentence.</summary>
    public PullException(string reason, string message, Exception? inner = null) : base(message, inner) => Reason = reason;

    /// <summary>
    /// UPPER_SNAKE, for programs: HUB_NOT_FOUND, HUB_REFUSED, HUB_UNREACHABLE, HUB_ANSWER_BAD, FILE_DAMAGED, DISK_SPACE, CANNOT_WRITE, PULL_RUNNING, MODEL_EXISTS.
    /// </summary>
    public string Reason { get; }
}

/// <summary>One attempt at a request failed.</summary>
/// <param name="reason">The reason of a <see cref="PullException"/> when it is given up.</param>
/// <param name="what">What happened, as the end of a sentence.</param>
internal sealed class HubFault(string reason, string what) : Exception(what)
{
    public string Reason => reason;

    /// <summary>Whether another attempt may do better.</summary>
    public required bool Transient { get; init; }

    /// <summary>How long the server asks to be left alone; null when it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What the user can do about it.</summary>
    public string Remedy { get; init; } = "pull again to go on from there";
}
