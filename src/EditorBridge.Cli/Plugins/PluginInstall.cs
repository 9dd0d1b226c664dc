using System.Security.Cryptography;

namespace EditorBridge.Cli.Plugins;

/// <summary>What is done with one file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Action">write, replace, remove or keep.</param>
/// <param name="Why">Why it is kept; null else.</param>
internal sealed record FileStep(string Path, string Action, string? Why = null);

/// <summary>Copies a package to where an editor looks for it, and takes it away again. Files that somebody else put there or changed are left alone.</summary>
internal static class PluginInstall
{
    /// <summary>Installs.</summary>
    /// <param name="plugin">The plugin.</param>
    /// <param name="targets">Where it goes.</param>
    /// <param name="dryRun">Only say what would be done.</param>
    /// <exception cref="Refused">Something of somebody else's is in the way, or a folder cannot be written; nothing has been changed then.</exception>
    public static IReadOnlyList<FileStep> Install(EditorPlugin plugin, IReadOnlyList<PluginTarget> targets, bool dryRun)
    {
        var package = PluginPackage.Read(plugin);
        var before = PluginReceipt.Read(plugin.Name);
        var ours = before?.Files.ToDictionary(file => file.Path, file => file.Sha256) ?? [];
        var wanted = targets.SelectMany(target => package.Select(file => (Path: Path.GetFullPath(Path.Combine(target.Folder, file.Path)), File: file))).ToList();
        foreach (var (path, file) in wanted)
        {
            if (Directory.Exists(path)) throw new Refused("PLUGIN_IN_WAY", $"{path} is a folder where a file of the plugin would go; move it away.");
            if (!File.Exists(path)) continue;
            var there = HashOf(File.ReadAllBytes(path));
            // A file that somebody edited is theirs, even if it was ours.
            if (there != HashOf(file.Content) && ours.GetValueOrDefault(path) != there)
                throw new Refused("PLUGIN_IN_WAY", $"{path} is there already and is not what `editorbridge plugins install` wrote; move it away and try again.");
        }

        var stale = ours.Keys.Except(wanted.Select(file => file.Path)).ToHashSet(StringComparer.Ordinal);
        var steps = wanted.Select(file => new FileStep(file.Path, File.Exists(file.Path) ? "replace" : "write")).ToList();
        steps.AddRange(stale.Where(File.Exists).Select(path => Removal(path, ours[path])));
        if (dryRun) return steps;

        var folders = new List<string>(before?.Folders ?? []);
        var written = new List<InstalledFile>();
        var fresh = new List<string>();
        try
        {
            foreach (var (path, file) in wanted)
            {
                MakeFolder(Path.GetDirectoryName(path)!, folders);
                if (!File.Exists(path)) fresh.Add(path);
                // An editor may have the old file open: it keeps it, under no name.
                var temporary = path + ".new";
                File.WriteAllBytes(temporary, file.Content);
                if (file.Mode is { } mode && !OperatingSystem.IsWindows()) File.SetUnixFileMode(temporary, mode);
                File.Move(temporary, path, overwrite: true);
                written.Add(new InstalledFile(path, HashOf(file.Content)));
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            foreach (var path in fresh) File.Delete(path);
            RemoveEmpty(folders.Except(before?.Folders ?? []));
            throw new Refused("CANNOT_WRITE", $"The plugin cannot be written to {targets[0].Folder} ({error.Message.TrimEnd('.')}); run this with the rights to write there, or name another folder with --to.");
        }

        foreach (var path in stale.Where(path => Removal(path, ours[path]).Action == "remove")) File.Delete(path);
        new PluginReceipt { Files = written, Folders = folders }.Write(plugin.Name);
        return steps;
    }

    /// <summary>Takes away what was installed.</summary>
    /// <exception cref="Refused">Nothing was installed.</exception>
    public static IReadOnlyList<FileStep> Uninstall(EditorPlugin plugin, bool dryRun)
    {
        var receipt = PluginReceipt.Read(plugin.Name) ?? throw new Refused("NOT_INSTALLED", $"`editorbridge plugins install {plugin.Name}` has installed nothing here.");
        var steps = receipt.Files.Where(file => File.Exists(file.Path)).Select(file => Removal(file.Path, file.Sha256)).ToList();
        if (dryRun) return steps;
        foreach (var step in steps.Where(step => step.Action == "remove")) File.Delete(step.Path);
        RemoveEmpty(receipt.Folders);
        PluginReceipt.Remove(plugin.Name);
        return steps;
    }

    private static FileStep Removal(string path, string sha256) =>
        !File.Exists(path) || HashOf(File.ReadAllBytes(path)) == sha256 ? new FileStep(path, "remove") : new FileStep(path, "keep", "it was changed since it was installed");

    private static void MakeFolder(string folder, List<string> made)
    {
        var missing = new Stack<string>();
        for (var at = folder; at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at)) missing.Push(at);
        foreach (var path in missing)
        {
            Directory.CreateDirectory(path);
            if (!made.Contains(path)) made.Add(path);
        }
    }

    // A cache that the editor made of our files goes with them; anything else of somebody's keeps the folder.
    private static void RemoveEmpty(IEnumerable<string> folders)
    {
        foreach (var folder in folders.Reverse())
        {
            if (!Directory.Exists(folder)) continue;
            var left = Directory.GetFileSystemEntries(folder);
            if (left.All(entry => Path.GetFileName(entry) == "__pycache__")) Directory.Delete(folder, recursive: true);
        }
    }

    private static string HashOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
