using System.Globalization;
using System.Runtime.InteropServices;

namespace EditorBridge.Diffusion.Native;

/// <summary>Asks a loaded libtorch which version it is.</summary>
internal static class LibtorchVersion
{
    /// <summary>The version by <c>aoti_torch_abi_version</c> of libtorch's C interface: major, minor and patch in the three highest bytes.</summary>
    /// <param name="torch">Handle of libtorch_cpu.</param>
    /// <returns>Such as <c>2.10.0</c>; "" when it does not say, as before 2.9.</returns>
    public static unsafe string Of(nint torch)
    {
        if (!NativeLibrary.TryGetExport(torch, "aoti_torch_abi_version", out var address))
            return "";
        var version = ((delegate* unmanaged<ulong>)address)();
        var (major, minor, patch) = ((byte)(version >> 56), (byte)(version >> 48), (byte)(version >> 40));
        return major == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{major}.{minor}.{patch}");
    }
}
