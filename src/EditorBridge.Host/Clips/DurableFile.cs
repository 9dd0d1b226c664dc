using System.Runtime.InteropServices;

namespace EditorBridge.Host.Clips;

/// <summary>Gives a finished file its name so that, after a loss of power as well, it is there whole or not at all.</summary>
internal static partial class DurableFile
{
    /// <summary>Flushes <paramref name="finished"/> to the disk, renames it and flushes the folder.</summary>
    public static void Publish(string finished, string path)
    {
        using (var handle = File.OpenHandle(finished, FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk(handle);
        File.Move(finished, path, overwrite: true);
        if (!OperatingSystem.IsWindows()) FlushFolder(Path.GetDirectoryName(path)!);
    }

    // .NET refuses to open a folder, and the rename is in the folder.
    private static void FlushFolder(string folder)
    {
        var descriptor = Open(folder, 0);
        if (descriptor < 0) return;
        _ = Sync(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
