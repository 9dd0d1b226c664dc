namespace EditorBridge.Cli.Plugins;

/// <summary>VEGAS Pro: scripts lie in a folder of the user's documents, which every version since 8 reads.</summary>
internal static class VegasEditor
{
    /// <summary>The script.</summary>
    public static EditorPlugin Plugin() => new()
    {
        Name = "vegas",
        Title = "VEGAS Pro",
        Package = "vegas",
        FolderName = "",
        FindTargets = () => Directory.Exists(Menu) || Programs().Any() ? [new PluginTarget("VEGAS Pro", Menu)] : [],
        LooksIn = $"{Menu}{(OperatingSystem.IsWindows() ? $" and {Installed}" : "")}",
        Afterwards = "In VEGAS: Tools > Scripting > Rescan Script Menu Folder, then Tools > Scripting > EditorBridge.",
        // An editor that was not started from a terminal has another path than a terminal's.
        FillIn = () => Environment.ProcessPath is { } program ? [("EditorBridge.cs", "const string Program = \"editorbridge\"", $"const string Program = @\"{program}\"")] : [],
    };

    private static string Menu => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.MyDocuments, Environment.SpecialFolderOption.DoNotVerify), "Vegas Script Menu");

    private static string Installed => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "VEGAS");

    private static IEnumerable<string> Programs() => OperatingSystem.IsWindows() && Directory.Exists(Installed) ? Directory.EnumerateDirectories(Installed, "VEGAS Pro*") : [];
}
