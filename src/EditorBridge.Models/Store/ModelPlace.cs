using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Store;

/// <summary>Who laid out the folders that a model was found in.</summary>
public enum ModelOrigin
{
    /// <summary>The user, or whoever made the model's folder.</summary>
    Folder,

    /// <summary>The cache of Hugging Face's tools.</summary>
    HuggingFaceCache,

    /// <summary>ComfyUI.</summary>
    ComfyUI,
}

/// <summary>A model on disk, as far as folders and names tell.</summary>
/// <param name="Location">What <see cref="ModelParts.Find"/> takes: a folder, or a transformer file.</param>
/// <param name="Name">A name for it.</param>
/// <param name="Origin">Whose folders they are.</param>
public sealed record ModelPlace(string Location, string Name, ModelOrigin Origin)
{
    private static readonly string[] WeightExtensions = [".safetensors", ".gguf", ".pth", ".pt"];

    /// <summary>The models in what a user names: a model's folder or file, a folder of models, ComfyUI's folder, the Hugging Face cache or one repository in it.</summary>
    /// <param name="path">The folder or file.</param>
    /// <returns>At least one, or why there is none.</returns>
    public static ReadResult<IReadOnlyList<ModelPlace>> Find(string path)
    {
        try
        {
            path = Path.GetFullPath(path);
            if (File.Exists(path)) return One(OfFile(path));
            if (!Directory.Exists(path)) return ReadResult<IReadOnlyList<ModelPlace>>.Failed($"There is no file or folder '{path}'.");
            if (IsModel(path)) return One(new ModelPlace(path, NameOf(path), ModelOrigin.Folder));
            if (Repository(path) is { } repository) return One(repository);
            List<ModelPlace> found = [.. Cached(path), .. Comfy(path)];
            if (found.Count == 0)
                found.AddRange(Directory.GetDirectories(path).Where(IsModel).Order(StringComparer.Ordinal).Select(folder => new ModelPlace(folder, NameOf(folder), ModelOrigin.Folder)));
            return found.Count > 0
                ? ReadResult<IReadOnlyList<ModelPlace>>.Of(Distinct(found))
                : ReadResult<IReadOnlyList<ModelPlace>>.Failed(
                    $"No model was recognised in '{path}': name a Diffusers folder (with 'transformer/'), an original repository (with 'models_t5_….pth'), ComfyUI's folder or one of its transformer files, or a Hugging Face cache.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return ReadResult<IReadOnlyList<ModelPlace>>.Failed($"'{path}' cannot be read: {e.Message.TrimEnd('.')}.");
        }
    }

    /// <summary>Whether a folder is laid out as one model.</summary>
    public static bool IsModel(string folder) =>
        File.Exists(Path.Combine(folder, "model_index.json")) || Directory.Exists(Path.Combine(folder, "transformer"))
        || Directory.EnumerateFiles(folder, "models_t5_*").Any();

    private static ModelPlace OfFile(string path) =>
        new(path, ModelName.From(Path.GetFileNameWithoutExtension(path)), TransformerFolders(Path.GetDirectoryName(path)!) ? ModelOrigin.ComfyUI : ModelOrigin.Folder);

    private static string NameOf(string folder)
    {
        // A folder inside a repository of the cache is named after a commit.
        var parent = Path.GetDirectoryName(folder);
        if (parent is not null && Path.GetFileName(parent) == "snapshots" && RepositoryName(Path.GetDirectoryName(parent)!) is { } repository)
            return Named(repository);
        return ModelName.From(Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)));
    }

    private static string Named(string repository) => CatalogueEntry.Find(repository)?.Name ?? ModelName.From(repository.Split('/')[^1]);

    // "models--Wan-AI--Wan2.1-T2V-1.3B" is Wan-AI/Wan2.1-T2V-1.3B.
    private static string? RepositoryName(string folder)
    {
        var parts = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)).Split("--");
        return parts.Length >= 2 && parts[0] == "models" ? string.Join('/', parts[1..]) : null;
    }

    private static ModelPlace? Repository(string folder)
    {
        var snapshots = Path.Combine(folder, "snapshots");
        if (RepositoryName(folder) is not { } repository || !Directory.Exists(snapshots)) return null;
        var main = Path.Combine(folder, "refs", "main");
        var commit = File.Exists(main) ? File.ReadAllText(main).Trim() : "";
        string[] all = [.. Directory.GetDirectories(snapshots).Where(IsModel)];
        var snapshot = all.FirstOrDefault(path => Path.GetFileName(path) == commit) ?? all.OrderByDescending(Directory.GetLastWriteTimeUtc).FirstOrDefault();
        return snapshot is null ? null : new ModelPlace(snapshot, Named(repository), ModelOrigin.HuggingFaceCache);
    }

    private static IEnumerable<ModelPlace> Cached(string folder) => new[] { folder, Path.Combine(folder, "hub") }.Where(Directory.Exists)
        .SelectMany(root => Directory.GetDirectories(root, "models--*")).Order(StringComparer.Ordinal).Select(Repository).OfType<ModelPlace>();

    // ComfyUI's own folder, its "models", or the published repository with "split_files".
    private static IEnumerable<ModelPlace> Comfy(string folder)
    {
        var models = new[] { folder, Path.Combine(folder, "models"), Path.Combine(folder, "split_files") }
            .FirstOrDefault(root => Directory.Exists(root) && Directory.GetDirectories(root).Any(TransformerFolders));
        if (models is null) yield break;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.GetDirectories(models).Where(TransformerFolders).SelectMany(Directory.GetFiles).Where(file => WeightExtensions.Contains(Path.GetExtension(file))).Order(StringComparer.Ordinal))
        {
            using var weights = Checkpoint.Open(file) is { Ok: true } open ? open.Value : null;
            // Models of other families lie there too.
            if (weights is null || Variants.NetworkKinds.Of(weights) != Variants.NetworkKind.Transformer) continue;
            var parts = ModelParts.Find(file);
            var first = parts.Ok ? parts.Value.Transformer : file;
            if (seen.Add(first)) yield return new ModelPlace(first, ModelName.From(Path.GetFileNameWithoutExtension(first)), ModelOrigin.ComfyUI);
        }
    }

    private static bool TransformerFolders(string folder) => Path.GetFileName(folder) is "diffusion_models" or "unet";

    private static ReadResult<IReadOnlyList<ModelPlace>> One(ModelPlace place) => ReadResult<IReadOnlyList<ModelPlace>>.Of([place]);

    private static IReadOnlyList<ModelPlace> Distinct(IEnumerable<ModelPlace> places)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        return [.. places.Select(place =>
        {
            var name = place.Name;
            for (var number = 2; !names.Add(name); number++) name = $"{place.Name}-{number}";
            return place with { Name = name };
        })];
    }
}
