using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EditorBridge.Native.OpenFx;

/// <summary>
/// The host's functions, fetched when it loads the plugin. A suite that the host lacks is null; only the first three must be there. A function that a suite lacks answers that it is
/// not supported.
/// </summary>
internal static unsafe class Suites
{
    // Suites in the form in which they are used; they stay, as another thread may still be about to call a function.
    private static readonly Dictionary<(nint Suite, int Functions), nint> Whole = [];

    private static OfxHost* host;

    public static PropertySuite* Property { get; private set; }

    public static ImageEffectSuite* Effect { get; private set; }

    public static ParameterSuite* Parameter { get; private set; }

    public static ProgressSuite* Progress { get; private set; }

    public static MessageSuite* Message { get; private set; }

    public static TimeLineSuite* TimeLine { get; private set; }

    /// <summary>The host's own properties.</summary>
    public static PropertySet Host => new(host->Properties);

    public static void SetHost(OfxHost* given) => host = given;

    /// <summary>Whether those are there without which nothing works.</summary>
    public static bool AreThere => Property is not null && Effect is not null && Parameter is not null;

    /// <summary>Fetches the suites, again at each load: another host may have come.</summary>
    /// <returns>Whether those are there without which nothing works.</returns>
    public static bool Fetch()
    {
        if (host is null || host->FetchSuite is null) return false;
        Property = (PropertySuite*)Fetch("OfxPropertySuite"u8, sizeof(PropertySuite), 1);
        Effect = (ImageEffectSuite*)Fetch("OfxImageEffectSuite"u8, sizeof(ImageEffectSuite), 1);
        Parameter = (ParameterSuite*)Fetch("OfxParameterSuite"u8, sizeof(ParameterSuite), 1);
        Progress = (ProgressSuite*)Fetch("OfxProgressSuite"u8, sizeof(ProgressSuite), 2, 1);
        Message = (MessageSuite*)Fetch("OfxMessageSuite"u8, sizeof(MessageSuite), 2, 1);
        TimeLine = (TimeLineSuite*)Fetch("OfxTimeLineSuite"u8, sizeof(TimeLineSuite), 1);
        return AreThere;
    }

    /// <summary>The plugin is unloaded: what the host gave is not used any more.</summary>
    public static void Forget()
    {
        Property = null;
        Effect = null;
        Parameter = null;
        Progress = null;
        Message = null;
        TimeLine = null;
    }

    private static nint* Fetch(ReadOnlySpan<byte> name, int bytes, params ReadOnlySpan<int> versions)
    {
        fixed (byte* text = name)
        {
            foreach (var version in versions)
                if (host->FetchSuite(host->Properties, text, version) is var suite && suite is not null) return WithAllFunctions((nint*)suite, bytes / sizeof(nint));
        }

        return null;
    }

    private static nint* WithAllFunctions(nint* suite, int functions)
    {
        if (!new ReadOnlySpan<nint>(suite, functions).Contains(0)) return suite;
        lock (Whole)
        {
            if (!Whole.TryGetValue(((nint)suite, functions), out var copy)) Whole[((nint)suite, functions)] = copy = (nint)NativeMemory.Alloc((nuint)functions, (nuint)sizeof(nint));
            for (var i = 0; i < functions; i++) ((nint*)copy)[i] = suite[i] != 0 ? suite[i] : (nint)(delegate* unmanaged[Cdecl]<int>)&Lacking;
            return (nint*)copy;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Lacking() => (int)OfxStatus.Unsupported;
}
