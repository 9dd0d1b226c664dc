using EditorBridge.Generation;

namespace EditorBridge.Worker;

/// <summary>The model in memory: one at a time, kept from one take to the next.</summary>
internal static class ModelCache
{
    private static string _folder = "";
    private static LoadedModel? _model;

    /// <summary>The model in <paramref name="folder"/>, loaded unless it is there already.</summary>
    /// <exception cref="GenerationException">It cannot be used.</exception>
    public static LoadedModel Get(string folder)
    {
        if (_model is not null && _folder == folder) return _model;
        _model?.Dispose();
        _model = null;
        _model = LoadedModel.Load(folder, Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)));
        _folder = folder;
        return _model;
    }
}
