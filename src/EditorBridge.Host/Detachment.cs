using System.Runtime.InteropServices;

namespace EditorBridge.Host;

/// <summary>Takes a host that a client started out of that client's terminal: its Ctrl+C is not for us, and nobody waits for our output.</summary>
internal static partial class Detachment
{
    private const int ReadWrite = 2;

    /// <summary>Leaves the session of whoever started us. Standard error stays, for the case that the start fails.</summary>
    public static void LeaveSession()
    {
        if (!OperatingSystem.IsWindows()) _ = NewSession();
    }

    /// <summary>Lets go of the three standard streams: whoever reads them sees their end.</summary>
    public static void LeaveStreams()
    {
        if (OperatingSystem.IsWindows()) return;
        var nothing = Open("/dev/null", ReadWrite);
        if (nothing < 0) return;
        for (var stream = 0; stream < 3; stream++) _ = Replace(nothing, stream);
        if (nothing > 2) _ = Close(nothing);
    }

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int NewSession();

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Replace(int from, int to);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
