using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EditorBridge.Native;

/// <summary>This library as the editor has loaded it: where it lies, and that it stays.</summary>
internal static unsafe partial class LoadedLibrary
{
    /// <summary>Beside an OpenFX binary's folder: the path of the host program, which `editorbridge plugins install` writes.</summary>
    private const string HostRecord = "../Resources/host.txt";

    private const uint Pin = 1;
    private const uint FromAddress = 4;
    private const int DarwinLazyNoLoadNoDelete = 0x1 | 0x10 | 0x80;

    private static int stays;

    /// <summary>
    /// Keeps the library in the process although the editor unloads it: the runtime's threads run on in it. On Linux the linker has seen to that.
    /// </summary>
    public static void Stay()
    {
        if (OperatingSystem.IsLinux() || Interlocked.Exchange(ref stays, 1) != 0) return;
        if (OperatingSystem.IsWindows()) _ = GetModuleHandleEx(Pin | FromAddress, Address, out _);
        else if (OperatingSystem.IsMacOS() && FilePath() is { } path) _ = OpenLibrary(path, DarwinLazyNoLoadNoDelete);
    }

    /// <summary>Where the library lies; null when the system does not say.</summary>
    public static string? FilePath()
    {
        if (OperatingSystem.IsWindows())
        {
            if (!GetModuleHandleEx(FromAddress, Address, out var module)) return null;
            Span<char> name = stackalloc char[1024];
            fixed (char* start = name)
            {
                var length = GetModuleFileName(module, start, name.Length);
                return length == 0 ? null : new string(name[..length]);
            }
        }

        return FindAddress(Address, out var found) == 0 ? null : Marshal.PtrToStringUTF8(found.FileName);
    }

    /// <summary>The host program that belongs to this library; null leaves it to the client to look where it always does.</summary>
    public static string? HostProgram()
    {
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Client.HostLauncher.Variable)) || FilePath() is not { } library) return null;
        var folder = Path.GetDirectoryName(Path.GetFullPath(library))!;
        try
        {
            var record = Path.Combine(folder, HostRecord);
            if (File.Exists(record) && File.ReadAllText(record).Trim() is { Length: > 0 } recorded && File.Exists(recorded)) return recorded;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // As if there were none.
        }

        string[] places = [Path.Combine(folder, "host", "EditorBridge.Host"), Path.Combine(folder, "EditorBridge.Host")];
        return places.SelectMany(p => (string[])[p, p + ".exe", p + ".dll"]).FirstOrDefault(File.Exists);
    }

    private static nint Address => (nint)(delegate* unmanaged[Cdecl]<int>)&Here;

    // Any function of the library's own shows where it is.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Here() => 0;

    [StructLayout(LayoutKind.Sequential)]
    private struct AddressInfo
    {
        public nint FileName;
        public nint FileBase;
        public nint SymbolName;
        public nint SymbolAddress;
    }

    [LibraryImport("libc", EntryPoint = "dladdr")]
    private static partial int FindAddress(nint address, out AddressInfo info);

    [LibraryImport("libSystem", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenLibrary(string path, int flags);

    [LibraryImport("kernel32", EntryPoint = "GetModuleHandleExW", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetModuleHandleEx(uint flags, nint address, out nint module);

    [LibraryImport("kernel32", EntryPoint = "GetModuleFileNameW", SetLastError = true)]
    private static partial int GetModuleFileName(nint module, char* name, int length);
}
