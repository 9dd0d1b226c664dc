namespace EditorBridge.Client;

/// <summary>Where host and client meet on this machine when nothing else is said.</summary>
public static class DataFolder
{
    /// <summary>The environment variable that names another folder.</summary>
    public const string Variable = "EDITORBRIDGE_DATA";

    /// <summary>
    /// EDITORBRIDGE_DATA; else editorbridge under XDG_STATE_HOME (~/.local/state) on Linux, under ~/Library/Application Support on macOS, under the
    /// local application data on Windows.
    /// </summary>
    public static string Default()
    {
        var named = Environment.GetEnvironmentVariable(Variable);
        if (!string.IsNullOrWhiteSpace(named)) return Path.GetFullPath(named);
        if (OperatingSystem.IsWindows())
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "EditorBridge");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (OperatingSystem.IsMacOS()) return Path.Combine(home, "Library", "Application Support", "EditorBridge");
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        // The XDG rules say that a relative path is to be ignored.
        return Path.Combine(Path.IsPathRooted(state) ? state : Path.Combine(home, ".local", "state"), "editorbridge");
    }
}
