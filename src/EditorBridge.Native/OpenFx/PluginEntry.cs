using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EditorBridge.Native.OpenFx;

/// <summary>
/// The functions an OpenFX host looks for, and the plugin's entry. Whatever goes wrong inside is answered with a status: nothing is thrown into the
/// host. Hosts load, describe and unload as often as they like, some for every frame, so each action may come again.
/// </summary>
internal static unsafe class PluginEntry
{
    /// <summary>Name of the plugin among all plugins; projects keep it, so it never changes.</summary>
    public static ReadOnlySpan<byte> Identifier => "org.editorbridge.Generate"u8;

    private static readonly OfxPluginStruct* Plugin = Make();

    [UnmanagedCallersOnly(EntryPoint = "OfxGetNumberOfPlugins", CallConvs = [typeof(CallConvCdecl)])]
    public static int Count()
    {
        LoadedLibrary.Stay();
        return 1;
    }

    [UnmanagedCallersOnly(EntryPoint = "OfxGetPlugin", CallConvs = [typeof(CallConvCdecl)])]
    public static OfxPluginStruct* Get(int number) => number == 0 ? Plugin : null;

    [UnmanagedCallersOnly(EntryPoint = "OfxSetHost", CallConvs = [typeof(CallConvCdecl)])]
    public static int SetHostFirst(OfxHost* host)
    {
        LoadedLibrary.Stay();
        Suites.SetHost(host);
        return (int)OfxStatus.Ok;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void SetHost(OfxHost* host) => Suites.SetHost(host);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Main(byte* action, nint handle, nint inArguments, nint outArguments)
    {
        try
        {
            if (action is null) return (int)OfxStatus.Failed;
            return (int)Act(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(action), handle, new PropertySet(inArguments), new PropertySet(outArguments));
        }
        catch (Exception)
        {
            return (int)OfxStatus.Unknown;
        }
    }

    private static OfxStatus Act(ReadOnlySpan<byte> action, nint handle, PropertySet given, PropertySet answer)
    {
        if (action.SequenceEqual("OfxActionLoad"u8)) return Suites.Fetch() ? OfxStatus.Ok : OfxStatus.MissingHostFeature;
        if (action.SequenceEqual("OfxActionUnload"u8)) return Effects.Unload();
        // Some hosts go on without a load after an unload.
        if (!Suites.AreThere && !Suites.Fetch()) return OfxStatus.MissingHostFeature;
        if (action.SequenceEqual("OfxActionDescribe"u8)) return Description.Describe(handle);
        if (action.SequenceEqual("OfxImageEffectActionDescribeInContext"u8)) return Description.DescribeInContext(handle, given);
        if (action.SequenceEqual("OfxActionCreateInstance"u8)) return Effects.Create(handle);
        if (action.SequenceEqual("OfxActionDestroyInstance"u8)) return Effects.Destroy(handle);
        if (action.SequenceEqual("OfxActionInstanceChanged"u8)) return On(handle, effect => effect.Changed(given));
        if (action.SequenceEqual("OfxImageEffectActionRender"u8)) return On(handle, effect => effect.Render(given));
        if (action.SequenceEqual("OfxImageEffectActionIsIdentity"u8)) return On(handle, effect => effect.IsIdentity(given, answer));
        if (action.SequenceEqual("OfxImageEffectActionBeginSequenceRender"u8)) return On(handle, effect => effect.BeginRender(given));
        if (action.SequenceEqual("OfxActionSyncPrivateData"u8)) return On(handle, effect => effect.TellParameters());
        if (action.SequenceEqual("OfxImageEffectActionGetClipPreferences"u8))
        {
            // A generator's frames differ from one another, which hosts do not assume.
            answer.Set("OfxImageEffectFrameVarying"u8, 1);
            return OfxStatus.Ok;
        }

        if (action.SequenceEqual("OfxActionBeginInstanceChanged"u8) || action.SequenceEqual("OfxActionEndInstanceChanged"u8)
            || action.SequenceEqual("OfxImageEffectActionEndSequenceRender"u8) || action.SequenceEqual("OfxActionPurgeCaches"u8)) return OfxStatus.Ok;
        return OfxStatus.ReplyDefault;
    }

    private static OfxStatus On(nint handle, Func<Effect, OfxStatus> action) => handle == 0 ? OfxStatus.BadHandle : action(Effects.Of(handle));

    private static OfxPluginStruct* Make()
    {
        var plugin = (OfxPluginStruct*)NativeMemory.AllocZeroed((nuint)sizeof(OfxPluginStruct));
        plugin->Api = Keep("OfxImageEffectPluginAPI"u8);
        plugin->ApiVersion = 1;
        plugin->Identifier = Keep(Identifier);
        plugin->VersionMajor = 1;
        plugin->SetHost = &SetHost;
        plugin->MainEntry = &Main;
        return plugin;
    }

    private static byte* Keep(ReadOnlySpan<byte> text)
    {
        var copy = (byte*)NativeMemory.AllocZeroed((nuint)text.Length + 1);
        text.CopyTo(new Span<byte>(copy, text.Length));
        return copy;
    }
}
