using System.Runtime.CompilerServices;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Goldens;

/// <summary>Numbers of the reference implementation, read from <c>Data/</c>: inputs, intermediates and results by name.</summary>
public sealed class GoldenCase : IDisposable
{
    private readonly SafetensorsFile file;

    private GoldenCase(SafetensorsFile file) => this.file = file;

    public IReadOnlyDictionary<string, string> Metadata => file.Header.Metadata;

    public IEnumerable<string> Names => file.Tensors.Keys;

    /// <summary>Opens <c>Data/{name}.safetensors</c>, such as <c>vae22/decode_f2</c>.</summary>
    public static GoldenCase Open(string name) => new(SafetensorsFile.Open(PathOf($"{name}.safetensors")).OrThrow());

    /// <summary>Full path of a file under <c>Data/</c> in the source tree.</summary>
    public static string PathOf(string name) => Path.Combine(DataFolder(), name);

    public bool Has(string name) => file.Tensors.ContainsKey(name);

    /// <summary>A copy of a tensor.</summary>
    public Tensor this[string name] => MappedTensors.View(file.Tensors[name]).clone();

    /// <summary>Asserts equal shape and max|actual − golden| ≤ tolerance · max|golden|.</summary>
    public void AssertClose(string name, Tensor actual, double tolerance)
    {
        using var scope = NewDisposeScope();
        var golden = this[name].to(float64);
        Assert.True(golden.shape.SequenceEqual(actual.shape), $"{name}: golden [{string.Join(",", golden.shape)}], got [{string.Join(",", actual.shape)}]");
        var deviation = (actual.detach().to(float64) - golden).abs().max().item<double>();
        var scale = golden.abs().max().item<double>();
        Assert.True(deviation <= tolerance * scale, $"{name}: off by {deviation:g3}, {deviation / scale:g3} of its largest value {scale:g3}; allowed {tolerance:g3}");
    }

    public void Dispose() => file.Dispose();

    private static string DataFolder([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "..", "Data");
}
