namespace EditorBridge.Client;

/// <summary>How a client finds its host.</summary>
public sealed record ClientOptions
{
    /// <summary>The data folder whose host is wanted.</summary>
    public string DataFolder { get; init; } = Client.DataFolder.Default();

    /// <summary>Start a host when none runs.</summary>
    public bool StartHost { get; init; } = true;

    /// <summary>The host program. Null means: EDITORBRIDGE_HOST, then "host" beside this program, then the build's own output.</summary>
    public string? HostProgram { get; init; }

    /// <summary>How long a started host stays up with nothing to do. Null means its own default.</summary>
    public TimeSpan? HostIdleTimeout { get; init; }

    /// <summary>How long a started host may take until it answers.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>Full paths of files that will be asked about: the host looks into them while the connection is still being checked, and later questions wait for that.</summary>
    public IReadOnlyList<string> FirstMedia { get; init; } = [];

    /// <summary>Told, in one sentence, when something takes a while: a host is being started, a lost connection is being tried again.</summary>
    public Action<string>? Notify { get; init; }
}
