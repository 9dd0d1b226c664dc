namespace EditorBridge.Cli.Reports;

/// <summary>Where a command says what happens: sentences for people, or JSON lines for programs.</summary>
internal interface IReport : IDisposable
{
    /// <summary>Says one thing. Calls may come from any thread.</summary>
    void Say(CliEvent happened);
}
