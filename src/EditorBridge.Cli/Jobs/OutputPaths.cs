namespace EditorBridge.Cli.Jobs;

/// <summary>Where results go.</summary>
/// <param name="Timeline">The new timeline document.</param>
/// <param name="MediaDirectory">The folder of new clips.</param>
internal sealed record OutputPaths(string Timeline, string MediaDirectory)
{
    /// <summary>Full paths, checked as far as can be before anything is made.</summary>
    public static OutputPaths Check(string input, string? output, string? mediaDirectory = null)
    {
        if (string.IsNullOrWhiteSpace(output)) throw new Refused("OUT_MISSING", "Say where the new timeline goes: --out FILE.otio.");
        var full = Path.GetFullPath(output);
        if (Directory.Exists(full)) throw new Refused("CANNOT_WRITE", $"{full} is a folder: give --out the name of a file.");
        if (SamePath(Resolve(input), Resolve(full)))
            throw new Refused("OUT_IS_INPUT", $"--out is the timeline that is read, {full}, which is never changed: give another name.");
        var folder = Path.GetDirectoryName(full)!;
        if (!Directory.Exists(folder)) throw new Refused("CANNOT_WRITE", $"The folder {folder} for --out does not exist: make it first.");
        return new OutputPaths(full, mediaDirectory is null
            ? Path.Combine(folder, Path.GetFileNameWithoutExtension(full) + "-media")
            : Path.GetFullPath(mediaDirectory));
    }

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
