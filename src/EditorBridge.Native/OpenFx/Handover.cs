using EditorBridge.Client;

namespace EditorBridge.Native.OpenFx;

/// <summary>
/// Files with frames that the host reads where they lie, which is far quicker than sending them. They go when the job has taken what it needs out of
/// them; what an editor that was closed meanwhile left behind goes later.
/// </summary>
internal static class Handover
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(7);

    /// <summary>Writes frames into a file of their own, which only the user can read.</summary>
    /// <returns>Its path.</returns>
    public static string Write(FrameGrab grab, Protocol.V1.FrameRate rate)
    {
        var folder = Path.Combine(DataFolder.Default(), "handover");
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var limit = TimeProvider.System.GetUtcNow().UtcDateTime - LongestWait;
        foreach (var old in new DirectoryInfo(folder).EnumerateFiles("*.mov").Where(file => file.LastWriteTimeUtc < limit)) Remove(old.FullName);
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.mov");
        RawMovie.Write(path, grab.Frames, grab.Width, grab.Height, (int)rate.Numerator, (int)rate.Denominator);
        return path;
    }

    /// <summary>Deletes a file that was handed over.</summary>
    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The host still reads it; it goes another time.
        }
    }
}
