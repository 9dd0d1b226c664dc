using System.Collections.Concurrent;

namespace EditorBridge.Native.OpenFx;

/// <summary>The instances by the host's handles. Hosts make and drop them freely, so one that nobody announced is made on the spot.</summary>
internal static class Effects
{
    private static readonly ConcurrentDictionary<nint, Effect> Instances = new();

    /// <summary>The instance of a handle.</summary>
    public static Effect Of(nint handle) => Instances.GetOrAdd(handle, static h => new Effect(h));

    public static OfxStatus Create(nint handle)
    {
        if (handle == 0) return OfxStatus.BadHandle;
        // The host may have given the handle to another instance before.
        if (Instances.TryRemove(handle, out var old)) old.Leave();
        var effect = Of(handle);
        if (effect.IsForeign)
        {
            Instances.TryRemove(handle, out _);
            return OfxStatus.Unsupported;
        }

        effect.Ready();
        return OfxStatus.Ok;
    }

    public static OfxStatus Destroy(nint handle)
    {
        if (Instances.TryRemove(handle, out var effect)) effect.Leave();
        return OfxStatus.Ok;
    }

    /// <summary>Nothing of the host's may be used afterwards. Jobs go on in their own program.</summary>
    public static OfxStatus Unload()
    {
        foreach (var effect in Instances.Values) effect.Leave();
        Instances.Clear();
        ShownClips.Clear();
        Suites.Forget();
        return OfxStatus.Ok;
    }
}
