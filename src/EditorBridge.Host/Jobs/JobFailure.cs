namespace EditorBridge.Host.Jobs;

/// <summary>A job cannot go on, for a reason the user can read.</summary>
/// <param name="reason">UPPER_SNAKE.</param>
/// <param name="message">One sentence that names the thing and the way out.</param>
/// <param name="mayRetry">Whether another attempt may go better.</param>
internal sealed class JobFailure(string reason, string message, bool mayRetry = false) : Exception(message)
{
    /// <summary>UPPER_SNAKE.</summary>
    public string Reason => reason;

    /// <summary>Whether another attempt may go better.</summary>
    public bool MayRetry => mayRetry;
}
