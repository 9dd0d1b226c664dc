using EditorBridge.Client;

namespace EditorBridge.Cli.Plugins;

/// <summary>
/// Adobe Premiere: its panels are installed by Creative Cloud out of a .ccx file, which is a zip. Panels that are merely copied to where
/// it keeps them are not seen. So what is installed here is the .ccx, and the user opens it.
/// </summary>
internal static class PremiereEditor
{
    // The first year whose Premiere has the version that the panel's manifest asks for, 25.6.
    private const int FirstYear = 2025;

    /// <summary>The panel.</summary>
    public static EditorPlugin Plugin() => new()
    {
        Name = "premiere",
        Title = "Adobe Premiere",
        Package = Path.Combine("premiere", "panel"),
        FolderName = "",
        PackAs = "EditorBridge.ccx",
        Built = ("panel.js", "`npm ci && npm run build` in plugin-manifests/premiere"),
        FindTargets = () => [.. Versions(Applications).Select(version => new PluginTarget(version, Path.Combine(DataFolder.Default(), "plugins", "premiere"))).Take(1)],
        LooksIn = Applications.Length == 0 ? "no folder, as there is no Premiere for this system" : Applications,
        Afterwards = "Open EditorBridge.ccx there: Creative Cloud asks and installs it. Then, in Premiere: Window > UXP Plugins > EditorBridge; the host must be running (`editorbridge serve`).",
        AfterRemoval = "If EditorBridge.ccx was opened, take the panel out in Creative Cloud too: Stock & Marketplace > Plugins > Manage plugins.",
    };

    /// <summary>Folders in the folder of applications that hold a Premiere which can load the panel, newest first.</summary>
    /// <param name="applications">The folder; may be missing or empty.</param>
    internal static IReadOnlyList<string> Versions(string applications) => !Directory.Exists(applications) ? [] :
    [
        .. Directory.GetDirectories(applications, "Adobe Premiere*").Select(folder => Path.GetFileName(folder)!)
            .Where(name => YearOf(name) >= FirstYear).OrderByDescending(YearOf),
    ];

    private static int YearOf(string name) => int.TryParse(name.Split(' ')[^1], out var year) ? year : 0;

    private static string Applications =>
        OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFiles), "Adobe")
        : OperatingSystem.IsMacOS() ? "/Applications"
        : "";
}
