namespace EditorBridge.Native.OpenFx;

/// <summary>How the host uses the plugin.</summary>
internal enum EffectContext
{
    /// <summary>Makes pictures from nothing.</summary>
    Generator,

    /// <summary>Lies on one clip.</summary>
    Filter,

    /// <summary>Leads from one clip to the next.</summary>
    Transition,

    /// <summary>A node with an optional input.</summary>
    General,
}

/// <summary>Contexts by the standard's names.</summary>
internal static class Contexts
{
    /// <summary>Whether a set of properties names a context that the plugin was not declared for.</summary>
    public static bool IsForeign(PropertySet properties) =>
        Read(properties) == EffectContext.Filter && properties.Text("OfxImageEffectPropContext"u8) is { } name && name != "OfxImageEffectContextFilter";

    /// <summary>The context a set of properties names; a filter where it names none.</summary>
    public static EffectContext Read(PropertySet properties) =>
        properties.Is("OfxImageEffectPropContext"u8, "OfxImageEffectContextGenerator"u8) ? EffectContext.Generator
        : properties.Is("OfxImageEffectPropContext"u8, "OfxImageEffectContextTransition"u8) ? EffectContext.Transition
        : properties.Is("OfxImageEffectPropContext"u8, "OfxImageEffectContextGeneral"u8) ? EffectContext.General
        : EffectContext.Filter;
}
