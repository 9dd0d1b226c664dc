using System.Runtime.InteropServices;

namespace EditorBridge.Native.OpenFx;

/// <summary>Status codes of the OpenFX standard (API version 1).</summary>
internal enum OfxStatus
{
    Ok = 0,
    Failed = 1,
    Fatal = 2,
    Unknown = 3,
    MissingHostFeature = 4,
    Unsupported = 5,
    BadHandle = 9,
    ReplyYes = 12,
    ReplyNo = 13,
    ReplyDefault = 14,
}

/// <summary>What the host hands to the plugin.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OfxHost
{
    public nint Properties;
    public delegate* unmanaged[Cdecl]<nint, byte*, int, void*> FetchSuite;
}

/// <summary>What the plugin hands to the host.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OfxPluginStruct
{
    public byte* Api;
    public int ApiVersion;
    public byte* Identifier;
    public uint VersionMajor;
    public uint VersionMinor;
    public delegate* unmanaged[Cdecl]<OfxHost*, void> SetHost;
    public delegate* unmanaged[Cdecl]<byte*, nint, nint, nint, int> MainEntry;
}

/// <summary>"OfxPropertySuite", version 1, as far as it is used.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PropertySuite
{
    public delegate* unmanaged[Cdecl]<nint, byte*, int, void*, int> SetPointer;
    public delegate* unmanaged[Cdecl]<nint, byte*, int, byte*, int> SetString;
    public delegate* unmanaged[Cdecl]<nint, byte*, int, double, int> SetDouble;
    public delegate* unmanaged[Cdecl]<nint, byte*, int, int, int> SetInt;
    public nint SetPointers;
    public nint SetStrings;
    public nint SetDoubles;
    public nint SetInts;
    public delegate* unmanaged[Cdecl]<nint, byte*, int, void**, int> GetPointer;
    public delegate* unmanaged[Cdecl]<nint, byte*, int, byte**, int> GetString;
    public delegate* unmanaged[Cdecl]<nint, byte*, int, double*, int> GetDouble;
    public delegate* unmanaged[Cdecl]<nint, byte*, int, int*, int> GetInt;
}

/// <summary>"OfxImageEffectSuite", version 1, as far as it is used.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ImageEffectSuite
{
    public delegate* unmanaged[Cdecl]<nint, nint*, int> GetPropertySet;
    public delegate* unmanaged[Cdecl]<nint, nint*, int> GetParamSet;
    public delegate* unmanaged[Cdecl]<nint, byte*, nint*, int> ClipDefine;
    public delegate* unmanaged[Cdecl]<nint, byte*, nint*, nint*, int> ClipGetHandle;
    public delegate* unmanaged[Cdecl]<nint, nint*, int> ClipGetPropertySet;
    public delegate* unmanaged[Cdecl]<nint, double, void*, nint*, int> ClipGetImage;
    public delegate* unmanaged[Cdecl]<nint, int> ClipReleaseImage;
    public nint ClipGetRegionOfDefinition;
    public delegate* unmanaged[Cdecl]<nint, int> Abort;
}

/// <summary>"OfxParameterSuite", version 1, as far as it is used. Values go through functions that take any number of arguments; <see cref="Parameters"/> says how.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ParameterSuite
{
    public delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint*, int> Define;
    public delegate* unmanaged[Cdecl]<nint, byte*, nint*, nint*, int> GetHandle;
    public nint SetGetPropertySet;
    public delegate* unmanaged[Cdecl]<nint, nint*, int> GetPropertySet;
    public nint GetValue;
    public nint GetValueAtTime;
    public nint GetDerivative;
    public nint GetIntegral;
    public nint SetValue;
}

/// <summary>"OfxProgressSuite"; version 2 gives its start one more text, version 1 ignores it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ProgressSuite
{
    public delegate* unmanaged[Cdecl]<nint, byte*, byte*, int> Start;
    public delegate* unmanaged[Cdecl]<nint, double, int> Update;
    public delegate* unmanaged[Cdecl]<nint, int> End;
}

/// <summary>"OfxMessageSuite"; version 1 ends after the first function. The text is a format and takes what follows it, so per cents are doubled.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageSuite
{
    public delegate* unmanaged[Cdecl]<nint, byte*, byte*, byte*, int> Message;
}

/// <summary>"OfxTimeLineSuite", version 1.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TimeLineSuite
{
    public delegate* unmanaged[Cdecl]<nint, double*, int> GetTime;
    public nint GotoTime;
    public delegate* unmanaged[Cdecl]<nint, double*, double*, int> GetTimeBounds;
}
