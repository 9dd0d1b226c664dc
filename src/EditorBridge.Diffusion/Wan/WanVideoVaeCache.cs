using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Wan;

/// <summary>What the causal layers of a video VAE remember between two chunks of one clip: each its last input frames.</summary>
/// <remarks>
/// Functional: a chunk replaces entries, it never changes a tensor in place, so gradients flow through the cache as well.
/// Layers are numbered in the order of construction, which is the order of the data.
/// </remarks>
public sealed class WanVideoVaeCache : IDisposable
{
    private readonly SortedDictionary<int, Tensor> histories = [];

    /// <summary>Makes the cache of a clip that has not begun.</summary>
    /// <param name="keep">False for a clip that comes as one chunk: nothing is stored.</param>
    public WanVideoVaeCache(bool keep = true) => Keep = keep;

    /// <summary>Whether the next chunk is the clip's first.</summary>
    public bool First { get; private set; } = true;

    internal bool Keep { get; }

    internal Tensor? this[int layer] => histories.GetValueOrDefault(layer);

    internal void Store(int layer, Tensor history)
    {
        // Detached from any dispose scope: the next chunk has its own. Copied: a view would keep the whole input alive.
        var copy = history.clone().DetachFromDisposeScope();
        if (histories.Remove(layer, out var old) && !old.requires_grad)
            old.Dispose();
        histories[layer] = copy;
    }

    internal void Advance() => First = false;

    /// <summary>Takes everything to a device.</summary>
    internal void MoveTo(Device device)
    {
        foreach (var (layer, history) in histories.ToArray())
        {
            if (history.device_type == device.type && (device.type == TorchSharp.DeviceType.CPU || history.device_index == device.index))
                continue;
            histories[layer] = history.to(device).DetachFromDisposeScope();
            history.Dispose();
        }
    }

    /// <summary>The contents under stable names, to be written to disk; the tensors stay the cache's own.</summary>
    public IReadOnlyDictionary<string, Tensor> Save() => histories.ToDictionary(pair => $"{pair.Key}", pair => pair.Value, StringComparer.Ordinal);

    /// <summary>A cache with saved contents: the next chunk continues to the same bits.</summary>
    /// <param name="saved">What <see cref="Save"/> gave; copied. Empty: a clip that has not begun.</param>
    public static WanVideoVaeCache Restore(IReadOnlyDictionary<string, Tensor> saved)
    {
        var cache = new WanVideoVaeCache { First = saved.Count == 0 };
        foreach (var (layer, history) in saved)
            cache.histories[int.Parse(layer, System.Globalization.CultureInfo.InvariantCulture)] = history.clone().DetachFromDisposeScope();
        return cache;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var history in histories.Values)
            history.Dispose();
        histories.Clear();
    }
}
