using System.Runtime.InteropServices;

namespace EditorBridge.Native.OpenFx;

/// <summary>
/// The values of an instance's parameters. The host's functions for values take any number of arguments. With pointers and integers that is the call of
/// an ordinary function everywhere but on Apple's processors, where such arguments lie on the stack: there seven registers are filled first (untried).
/// </summary>
internal readonly unsafe struct Parameters(nint set)
{
    private static readonly bool OnStack = OperatingSystem.IsMacOS() && RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public string Text(ReadOnlySpan<byte> name)
    {
        byte* text = null;
        return Get(name, &text) && text is not null ? Marshal.PtrToStringUTF8((nint)text) ?? "" : "";
    }

    public int Int(ReadOnlySpan<byte> name, int otherwise = 0)
    {
        int value;
        return Get(name, &value) ? value : otherwise;
    }

    public double Double(ReadOnlySpan<byte> name, double otherwise = 0)
    {
        double value;
        return Get(name, &value) ? value : otherwise;
    }

    public void Set(ReadOnlySpan<byte> name, string value)
    {
        if (Find(name) is not (var handle and not 0)) return;
        fixed (byte* text = PropertySet.Terminated(value)) Set(handle, (nint)text);
    }

    public void Set(ReadOnlySpan<byte> name, int value)
    {
        if (Find(name) is var handle and not 0) Set(handle, value);
    }

    public void Enable(ReadOnlySpan<byte> name, bool enabled)
    {
        nint properties = 0;
        if (Find(name) is var handle and not 0 && Suites.Parameter->GetPropertySet(handle, &properties) == (int)OfxStatus.Ok)
            new PropertySet(properties).Set("OfxParamPropEnabled"u8, enabled ? 1 : 0);
    }

    private nint Find(ReadOnlySpan<byte> name)
    {
        nint handle = 0, properties = 0;
        fixed (byte* n = name) return Suites.Parameter->GetHandle(set, n, &handle, &properties) == (int)OfxStatus.Ok ? handle : 0;
    }

    private bool Get(ReadOnlySpan<byte> name, void* value)
    {
        if (Find(name) is not (var handle and not 0)) return false;
        var status = OnStack
            ? ((delegate* unmanaged[Cdecl]<nint, nint, nint, nint, nint, nint, nint, nint, void*, int>)Suites.Parameter->GetValue)(handle, 0, 0, 0, 0, 0, 0, 0, value)
            : ((delegate* unmanaged[Cdecl]<nint, void*, int>)Suites.Parameter->GetValue)(handle, value);
        return status == (int)OfxStatus.Ok;
    }

    private static void Set(nint handle, nint value) => _ = OnStack
        ? ((delegate* unmanaged[Cdecl]<nint, nint, nint, nint, nint, nint, nint, nint, nint, int>)Suites.Parameter->SetValue)(handle, 0, 0, 0, 0, 0, 0, 0, value)
        : ((delegate* unmanaged[Cdecl]<nint, nint, int>)Suites.Parameter->SetValue)(handle, value);
}
