using System.Text;
using EditorBridge.Cli.Reports;

namespace EditorBridge.Cli.Companion;

/// <summary>The project that a running Kdenlive has open, and its file.</summary>
/// <param name="Kdenlive">The program.</param>
/// <param name="Path">The project's file.</param>
internal sealed record KdenliveProject(RunningKdenlive Kdenlive, string Path)
{
    /// <summary>
    /// Finds the project and has it saved, since only its file tells playhead and timeline. Kdenlive does not say where that file is: it is one of those
    /// that its process and its settings name, and the one that changes when it is asked to save.
    /// </summary>
    /// <param name="bus">The session's bus.</param>
    /// <param name="named">The file that the user names; null to look for it.</param>
    /// <param name="report">Told when changes were saved.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Null when no Kdenlive runs.</returns>
    /// <exception cref="Refused">There are several, or it has no project with a file.</exception>
    public static async Task<KdenliveProject?> FindAsync(SessionBus bus, string? named, IReport report, CancellationToken cancellation)
    {
        var running = new List<(RunningKdenlive Kdenlive, string Title)>();
        foreach (var kdenlive in await RunningKdenlive.FindAsync(bus, cancellation).ConfigureAwait(false))
            running.Add((kdenlive, await kdenlive.TitleAsync(cancellation).ConfigureAwait(false)));
        if (running.Count == 0) return null;
        if (named is not null) running.RemoveAll(one => !IsTitleOf(one.Title, named));
        if (running.Count == 0) throw new Refused("PROJECT_NOT_OPEN", $"No Kdenlive has {named} open: open it there, or use --closed.");
        if (running.Count > 1) throw new Refused("SEVERAL_EDITORS", $"{running.Count} Kdenlives run: say which project with --project FILE.");
        var (found, title) = running[0];
        var candidates = named is not null ? [named] : (await CandidatesAsync(found, cancellation).ConfigureAwait(false)).Where(path => IsTitleOf(title, path) && File.Exists(path)).ToList();
        if (candidates.Count == 0)
        {
            throw new Refused("PROJECT_NOT_SAVED",
                $"Where the file of Kdenlive's project ('{NameIn(title)}') is cannot be told: save it there (Ctrl+S) if it has none yet, or name it with --project FILE.");
        }

        return new KdenliveProject(found, await SaveAsync(found, candidates, report, cancellation).ConfigureAwait(false));
    }

    /// <summary>Has the project saved again.</summary>
    public Task SaveAsync(IReport report, CancellationToken cancellation) => SaveAsync(Kdenlive, [Path], report, cancellation);

    private static async Task<string> SaveAsync(RunningKdenlive kdenlive, IReadOnlyList<string> candidates, IReport report, CancellationToken cancellation)
    {
        var before = candidates.Select(Stamp).ToList();
        if (await kdenlive.IsModifiedAsync(cancellation).ConfigureAwait(false)) report.Say(new NoticeEvent("Kdenlive's project had changes that were not saved; it is saved now."));
        await kdenlive.SaveAsync(cancellation).ConfigureAwait(false);
        for (var wait = 0; wait < 300; wait++)
        {
            for (var i = 0; i < candidates.Count; i++)
            {
                if (Stamp(candidates[i]) != before[i] && !await kdenlive.IsModifiedAsync(cancellation).ConfigureAwait(false)) return candidates[i];
            }

            await Task.Delay(100, cancellation).ConfigureAwait(false);
        }

        throw new Refused("PROJECT_NOT_SAVED", $"Kdenlive was asked to save, but {string.Join(" and ", candidates)} did not change: save it there, or name the project's file with --project FILE.");
    }

    // A save that changes nothing still makes a new file.
    private static (DateTime Written, long Length) Stamp(string path) => new FileInfo(path) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : default;

    private static async Task<List<string>> CandidatesAsync(RunningKdenlive kdenlive, CancellationToken cancellation)
    {
        var found = new List<string>();
        var process = $"/proc/{await kdenlive.ProcessAsync(cancellation).ConfigureAwait(false)}";
        var title = NameIn(await kdenlive.TitleAsync(cancellation).ConfigureAwait(false));
        var folders = new List<string>();
        try
        {
            var folder = new FileInfo(process + "/cwd").LinkTarget ?? "/";
            folders.Add(folder);
            foreach (var argument in File.ReadAllText(process + "/cmdline").Split('\0').Skip(1).Where(argument => argument.EndsWith(".kdenlive", StringComparison.Ordinal)))
                found.Add(System.IO.Path.GetFullPath(argument.StartsWith("file://", StringComparison.Ordinal) ? new Uri(argument).LocalPath : argument, folder));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or UriFormatException)
        {
            // In a sandbox its process is not ours to look at; its settings are.
        }

        foreach (var line in SettingsFiles().Where(File.Exists).SelectMany(File.ReadAllLines))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) continue;
            var (key, value) = (line[..equals], Unescape(line[(equals + 1)..]));
            if (key.StartsWith("File", StringComparison.Ordinal) && value.EndsWith(".kdenlive", StringComparison.Ordinal)) found.Add(value);
            else if (key.StartsWith("KdenliveProjectsFolder", StringComparison.Ordinal)) folders.AddRange(value.Split(','));
        }

        found.AddRange(folders.Select(folder => System.IO.Path.Combine(folder, title + ".kdenlive")));
        return [.. found.Where(System.IO.Path.IsPathRooted).Distinct()];
    }

    private static IEnumerable<string> SettingsFiles()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        yield return System.IO.Path.Combine(Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } config ? config : System.IO.Path.Combine(home, ".config"), "kdenliverc");
        yield return System.IO.Path.Combine(home, ".var", "app", "org.kde.kdenlive", "config", "kdenliverc");
    }

    // As KDE's settings files write paths.
    private static string Unescape(string value) => new StringBuilder(value)
        .Replace("$HOME", Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)).Replace("\\s", " ").Replace("file://", "").ToString();

    // "cut [*]/ HD 1080p 25 fps": name, a mark for changes, profile.
    private static string NameIn(string title)
    {
        var mark = title.IndexOf(" [*]", StringComparison.Ordinal);
        return mark >= 0 ? title[..mark] : title.Split(" / ")[0];
    }

    private static bool IsTitleOf(string title, string path)
    {
        var name = NameIn(title);
        return name == System.IO.Path.GetFileNameWithoutExtension(path) || name == System.IO.Path.GetFileName(path);
    }
}
