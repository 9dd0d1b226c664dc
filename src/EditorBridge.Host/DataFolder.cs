using System.Security.Cryptography;
using System.Text;

namespace EditorBridge.Host;

/// <summary>The folder one host owns: where everything in it lies, and the lock that keeps a second host out.</summary>
internal sealed class DataFolder : IDisposable
{
    /// <summary>The most bytes a socket's path may have (sun_path, less its end mark), with room for the name.</summary>
    private const int MaximumSocketPath = 107;

    private readonly FileStream _lock;

    private DataFolder(string root, FileStream @lock) => (Root, _lock) = (root, @lock);

    /// <summary>The folder.</summary>
    public string Root { get; }

    /// <summary>The job rows.</summary>
    public string Database => Path.Combine(Root, "jobs.db");

    /// <summary>A folder for each job.</summary>
    public string Jobs => Path.Combine(Root, "jobs");

    /// <summary>A folder for each uploaded file.</summary>
    public string Assets => Path.Combine(Root, "assets");

    /// <summary>The log.</summary>
    public string Log => Path.Combine(Root, "log");

    /// <summary>What clients read to find the host.</summary>
    public string EndpointFile => Path.Combine(Root, "endpoint.json");

    /// <summary>The key that Pallaidium is given.</summary>
    public string PallaidiumKeyFile => Path.Combine(Root, "pallaidium.key");

    /// <summary>What is known of this machine's speed.</summary>
    public string SpeedFile => Path.Combine(Root, "speed.json");

    /// <summary>The job folder of the job <paramref name="id"/>.</summary>
    public string Job(string id) => Path.Combine(Jobs, id);

    /// <summary>Makes the folder, for the user alone, and locks it.</summary>
    /// <returns>The folder, or null when another host has it.</returns>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static DataFolder? TryOpen(string root)
    {
        CreatePrivate(root);
        FileStream held;
        try
        {
            held = new FileStream(Path.Combine(root, "host.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException && IsSharingViolation(e))
        {
            return null;
        }

        var folder = new DataFolder(root, held);
        CreatePrivate(folder.Jobs);
        CreatePrivate(folder.Log);
        return folder;
    }

    /// <summary>A path for the socket in a folder only the user can enter. What a host that was killed left there is removed: the lock is ours.</summary>
    public string PrepareSocket()
    {
        var folder = Path.Combine(Root, "run");
        if (Encoding.UTF8.GetByteCount(Path.Combine(folder, "host.sock")) > MaximumSocketPath)
        {
            var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Root)))[..16];
            var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
            folder = Path.Combine(Path.IsPathRooted(runtime) && Directory.Exists(runtime) ? runtime : Path.GetTempPath(), "editorbridge-" + name);
        }

        CreatePrivate(folder);
        var path = Path.Combine(folder, "host.sock");
        File.Delete(path);
        return path;
    }

    /// <summary>Bytes free on the folder's disk.</summary>
    public long FreeBytes() => new DriveInfo(Root).AvailableFreeSpace;

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    /// <summary>Makes <paramref name="path"/> readable and writable by the user alone.</summary>
    /// <exception cref="UnauthorizedAccessException">It is somebody else's.</exception>
    internal static void CreatePrivate(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var folder = Directory.CreateDirectory(path, mode);
        // Only the owner may change the mode, so this also refuses a folder that somebody else laid out for us.
        if (folder.UnixFileMode != mode) File.SetUnixFileMode(path, mode);
    }

    private static bool IsSharingViolation(IOException e) =>
        OperatingSystem.IsWindows() ? (e.HResult & 0xFFFF) is 32 or 33 : e.HResult is 11 or 35;
}
