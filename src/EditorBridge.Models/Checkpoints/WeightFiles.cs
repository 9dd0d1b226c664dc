using System.Text.Json;

namespace EditorBridge.Models.Checkpoints;

/// <summary>Finds the weight files of one component's folder.</summary>
public static class WeightFiles
{
    /// <summary>The weight files of a folder: those its index names, or the single one there is.</summary>
    /// <param name="folder">Such as <c>transformer/</c> of a Diffusers folder.</param>
    /// <returns>Full paths in the order of their names, or why there are none.</returns>
    public static ReadResult<IReadOnlyList<string>> In(string folder)
    {
        if (!Directory.Exists(folder))
            return ReadResult<IReadOnlyList<string>>.Failed($"There is no folder '{folder}'; the model is incomplete.");
        var indexes = Directory.GetFiles(folder, "*.safetensors.index.json");
        if (indexes.Length == 1)
            return FromIndex(folder, indexes[0]);
        // Where the same weights lie there twice, safetensors say most of themselves and pickles least.
        foreach (var extensions in (string[][])[[".safetensors"], [".gguf"], [".pth", ".pt", ".bin"]])
        {
            var files = Directory.GetFiles(folder).Where(path => extensions.Contains(Path.GetExtension(path))).Order(StringComparer.Ordinal).ToList();
            if (files.Count > 1)
                return ReadResult<IReadOnlyList<string>>.Failed(
                    $"There are {files.Count} {extensions[0]} files in '{folder}' but no one index that says which belong together; name one of them.");
            if (files.Count == 1)
                return ReadResult<IReadOnlyList<string>>.Of(files);
        }
        return ReadResult<IReadOnlyList<string>>.Failed($"There are no weights (.safetensors, .gguf, .pth) in '{folder}'; the model is incomplete.");
    }

    private static ReadResult<IReadOnlyList<string>> FromIndex(string folder, string index)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(index));
            var names = json.RootElement.GetProperty("weight_map").EnumerateObject()
                .Select(pair => pair.Value.GetString() ?? "").Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
            var foreign = names.FirstOrDefault(name => name.Length == 0 || name.AsSpan().ContainsAny('/', '\\') || name.StartsWith('.'));
            if (foreign is not null || names.Count == 0)
                return ReadResult<IReadOnlyList<string>>.Failed($"'{index}' names no weight files or one outside its folder ('{foreign}').");
            var missing = names.FirstOrDefault(name => !File.Exists(Path.Combine(folder, name)));
            return missing is null
                ? ReadResult<IReadOnlyList<string>>.Of(names.ConvertAll(name => Path.Combine(folder, name)))
                : ReadResult<IReadOnlyList<string>>.Failed($"'{index}' names '{missing}', which is not there; download it again.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException)
        {
            return ReadResult<IReadOnlyList<string>>.Failed($"'{index}' is not an index of weights: {e.Message}");
        }
    }
}
