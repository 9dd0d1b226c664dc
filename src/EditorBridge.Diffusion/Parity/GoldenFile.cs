using System.Text.Json;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Numbers of the reference implementation: inputs (<c>in.*</c>), intermediates (<c>mid.*</c>) and results (<c>out.*</c>) by name.</summary>
public sealed class GoldenFile : IDisposable
{
    private readonly SafetensorsFile file;

    private GoldenFile(SafetensorsFile file) => this.file = file;

    /// <summary>Where the file is.</summary>
    public string Path => file.Path;

    /// <summary>Names of its tensors.</summary>
    public IEnumerable<string> Names => file.Tensors.Keys;

    /// <summary>Free text pairs: sizes, weights, arguments of the reference's call.</summary>
    public IReadOnlyDictionary<string, string> Metadata => file.Header.Metadata;

    /// <summary>Where the networks that are compared with it keep their weights.</summary>
    internal WeightPlacement Placement { get; init; }

    /// <summary>A copy of a tensor, in the caller's dispose scope.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidDataException">There is no such tensor.</exception>
    public Tensor this[string name]
    {
        get
        {
            if (!file.Tensors.TryGetValue(name, out var entry))
                throw new InvalidDataException($"'{Path}' has no tensor '{name}'.");
            using var view = MappedTensors.View(entry);
            return view.clone();
        }
    }

    /// <summary>Opens a file.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="placement">Where the networks that are compared with it keep their weights.</param>
    /// <exception cref="InvalidDataException">It cannot be used; the message says why.</exception>
    public static GoldenFile Open(string path, WeightPlacement placement = WeightPlacement.Unpacked)
        => new(SafetensorsFile.Open(path).OrThrow()) { Placement = placement };

    /// <summary>Whether there is a tensor of that name.</summary>
    /// <param name="name">Such as <c>out.latent</c>.</param>
    public bool Has(string name) => file.Tensors.ContainsKey(name);

    /// <summary>A metadata entry that holds JSON.</summary>
    /// <param name="name">Such as <c>kwargs</c>.</param>
    /// <exception cref="InvalidDataException">There is no such entry, or it is something else.</exception>
    public JsonElement Json(string name)
    {
        try
        {
            using var json = JsonDocument.Parse(Metadata.GetValueOrDefault(name) ?? throw new InvalidDataException($"'{Path}' has no '{name}' in its metadata."));
            return json.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{Path}' has damaged metadata '{name}': {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
