namespace EditorBridge.Cli.Companion;

/// <summary>A Kdenlive that runs, as it is reached over D-Bus. Tried with 22.12.</summary>
/// <param name="bus">The session's bus.</param>
/// <param name="name">Its name there.</param>
internal sealed class RunningKdenlive(SessionBus bus, string name)
{
    private const string Prefix = "org.kde.kdenlive-";
    private const string Window = "/kdenlive/MainWindow_1";

    /// <summary>All that run in this session.</summary>
    public static async Task<IReadOnlyList<RunningKdenlive>> FindAsync(SessionBus bus, CancellationToken cancellation) =>
        [.. (await bus.NamesAsync(cancellation).ConfigureAwait(false)).Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name => new RunningKdenlive(bus, name))];

    /// <summary>Its process.</summary>
    public Task<uint> ProcessAsync(CancellationToken cancellation) => bus.ProcessAsync(name, cancellation);

    /// <summary>The title of its window, which begins with the project's name.</summary>
    public async Task<string> TitleAsync(CancellationToken cancellation) =>
        (await bus.PropertyAsync(name, Window, "org.qtproject.Qt.QWidget", "windowTitle", cancellation).ConfigureAwait(false)).GetString();

    /// <summary>Whether it holds changes that are not saved.</summary>
    public async Task<bool> IsModifiedAsync(CancellationToken cancellation) =>
        (await bus.PropertyAsync(name, Window, "org.qtproject.Qt.QWidget", "windowModified", cancellation).ConfigureAwait(false)).GetBool();

    /// <summary>Saves the project; one without a file makes it ask for a name.</summary>
    public Task SaveAsync(CancellationToken cancellation) => ActivateAsync("file_save", cancellation);

    /// <summary>Reads the project's file again. It asks first when it holds changes.</summary>
    public Task RevertAsync(CancellationToken cancellation) => ActivateAsync("file_revert", cancellation);

    /// <summary>Adds a file to the project's bin.</summary>
    public Task AddToBinAsync(string path, CancellationToken cancellation) => bus.CallAsync(name, Window, "org.kde.kdenlive.MainWindow", "addProjectClip", cancellation, path);

    private async Task ActivateAsync(string action, CancellationToken cancellation)
    {
        if (!await bus.CallForBoolAsync(name, Window, "org.kde.KMainWindow", "activateAction", cancellation, action).ConfigureAwait(false))
            throw new Refused("EDITOR_REFUSED", $"This Kdenlive has no '{action}' that can be asked for over D-Bus: use --closed with its project file.");
    }
}
