using EditorBridge.Client;

namespace EditorBridge.Cli.Plugins;

/// <summary>The editors that `editorbridge plugins` installs for, and where they keep their plugins.</summary>
internal static class KnownEditors
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<EditorPlugin> All { get; } =
    [
        Blender(),
        Resolve(),
        OpenFx(),
        PremiereEditor.Plugin(),
        VegasEditor.Plugin(),
        Companion("kdenlive", "Kdenlive", "org.kde.kdenlive"),
        Companion("shotcut", "Shotcut", "org.shotcut.Shotcut"),
    ];

    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    private static string RoamingData => Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData);

    private static EditorPlugin Blender() => new()
    {
        Name = "blender",
        Title = "Blender",
        Package = Path.Combine("blender", "editorbridge"),
        FolderName = "editorbridge",
        FindTargets = BlenderTargets,
        LooksIn = $"the folder {BlenderFolder}, which Blender makes when it first runs",
        Afterwards = "In Blender, switch on EditorBridge in Preferences > Add-ons; it needs `editorbridge` on the path, or named in its preferences.",
    };

    private static string BlenderFolder =>
        OperatingSystem.IsWindows() ? Path.Combine(RoamingData, "Blender Foundation", "Blender")
        : OperatingSystem.IsMacOS() ? Path.Combine(Home, "Library", "Application Support", "Blender")
        : Path.Combine(Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } config ? config : Path.Combine(Home, ".config"), "blender");

    private static List<PluginTarget> BlenderTargets()
    {
        if (Environment.GetEnvironmentVariable("BLENDER_USER_SCRIPTS") is { Length: > 0 } scripts)
            return [new PluginTarget("Blender", Path.Combine(scripts, "addons"))];
        if (!Directory.Exists(BlenderFolder)) return [];
        var targets = new List<(Version Version, PluginTarget Target)>();
        foreach (var folder in Directory.GetDirectories(BlenderFolder))
        {
            var name = Path.GetFileName(folder);
            if (!Version.TryParse(name, out var version) || version < new Version(3, 4)) continue;
            // Since 4.2 packages with a manifest are extensions and lie in a repository; before, every add-on lay in one folder.
            var place = version >= new Version(4, 2) ? Path.Combine(folder, "extensions", "user_default") : Path.Combine(folder, "scripts", "addons");
            targets.Add((version, new PluginTarget($"Blender {name}", place)));
        }

        return [.. targets.OrderBy(target => target.Version).Select(target => target.Target)];
    }

    private static EditorPlugin Resolve() => new()
    {
        Name = "resolve",
        Title = "DaVinci Resolve",
        Package = "resolve",
        FolderName = "",
        FindTargets = () => ResolveFolders().Any(Directory.Exists) ? [new PluginTarget("DaVinci Resolve", Path.Combine(ResolveFolders()[0], "Fusion", "Scripts", "Edit"))] : [],
        LooksIn = string.Join(" and ", ResolveFolders()),
        Afterwards = "In Resolve, on the edit page: Workspace > Scripts > EditorBridge.",
        // An editor that was not started from a terminal has another path than a terminal's.
        FillIn = () => Environment.ProcessPath is { } program ? [("EditorBridge.lua", "local PROGRAM = \"editorbridge\"", $"local PROGRAM = {LuaText(program)}")] : [],
    };

    private static string[] ResolveFolders() =>
        OperatingSystem.IsWindows() ?
        [
            Path.Combine(RoamingData, "Blackmagic Design", "DaVinci Resolve", "Support"),
            Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "Blackmagic Design", "DaVinci Resolve"),
        ]
        : OperatingSystem.IsMacOS() ? [Path.Combine(Home, "Library", "Application Support", "Blackmagic Design", "DaVinci Resolve"), "/Library/Application Support/Blackmagic Design/DaVinci Resolve"]
        : [Path.Combine(Home, ".local", "share", "DaVinciResolve"), "/opt/resolve"];

    private static EditorPlugin OpenFx() => new()
    {
        Name = "openfx",
        Title = "OpenFX hosts (Resolve, Vegas, Natron, Nuke)",
        Package = "EditorBridge.ofx.bundle",
        FolderName = "EditorBridge.ofx.bundle",
        Built = ("*.ofx", "`eng/native.sh`"),
        FindTargets = () => OpenFxFolder() is { } folder ? [new PluginTarget("OpenFX hosts", folder)] : [],
        LooksIn = $"OFX_PLUGIN_PATH, and {SharedOpenFxFolder} where a host is installed",
        Afterwards = "Start the editor anew; the effect is EditorBridge, among generators, filters and transitions.",
        Extra = () =>
        {
            try
            {
                return [(Path.Combine("Contents", "Resources", "host.txt"), Path.GetFullPath(HostLauncher.Find(null)) + "\n")];
            }
            catch (EditorBridgeException)
            {
                // The plugin then works with a host that runs already.
                return [];
            }
        },
    };

    // Neither loads plugins: what is installed is an entry in the desktop's menu that starts the companion.
    private static EditorPlugin Companion(string name, string title, string flatpak)
    {
        var entry = $"editorbridge-{name}.desktop";
        return new EditorPlugin
        {
            Name = name,
            Title = title,
            Package = name,
            FolderName = "",
            FindTargets = () => OperatingSystem.IsLinux() && (OnPath(name) || Directory.Exists(Path.Combine(Home, ".var", "app", flatpak))) ? [new PluginTarget(title, MenuFolder)] : [],
            LooksIn = $"the path, and {Path.Combine(Home, ".var", "app", flatpak)} (Linux only)",
            Afterwards = $"The desktop's menu has EditorBridge for {title}; give its actions keys in the desktop's settings. It asks with kdialog or zenity.",
            FillIn = () => Environment.ProcessPath is { } program ? [(entry, "Exec=editorbridge ", $"Exec={ExecText(program)} ")] : [],
        };
    }

    private static string MenuFolder =>
        Path.Combine(Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? data : Path.Combine(Home, ".local", "share"), "applications");

    // As desktop entries quote: the string first, then the argument in it.
    private static string ExecText(string program)
    {
        var argument = new System.Text.StringBuilder("\"");
        foreach (var letter in program)
        {
            if (letter is '"' or '`' or '$' or '\\') argument.Append('\\');
            argument.Append(letter == '%' ? "%%" : letter.ToString());
        }

        return argument.Append('"').Replace("\\", "\\\\").ToString();
    }

    private static string SharedOpenFxFolder =>
        OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonProgramFiles), "OFX", "Plugins")
        : OperatingSystem.IsMacOS() ? "/Library/OFX/Plugins"
        : "/usr/OFX/Plugins";

    private static string? OpenFxFolder()
    {
        var named = (Environment.GetEnvironmentVariable("OFX_PLUGIN_PATH") ?? "").Split(OperatingSystem.IsLinux() ? ':' : ';', StringSplitOptions.RemoveEmptyEntries);
        if (named.Length > 0) return named[0];
        var hasHost = Directory.Exists(SharedOpenFxFolder) || ResolveFolders().Any(Directory.Exists) || OnPath("Natron") || OnPath("natron");
        return hasHost ? SharedOpenFxFolder : null;
    }

    private static bool OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")));

    private static string LuaText(string text) => "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
}
