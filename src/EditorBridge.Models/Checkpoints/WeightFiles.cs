using System.Text.Json;

namespace EditorBridge.Models.Checkpoints;

/// <summary>The weight files of one component's folder.</summary>
public sealed record WeightFiles
{
    /// <summary>Full paths in the order of their names.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Where the folder's index says each tensor is, as one of <see cref="Paths"/>; empty without an index.</summary>
    public IReadOnlyDictionary<string, string> Places { get; init; } = new Dictionary<string, string>();

    /// <summary>The paths of <see cref="Find"/>.</summary>
    /// <inheritdoc cref="Find" path="/param"/>
    public static ReadResult<IReadOnlyList<string>> In(string folder)
    {
        var files = Find(folder);
        return files.Ok ? ReadResult<IReadOnlyList<string>>.Of(files.Value.Paths) : ReadResult<IReadOnlyList<string>>.Failed(files.Problem);
    }

    /// <summary>The weight files of a folder: those its index names, or the single one there is.</summary>
    /// <param name="folder">Such as <c>transformer/</c> of a Diffusers folder.</param>
    /// <returns>The files, or why there are none.</returns>
    public static ReadResult<WeightFiles> Find(string folder)
    {
        if (!Directory.Exists(folder))
            return ReadResult<WeightFiles>.Failed($"There is no folder '{folder}'; the model is incomplete.");
        try
        {
            return InExisting(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ReadResult<WeightFiles>.Failed($"'{folder}' cannot be read: {e.Message}");
        }
    }

    private static ReadResult<WeightFiles> InExisting(string folder)
    {
        var indexes = Directory.GetFiles(folder, "*.safetensors.index.json");
        if (indexes.Length == 1)
            return FromIndex(folder, indexes[0]);
        // Where the same weights lie there twice, safetensors say most of themselves and pickles least.
        foreach (var extensions in (string[][])[[".safetensors"], [".gguf"], [".pth", ".pt", ".bin"]])
        {
            var files = Directory.GetFiles(folder).Where(path => extensions.Contains(Path.GetExtension(path))).Order(StringComparer.Ordinal).ToList();
            if (files.Count > 1)
                return ReadResult<WeightFiles>.Failed(
                    $"There are {files.Count} {extensions[0]} files in '{folder}' but no one index that says which belong together; name one of them.");
            if (files.Count == 1)
                return ReadResult<WeightFiles>.Of(new WeightFiles { Paths = files });
        }
        return ReadResult<WeightFiles>.Failed($"There are no weights (.safetensors, .gguf, .pth) in '{folder}'; the model is incomplete.");
    }

    private static ReadResult<WeightFiles> FromIndex(string folder, string index)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(index));
            var places = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var pair in json.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                var name = pair.Value.GetString() ?? "";
                if (name.Length == 0 || name.AsSpan().ContainsAny('/', '\\') || name.StartsWith('.'))
                    return ReadResult<WeightFiles>.Failed($"'{index}' names a weight file outside its folder ('{name}').");
                if (!places.TryAdd(pair.Name, Path.Combine(folder, name)))
                    return ReadResult<WeightFiles>.Failed($"'{index}' names tensor '{pair.Name}' twice.");
            }
            if (places.Count == 0)
                return ReadResult<WeightFiles>.Failed($"'{index}' names no weight files.");
            var paths = places.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
            var missing = paths.Find(path => !File.Exists(path));
            return missing is null
                ? ReadResult<WeightFiles>.Of(new WeightFiles { Paths = paths, Places = places })
                : ReadResult<WeightFiles>.Failed($"'{index}' names '{Path.GetFileName(missing)}', which is not there; download it again.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException or UnauthorizedAccessException)
        {
            return ReadResult<WeightFiles>.Failed($"'{index}' is not an index of weights: {e.Message}");
        }
    }
}
