namespace EditorBridge.Cli.Jobs;

/// <summary>Where results go.</summary>
/// <param name="Timeline">The new timeline document.</param>
/// <param name="MediaDirectory">The folder of new clips.</param>
internal sealed record OutputPaths(string Timeline, string MediaDirectory)
{
    // Editors go by the ending, and a document is written in the format it was read in.
    private static readonly string[] Endings = [".mlt", ".kdenlive", ".fcpxml", ".fcpxmld", ".xml", ".edl", ".osp", ".otioz", ".otiod"];

    /// <summary>Full paths, checked as far as can be before anything is made.</summary>
    public static OutputPaths Check(string input, string? output, string? mediaDirectory = null)
    {
        if (string.IsNullOrWhiteSpace(output)) throw new Refused("OUT_MISSING", "Say where the new timeline goes: --out FILE, with the ending of the one that is read.");
        var full = Path.GetFullPath(output);
        var isFolder = Path.GetExtension(full).ToLowerInvariant() is ".otiod" or ".fcpxmld";
        if (Directory.Exists(full) && !SamePath(Resolve(input), full))
            throw new Refused("CANNOT_WRITE", isFolder ? $"{full} is there already: give --out another name." : $"{full} is a folder: give --out the name of a file.");
        if (SamePath(Resolve(input), Resolve(full)))
            throw new Refused("OUT_IS_INPUT", $"--out is the timeline that is read, {full}, which is never changed: give another name.");
        var ending = Path.GetExtension(input).ToLowerInvariant();
        var wanted = Path.GetExtension(full).ToLowerInvariant();
        if (ending != wanted && (Endings.Contains(ending) || Endings.Contains(wanted)))
            throw new Refused("OUT_ENDING", $"The new timeline is of the same kind as the one that is read: give --out a name that ends in {ending}, or convert it (editorbridge timeline convert).");
        var folder = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(folder)) throw new Refused("CANNOT_WRITE", $"The folder {folder} for --out does not exist: make it first.");
        if (wanted == ".otiod") return new OutputPaths(full, Path.Combine(full, "media"));
        return new OutputPaths(full, mediaDirectory is null
            ? Path.Combine(folder, Path.GetFileNameWithoutExtension(full) + "-media")
            : Path.GetFullPath(mediaDirectory));
    }

    /// <summary>Tries both folders before anything is generated for them.</summary>
    public void CheckWritable()
    {
        Try(Path.GetDirectoryName(Timeline)!, "--out");
        var existing = MediaDirectory;
        while (!Directory.Exists(existing) && !File.Exists(existing) && Path.GetDirectoryName(existing) is { } parent) existing = parent;
        if (File.Exists(existing)) throw new Refused("CANNOT_WRITE", $"{existing} is a file, so no clips can be put there: name a folder with --media-dir.");
        Try(existing, "--media-dir");
    }

    private static void Try(string folder, string option)
    {
        try
        {
            using var file = new FileStream(Path.Combine(folder, $".{Guid.NewGuid():N}.part"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new Refused("CANNOT_WRITE", $"Nothing can be written into {folder} ({Cause(error)}): choose another folder with {option}.");
        }
    }

    private static string Cause(Exception error) => error switch
    {
        UnauthorizedAccessException => "this user may not",
        IOException { HResult: 30 } => "the disk is read-only",
        _ => error.Message.TrimEnd('.'),
    };

    private static bool SamePath(string one, string other) =>
        string.Equals(one, other, OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase);

    private static string Resolve(string path)
    {
        try
        {
            return new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            return path;
        }
    }
}
