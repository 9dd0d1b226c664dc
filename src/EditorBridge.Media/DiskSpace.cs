namespace EditorBridge.Media;

/// <summary>Tells a full disk from other failures of writing.</summary>
public static class DiskSpace
{
    private const int LinuxNoSpace = 28;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether <paramref name="error"/> says that the disk is full.</summary>
    public static bool IsFull(IOException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.HResult is LinuxNoSpace or WindowsDiskFull or WindowsHandleDiskFull;
    }
}
