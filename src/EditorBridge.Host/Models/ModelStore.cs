using System.Collections.Concurrent;
using EditorBridge.Models.Store;
using EditorBridge.Models.Store.Pull;
using EditorBridge.Planning;

namespace EditorBridge.Host.Models;

/// <summary>The models on this machine: those under the folders EDITORBRIDGE_MODELS names, those added or pulled, and the shipped one.</summary>
internal sealed class ModelStore(AddedModels added, DataFolder data, HostOptions options, ILogger<ModelStore> log)
{
    /// <summary>Folders with models, separated like PATH; each is a model or holds models.</summary>
    public const string Variable = "EDITORBRIDGE_MODELS";

    private readonly ConcurrentDictionary<string, (string Stamp, FoundModel Model)> _read = new(StringComparer.Ordinal);

    /// <summary>The folder that models are pulled into.</summary>
    public string Pulled { get; } = Path.GetFullPath(string.IsNullOrWhiteSpace(options.Models) ? Path.Combine(data.Root, "models") : options.Models);

    /// <summary>All models, by name; of two with one name the first found counts.</summary>
    public IReadOnlyList<FoundModel> All()
    {
        var found = new Dictionary<string, FoundModel>(StringComparer.Ordinal);
        foreach (var (place, source) in Places())
            if (!found.ContainsKey(place.Name)) found[place.Name] = Read(place, source);
        return [.. found.Values.OrderBy(m => m.Name, StringComparer.Ordinal)];
    }

    /// <summary>The model of that name; null when there is none.</summary>
    public FoundModel? Find(string name) => All().FirstOrDefault(m => m.Name == name);

    /// <summary>What the model at <paramref name="place"/> is, without keeping it.</summary>
    public static (InspectedModel Inspected, ModelCapabilities? Capabilities, string Problem) Inspect(ModelPlace place)
    {
        var inspected = InspectedModel.Of(place);
        var read = ModelFolder.Read(place.Location, place.Name);
        return read.Ok ? (inspected, read.Value, "") : (inspected, null, inspected.Variant is null ? inspected.Problem ?? read.Problem : read.Problem);
    }

    /// <summary>Deletes the files of a model that was pulled, or of a pull that was ended.</summary>
    public void Delete(string name)
    {
        foreach (var folder in new[] { Path.Combine(Pulled, name), Path.Combine(Pulled, ModelPull.Gathering, name) }.Where(Directory.Exists))
        {
            // First out of sight at once, so that nobody sees half a model.
            var doomed = Path.Combine(Pulled, ModelPull.Gathering, $"removed-{Guid.NewGuid():N}");
            Directory.CreateDirectory(Path.GetDirectoryName(doomed)!);
            Directory.Move(folder, doomed);
            Directory.Delete(doomed, recursive: true);
        }
    }

    /// <summary>Whether a pull of that name was begun and is not finished.</summary>
    public bool IsUnfinished(string name) => Directory.Exists(Path.Combine(Pulled, ModelPull.Gathering, name));

    private FoundModel Read(ModelPlace place, ModelSource source)
    {
        try
        {
            // Reading hashes the weights, so it is done again only after a file has changed.
            List<FileInfo> files = File.Exists(place.Location) ? [.. Beside(place.Location).Select(Target)]
                : Directory.Exists(place.Location) ? [.. new DirectoryInfo(place.Location).GetFiles("*", SearchOption.AllDirectories).Select(Target)]
                : [];
            if (files.Count == 0)
                return new FoundModel(place, source, null, $"There is nothing at '{place.Location}' any more; bring it back, or forget it with `editorbridge models remove {place.Name}`.", 0);
            var stamp = string.Join('|', files.OrderBy(f => f.FullName, StringComparer.Ordinal).Select(f => $"{f.FullName}:{f.Length}:{f.LastWriteTimeUtc.Ticks}"));
            if (_read.TryGetValue(place.Location, out var known) && known.Stamp == stamp && known.Model.Place == place && known.Model.Source == source) return known.Model;
            var (inspected, capabilities, problem) = Inspect(place);
            var bytes = Directory.Exists(place.Location) ? files.Sum(f => f.Length) : inspected.Bytes;
            var model = new FoundModel(place, source, capabilities, problem, bytes) { Variant = inspected.Variant?.Name ?? "", Origin = ModelPull.Read(place.Location) };
            _read[place.Location] = (stamp, model);
            return model;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new FoundModel(place, source, null, $"'{place.Location}' cannot be read: {e.Message}", 0);
        }
    }

    // ComfyUI keeps the other networks of a transformer file in folders beside its own.
    private static IEnumerable<FileInfo> Beside(string transformer) =>
        new FileInfo(transformer).Directory?.Parent is { } models
            ? models.GetDirectories().Where(folder => folder.Name is "diffusion_models" or "unet" or "vae" or "text_encoders" or "clip" or "clip_vision").SelectMany(folder => folder.GetFiles())
                .Append(new FileInfo(transformer)).DistinctBy(file => file.FullName)
            : [new FileInfo(transformer)];

    // The Hugging Face cache is made of links.
    private static FileInfo Target(FileInfo file) => file.LinkTarget is not null && file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo { Exists: true } target ? target : file;

    private IEnumerable<(ModelPlace Place, ModelSource Source)> Places()
    {
        foreach (var root in (Environment.GetEnvironmentVariable(Variable) ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            foreach (var place in Under(root)) yield return (place, ModelSource.Named);
        foreach (var place in Added()) yield return (place, ModelSource.Added);
        foreach (var place in Under(Pulled)) yield return (place, ModelSource.Pulled);
        foreach (var place in Under(Path.Combine(AppContext.BaseDirectory, "models"))) yield return (place, ModelSource.Shipped);
    }

    private IReadOnlyList<ModelPlace> Added()
    {
        try
        {
            return added.All();
        }
        catch (InvalidDataException e)
        {
            log.LogWarning("{Problem}", e.Message);
            return [];
        }
    }

    // Named after the folder as it is, since jobs and settings name models so.
    private static IEnumerable<ModelPlace> Under(string root)
    {
        if (!Directory.Exists(root)) return [];
        if (ModelPlace.IsModel(root)) return [Of(root)];
        List<ModelPlace> models = [.. Directory.EnumerateDirectories(root).Where(ModelPlace.IsModel).Order(StringComparer.Ordinal).Select(Of)];
        // ComfyUI's folders and the Hugging Face cache hold theirs deeper.
        return models.Count > 0 ? models : ModelPlace.Find(root).Value ?? [];

        static ModelPlace Of(string folder) => new(Path.GetFullPath(folder), Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), ModelOrigin.Folder);
    }
}
