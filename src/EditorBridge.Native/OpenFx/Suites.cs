namespace EditorBridge.Native.OpenFx;

/// <summary>The host's functions, fetched when it loads the plugin. A suite that the host lacks is null; only the first three must be there.</summary>
internal static unsafe class Suites
{
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

    /// <summary>Fetches the suites, again at each load: another host may have come.</summary>
    /// <returns>Whether those are there without which nothing works.</returns>
    public static bool Fetch()
    {
        if (host is null || host->FetchSuite is null) return false;
        Property = (PropertySuite*)Fetch("OfxPropertySuite"u8, 1);
        Effect = (ImageEffectSuite*)Fetch("OfxImageEffectSuite"u8, 1);
        Parameter = (ParameterSuite*)Fetch("OfxParameterSuite"u8, 1);
        Progress = (ProgressSuite*)Fetch("OfxProgressSuite"u8, 2, 1);
        Message = (MessageSuite*)Fetch("OfxMessageSuite"u8, 2, 1);
        TimeLine = (TimeLineSuite*)Fetch("OfxTimeLineSuite"u8, 1);
        return Property is not null && Effect is not null && Parameter is not null;
    }

    private static void* Fetch(ReadOnlySpan<byte> name, params ReadOnlySpan<int> versions)
    {
        fixed (byte* text = name)
        {
            foreach (var version in versions)
                if (host->FetchSuite(host->Properties, text, version) is var suite && suite is not null) return suite;
        }

        return null;
    }
}
