using EditorBridge.Models.Configs;
using EditorBridge.Models.Variants;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Benchmarks;

/// <summary>Folders in Diffusers layout with random weights, of published sizes or of small ones of the same form.</summary>
internal static class ModelWeights
{
    public static readonly IReadOnlyList<string> Names = ["t2v-1.3b", "vace-1.3b", "ti2v-5b", "umt5-xxl", "vae-2.1", "vae-2.2"];

    /// <summary>Writes a network's folder.</summary>
    public static void Network(string name, string folder, bool small)
    {
        using var weights = new RandomWeights();
        switch (name)
        {
            case "t2v-1.3b" or "vace-1.3b" or "ti2v-5b":
                var transformer = name switch
                {
                    "t2v-1.3b" => BenchmarkSizes.T2V13B,
                    "vace-1.3b" => BenchmarkSizes.Vace13B,
                    _ => BenchmarkSizes.Ti2v5B,
                };
                weights.Transformer(folder, small ? BenchmarkSizes.Small(transformer) : transformer, name == "ti2v-5b" ? ScalarType.BFloat16 : ScalarType.Float16);
                break;
            case "umt5-xxl":
                weights.TextEncoder(folder, small ? BenchmarkSizes.Small(BenchmarkSizes.UMT5Xxl) : BenchmarkSizes.UMT5Xxl, ScalarType.BFloat16);
                break;
            default:
                var vae = name == "vae-2.1" ? WanVaeConfig.Wan21 : WanVaeConfig.Wan22;
                weights.Vae(folder, small ? BenchmarkSizes.Small(vae) : vae, ScalarType.Float32);
                break;
        }
    }

    /// <summary>Models that can be written whole.</summary>
    public static readonly IReadOnlyList<string> Models = ["ti2v-5b", "vace-1.3b"];

    /// <summary>Writes a whole model, with a canvas of its own choice, for a job at a size that a CPU can manage.</summary>
    /// <param name="name">One of <see cref="Models"/>.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="small">Whether its networks are a few kilobytes in size.</param>
    /// <param name="canvas">The one canvas size that it says it was trained at.</param>
    public static void Model(string name, string folder, bool small, CanvasSize canvas)
    {
        var (vae, line) = name == "ti2v-5b" ? ("vae-2.2", WanLine.TextImageToVideo22) : ("vae-2.1", WanLine.Vace);
        foreach (var (part, network) in new[] { ("transformer", name), ("text_encoder", "umt5-xxl"), ("vae", vae) })
            Network(network, Path.Combine(folder, part), small);
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
        File.Copy(Path.Combine(AppContext.BaseDirectory, "spiece.model"), Path.Combine(folder, "tokenizer", "spiece.model"));
        var transformer = name == "ti2v-5b" ? BenchmarkSizes.Ti2v5B : BenchmarkSizes.Vace13B;
        var settings = PublishedSettings.For(new WanVariant(line, name, transformer.Dim, transformer.NumLayers, transformer.InChannels, transformer.OutChannels), pair: false, folder);
        File.WriteAllText(Path.Combine(folder, ModelSettings.FileName), ModelFolder.Write(settings with { Sizes = [canvas] }));
    }
}
