using System.Runtime.InteropServices;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>Publishes a file so that it is complete or absent: written under a temporary name, flushed to the disk, renamed, the folder flushed.</summary>
internal static class AtomicFile
{
    /// <summary>Gives the finished temporary file its name.</summary>
    /// <param name="temporary">The complete file, in the same folder.</param>
    /// <param name="path">The name to publish under; replaced when there.</param>
    public static void Publish(string temporary, string path)
    {
        using (var handle = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk(handle);
        File.Move(temporary, path, overwrite: true);
        FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Writes a small file whole.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write)) stream.Write(content);
            Publish(temporary, path);
        }
        catch
        {
            Remove(temporary);
            throw;
        }
    }

    /// <summary>Deletes a file that may not be there; a failure leaves it to the next start's clean-up.</summary>
    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Temporary names are cleaned up at the next start.
        }
    }

    /// <summary>The disk has no room for a file.</summary>
    public static Refusal DiskFull(string path) => new(MediaReasons.DiskFull, $"The disk is full: '{SafeInput.Shown(path)}' could not be written. Free some space and try again.");

    /// <summary>A failed write as one sentence.</summary>
    public static Refusal Explain(string path, Exception error) => error switch
    {
        IOException io when DiskSpace.IsFull(io) => DiskFull(path),
        UnauthorizedAccessException =>
            new Refusal(MediaReasons.WriteFailed, $"'{SafeInput.Shown(path)}' may not be written by this user: choose another folder or change its permissions."),
        DirectoryNotFoundException =>
            new Refusal(MediaReasons.WriteFailed, $"The folder of '{SafeInput.Shown(path)}' does not exist: make it or choose another."),
        _ => new Refusal(MediaReasons.WriteFailed, $"'{SafeInput.Shown(path)}' could not be written: {error.Message.Trim()}"),
    };

    // .NET does not open folders; without this the rename itself may be lost with the power.
    private static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(folder, 0);
        if (descriptor < 0) return;
        _ = Flush(descriptor);
        _ = Close(descriptor);
    }

    [DllImport("libc", EntryPoint = "open", CharSet = CharSet.Ansi)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Flush(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
