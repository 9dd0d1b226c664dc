namespace EditorBridge.Host;

/// <summary>When this host started, and what it is.</summary>
internal sealed class HostStart(TimeProvider clock)
{
    /// <summary>Version of the host.</summary>
    public static string Version => typeof(HostStart).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>When it started.</summary>
    public DateTimeOffset Time { get; } = clock.GetUtcNow();
}
