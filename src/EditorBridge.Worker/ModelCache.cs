using EditorBridge.Generation;

namespace EditorBridge.Worker;

/// <summary>The model in memory: one at a time, kept from one take to the next.</summary>
internal static class ModelCache
{
    private static string _folder = "";
    private static string _device = "";
    private static LoadedModel? _model;

    /// <summary>The model in <paramref name="folder"/> on <paramref name="device"/>, loaded unless it is there already.</summary>
    /// <exception cref="GenerationException">Model or device cannot be used.</exception>
    public static LoadedModel Get(string folder, string device)
    {
        if (_model is not null && (_folder, _device) == (folder, device)) return _model;
        _model?.Dispose();
        _model = null;
        // Whoever says nothing leaves the choice to us.
        _model = LoadedModel.Load(folder, Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), device.Length > 0 ? device : "auto");
        (_folder, _device) = (folder, device);
        return _model;
    }
}
