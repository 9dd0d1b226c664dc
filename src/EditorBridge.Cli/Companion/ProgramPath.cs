namespace EditorBridge.Cli.Companion;

/// <summary>Finds programs of the system.</summary>
internal static class ProgramPath
{
    /// <summary>Where a program is; null when it is not on the path.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
