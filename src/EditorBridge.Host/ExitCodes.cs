namespace EditorBridge.Host;

/// <summary>What the host's process ends with.</summary>
internal static class ExitCodes
{
    /// <summary>It was stopped, or nobody needed it.</summary>
    public const int Stopped = 0;

    /// <summary>Something failed that nobody expected; the log has it.</summary>
    public const int Failed = 1;

    /// <summary>A setting cannot be used.</summary>
    public const int BadSettings = 2;

    /// <summary>Another host has the data folder. Clients know this number: the other host is as good.</summary>
    public const int AlreadyRunning = 3;

    /// <summary>The data folder cannot be used.</summary>
    public const int DataFolderUnusable = 4;
}
