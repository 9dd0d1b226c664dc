using System.Text.Json;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using TorchSharp;

namespace EditorBridge.Diffusion.Parity;

/// <summary>One network's weights in a golden folder: <c>NAME.config.json</c> and <c>NAME.NAMING.safetensors</c>, once per naming.</summary>
/// <param name="folder">Such as <c>dit_t2v</c>.</param>
/// <param name="name"><c>weights</c>, or an expert's name.</param>
/// <param name="placement">Where networks keep them.</param>
internal sealed class GoldenWeights(string folder, string name, WeightPlacement placement = WeightPlacement.Unpacked)
{
    private readonly JsonElement config = ReadJson(Path.Combine(folder, $"{name}.config.json"));

    /// <summary>The constructor arguments of the reference.</summary>
    public JsonElement Original => Part("original");

    /// <summary>The config of the other naming, Diffusers' or Hugging Face's.</summary>
    public JsonElement Converted => config.TryGetProperty("diffusers", out var diffusers) ? diffusers : Part("hf");

    /// <summary>What to call the config in a problem.</summary>
    public string Source => Path.Combine(folder, $"{name}.config.json");

    /// <summary>From the original names to the others.</summary>
    public IReadOnlyList<(string Original, string Converted)> KeyMap =>
        config.TryGetProperty("key_map", out var map) ? [.. map.EnumerateObject().Select(pair => (pair.Name, pair.Value.GetString()!))] : [];

    /// <summary>The weight files by naming; at least one.</summary>
    public IReadOnlyList<(string Naming, string Path)> Files
    {
        get
        {
            var files = Directory.GetFiles(folder, $"{name}.*.safetensors").Order(StringComparer.Ordinal)
                .Select(path => (Path.GetFileName(path)[(name.Length + 1)..^".safetensors".Length], path)).ToList();
            return files.Count > 0 ? files : throw new FileNotFoundException($"There are no weights '{name}.*.safetensors' in '{folder}'.");
        }
    }

    /// <summary>Makes a network with the weights of one of <see cref="Files"/>.</summary>
    public T Make<T>(Func<T> network, string path, Func<string, IReadOnlyList<string>> rename)
        where T : torch.nn.Module
    {
        using var file = SafetensorsFile.Open(path).OrThrow();
        var made = WeightLoader.Make(network, file, rename, device: null, placement);
        made.eval();
        return made;
    }

    private JsonElement Part(string key) => config.TryGetProperty(key, out var part) ? part : throw new InvalidDataException($"'{Source}' has no '{key}'.");

    private static JsonElement ReadJson(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' is damaged: {e.Message}", e);
        }
    }
}
