using System.Collections.Concurrent;
using EditorBridge.Planning;

namespace EditorBridge.Host.Models;

/// <summary>A model that was found.</summary>
/// <param name="Name">Its name in the catalogue.</param>
/// <param name="Folder">Where it lies.</param>
/// <param name="Capabilities">What it can do; null when it cannot be used.</param>
/// <param name="Problem">Why it cannot be used; empty when it can.</param>
/// <param name="Bytes">Bytes on disk.</param>
internal sealed record FoundModel(string Name, string Folder, ModelCapabilities? Capabilities, string Problem, long Bytes);

/// <summary>The models on this machine: the shipped one, and those under the folders EDITORBRIDGE_MODELS names.</summary>
internal sealed class ModelStore
{
    /// <summary>Folders with models, separated like PATH; each is a model or holds models.</summary>
    public const string Variable = "EDITORBRIDGE_MODELS";

    private readonly ConcurrentDictionary<string, (string Stamp, FoundModel Model)> _read = new(StringComparer.Ordinal);

    /// <summary>All models, by name; of two with one name the first found counts.</summary>
    public IReadOnlyList<FoundModel> All()
    {
        var found = new Dictionary<string, FoundModel>(StringComparer.Ordinal);
        foreach (var folder in Folders())
        {
            var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
            if (!found.ContainsKey(name)) found[name] = Read(name, folder);
        }

        return [.. found.Values.OrderBy(m => m.Name, StringComparer.Ordinal)];
    }

    /// <summary>The model of that name; null when there is none.</summary>
    public FoundModel? Find(string name) => All().FirstOrDefault(m => m.Name == name);

    private FoundModel Read(string name, string folder)
    {
        // Reading hashes the weights, so it is done again only after a file has changed.
        var files = new DirectoryInfo(folder).GetFiles("*", SearchOption.AllDirectories);
        var stamp = string.Join('|', files.OrderBy(f => f.FullName, StringComparer.Ordinal).Select(f => $"{f.FullName}:{f.Length}:{f.LastWriteTimeUtc.Ticks}"));
        if (_read.TryGetValue(folder, out var known) && known.Stamp == stamp) return known.Model;
        var result = ModelFolder.Read(folder, name);
        var model = new FoundModel(name, folder, result.Ok ? result.Value : null, result.Ok ? "" : result.Problem, files.Sum(f => f.Length));
        _read[folder] = (stamp, model);
        return model;
    }

    private static IEnumerable<string> Folders()
    {
        var named = (Environment.GetEnvironmentVariable(Variable) ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        foreach (var root in named.Append(Path.Combine(AppContext.BaseDirectory, "models")))
        {
            if (!Directory.Exists(root)) continue;
            if (IsModel(root)) yield return Path.GetFullPath(root);
            else
                foreach (var folder in Directory.EnumerateDirectories(root).Where(IsModel).Order(StringComparer.Ordinal)) yield return Path.GetFullPath(folder);
        }
    }

    private static bool IsModel(string folder) =>
        File.Exists(Path.Combine(folder, "model_index.json")) || Directory.Exists(Path.Combine(folder, "transformer"));
}
