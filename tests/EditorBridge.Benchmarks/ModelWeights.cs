using EditorBridge.Models.Configs;
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

    /// <summary>Writes a whole model: TI2V-5B with a canvas of its own choice, for a job at a size that a CPU can manage.</summary>
    public static void Ti2v(string folder, bool small, CanvasSize canvas)
    {
        foreach (var (part, name) in new[] { ("transformer", "ti2v-5b"), ("text_encoder", "umt5-xxl"), ("vae", "vae-2.2") })
            Network(name, Path.Combine(folder, part), small);
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
        File.Copy(Path.Combine(AppContext.BaseDirectory, "spiece.model"), Path.Combine(folder, "tokenizer", "spiece.model"));
        File.WriteAllText(Path.Combine(folder, ModelSettings.FileName), ModelFolder.Write(ModelSettings.Ti2v with { Sizes = [canvas] }));
    }
}
