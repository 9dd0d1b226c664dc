using EditorBridge.Protocol.Worker.V1;

namespace EditorBridge.Host.Workers;

/// <summary>How a take that was given to a worker ended.</summary>
internal abstract record TakeOutcome
{
    /// <summary>Its files are in the take's folder.</summary>
    public sealed record Made(TakeFinished Files) : TakeOutcome;

    /// <summary>The worker said why it cannot be made.</summary>
    public sealed record Refused(TakeFailed Failure) : TakeOutcome;

    /// <summary>The worker's process ended, or was ended because it was stuck.</summary>
    /// <param name="Reason">WORKER_CRASHED, WORKER_STUCK or WORKER_KILLED.</param>
    /// <param name="Message">One sentence.</param>
    /// <param name="ExitCode">The process's exit code.</param>
    public sealed record Lost(string Reason, string Message, int ExitCode) : TakeOutcome;

    /// <summary>It was ended because a cancel was asked for.</summary>
    public sealed record Cancelled : TakeOutcome;

    /// <summary>It was broken off because the host stops; a later attempt goes on from the saved state.</summary>
    public sealed record Suspended : TakeOutcome;
}
