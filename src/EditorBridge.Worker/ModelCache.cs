using EditorBridge.Generation;
using EditorBridge.Planning;

namespace EditorBridge.Worker;

/// <summary>The model in memory: one at a time, kept from one take to the next.</summary>
internal static class ModelCache
{
    private static string _folder = "";
    private static string _device = "";
    private static IReadOnlyList<LoraRequest> _loras = [];
    private static LoadedModel? _model;

    /// <summary>The model in <paramref name="folder"/> on <paramref name="device"/>, loaded unless it is there already.</summary>
    /// <param name="folder">Where it lies.</param>
    /// <param name="device">Where it goes.</param>
    /// <param name="loras">LoRAs that are added to it; null where it does not matter which are.</param>
    /// <exception cref="GenerationException">Model, device or a LoRA cannot be used.</exception>
    public static LoadedModel Get(string folder, string device, IReadOnlyList<LoraRequest>? loras = null)
    {
        if (_model is not null && (_folder, _device) == (folder, device) && (loras is null || loras.SequenceEqual(_loras))) return _model;
        _model?.Dispose();
        _model = null;
        // Whoever says nothing leaves the choice to us.
        _model = LoadedModel.Load(folder, Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), device.Length > 0 ? device : "auto", loras);
        (_folder, _device, _loras) = (folder, device, loras ?? []);
        return _model;
    }
}
