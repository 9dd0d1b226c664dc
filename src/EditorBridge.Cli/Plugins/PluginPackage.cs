using System.IO.Compression;
using System.Text;

namespace EditorBridge.Cli.Plugins;

/// <summary>One file to be installed: where below the target, and what is in it.</summary>
internal sealed record PackageFile(string Path, byte[] Content, UnixFileMode? Mode);

/// <summary>Finds a plugin's package and reads what is to be installed of it.</summary>
internal static class PluginPackage
{
    /// <summary>Names the folder of packages.</summary>
    public const string Variable = "EDITORBRIDGE_PLUGINS";

    // What lies in a package for whoever reads the source, or was left by a run of it.
    private static readonly string[] NotInstalled = ["README.md", "__pycache__"];

    /// <summary>The files of a package.</summary>
    /// <exception cref="Refused">The package is not there.</exception>
    public static IReadOnlyList<PackageFile> Read(EditorPlugin plugin)
    {
        var folder = Find(plugin);
        var fillIn = plugin.FillIn();
        var files = new List<PackageFile>();
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var below = Path.GetRelativePath(folder, path);
            if (below.Split(Path.DirectorySeparatorChar).Any(NotInstalled.Contains)) continue;
            var content = File.ReadAllBytes(path);
            foreach (var (file, text, replacement) in fillIn)
            {
                if (file != below) continue;
                var whole = Encoding.UTF8.GetString(content);
                if (!whole.Contains(text, StringComparison.Ordinal)) throw new Refused("PACKAGE_MISSING", $"{path} is not the file this version installs: '{text}' is not in it.");
                content = Encoding.UTF8.GetBytes(whole.Replace(text, replacement, StringComparison.Ordinal));
            }

            files.Add(new PackageFile(Path.Combine(plugin.FolderName, below), content, OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(path)));
        }

        foreach (var (file, content) in plugin.Extra()) files.Add(new PackageFile(Path.Combine(plugin.FolderName, file), Encoding.UTF8.GetBytes(content), null));
        return plugin.PackAs is null ? files : [new PackageFile(plugin.PackAs, Packed(files), null)];
    }

    // The same files make the same archive, so that installing again changes nothing.
    private static byte[] Packed(IEnumerable<PackageFile> files)
    {
        using var archive = new MemoryStream();
        using (var zip = new ZipArchive(archive, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var file in files)
            {
                var entry = zip.CreateEntry(file.Path.Replace(Path.DirectorySeparatorChar, '/'));
                entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
                using var content = entry.Open();
                content.Write(file.Content);
            }
        }

        return archive.ToArray();
    }

    private static string Find(EditorPlugin plugin)
    {
        var named = Environment.GetEnvironmentVariable(Variable);
        var here = AppContext.BaseDirectory;
        // Beside the program as it is installed; else the source tree that the program was built in, and what was built there.
        string[] places = named is { Length: > 0 } ? [named] : [Path.Combine(here, "plugins"), Path.Combine(here, "..", "share", "editorbridge", "plugins"), .. SourceTree(here)];
        var folders = places.Select(place => Path.GetFullPath(Path.Combine(place, plugin.Package))).ToList();
        return folders.Find(folder => IsWhole(folder, plugin)) ?? throw new Refused("PACKAGE_MISSING",
            plugin.Built is { } built ? $"{plugin.Package}, built, was not found at {folders[0]}; {built.BuiltBy} builds it, and {Variable} names the folder it is in."
            : $"The plugin for {plugin.Title} was not found at {folders[0]}; set {Variable} to the folder plugin-manifests.");
    }

    // What lies in the source tree has no binary.
    private static bool IsWhole(string folder, EditorPlugin plugin) => Directory.Exists(folder)
        && (plugin.Built is not { } built || Directory.EnumerateFiles(folder, built.Pattern, SearchOption.AllDirectories).Any());

    private static IEnumerable<string> SourceTree(string here)
    {
        for (var folder = new DirectoryInfo(here); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "EditorBridge.sln"))) continue;
            yield return Path.Combine(folder.FullName, "plugin-manifests");
            yield return Path.Combine(folder.FullName, "artifacts", "native");
        }
    }
}
