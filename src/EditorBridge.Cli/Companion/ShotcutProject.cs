using System.Security.Cryptography;
using System.Text;

namespace EditorBridge.Cli.Companion;

/// <summary>The project that a running Shotcut has open. Shotcut answers nobody, so this is told from what it writes down. Tried with 22.12.</summary>
/// <param name="Path">Its file, as it was saved.</param>
internal sealed record ShotcutProject(string Path)
{
    private const string Opened = "<MainWindow::open>";

    /// <summary>Finds the project.</summary>
    /// <param name="named">The file that the user names; null to look for it.</param>
    /// <exception cref="Refused">Shotcut does not run, has no project with a file, or has changes that are not saved.</exception>
    public static ShotcutProject Find(string? named)
    {
        if (!IsRunning()) throw new Refused("EDITOR_NOT_RUNNING", "Shotcut does not run: open the project in it, or name a closed one with --closed --project FILE.");
        if (named is not null) return new ShotcutProject(named);
        foreach (var data in DataFolders())
        {
            if (LastOpened(System.IO.Path.Combine(data, "shotcut-log.txt")) is not { } path) continue;
            if (!File.Exists(path)) break;
            // Its recovery copy is there from a minute after a change until the project is saved.
            var copy = new FileInfo(System.IO.Path.Combine(data, "autosave", NameOfCopy(path)));
            return copy.Exists && copy.LastWriteTimeUtc > File.GetLastWriteTimeUtc(path)
                ? throw new Refused("PROJECT_NOT_SAVED", $"Shotcut's project {path} has changes that are not saved: save it there (Ctrl+S) and try again, or say --project {path} to take it as it was saved.")
                : new ShotcutProject(path);
        }

        throw new Refused("PROJECT_NOT_SAVED", "Shotcut's project has no file that can be found: save it there (Ctrl+S), or name it with --project FILE.");
    }

    private static bool IsRunning()
    {
        foreach (var process in System.Diagnostics.Process.GetProcesses())
        {
            using (process)
            {
                if (process.ProcessName is "shotcut" or "shotcut.bin") return true;
            }
        }

        return false;
    }

    // Its own, and that of a sandboxed one.
    private static string[] DataFolders()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var data = Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } named ? named : System.IO.Path.Combine(home, ".local", "share");
        return [System.IO.Path.Combine(data, "Meltytech", "Shotcut"), System.IO.Path.Combine(home, ".var", "app", "org.shotcut.Shotcut", "data", "Meltytech", "Shotcut")];
    }

    // "[Info   ] <MainWindow::open> "/cut/cut.mlt" "; clips that are looked at are opened too.
    private static string? LastOpened(string log)
    {
        try
        {
            using var reader = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            string? last = null;
            while (reader.ReadLine() is { } line)
            {
                var at = line.IndexOf(Opened, StringComparison.Ordinal);
                if (at < 0) continue;
                var path = line[(at + Opened.Length)..].Trim().Trim('"');
                if (System.IO.Path.IsPathRooted(path) && path.EndsWith(".mlt", StringComparison.OrdinalIgnoreCase)) last = path;
            }

            return last;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Shotcut names a copy after its project's path, in MD5.
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5351:Do Not Use Broken Cryptographic Algorithms", Justification = "It is Shotcut's name for a file, no protection.")]
    private static string NameOfCopy(string path) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(path))) + ".mlt";
}
