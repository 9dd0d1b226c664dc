namespace EditorBridge.Cli;

/// <summary>What the program ends with.</summary>
public static class ExitCode
{
    /// <summary>What was asked for is done and checked.</summary>
    public const int Done = 0;

    /// <summary>It was not done; one sentence on standard error says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line cannot be understood.</summary>
    public const int Usage = 2;

    /// <summary>It was cancelled, as shells report Ctrl+C.</summary>
    public const int Cancelled = 130;
}
