using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Safetensors;
using EditorBridge.Models.Checkpoints;
using static TorchSharp.torch;

namespace EditorBridge.Benchmarks;

/// <summary>
/// Writes the folders of networks with random weights of sizes that keep activations tame. One block of random numbers serves all tensors, each from another place in
/// it: memory stays small and the disk sets the pace.
/// </summary>
internal sealed class RandomWeights : IDisposable
{
    private const int Values = (1 << 22) + 4099; // a little more than a piece, so that pieces of large tensors differ
    private readonly Tensor normal;

    public RandomWeights()
    {
        using var generator = new Generator(1);
        normal = randn(Values, generator: generator).DetachFromDisposeScope();
    }

    public void Transformer(string folder, WanTransformerConfig config, ScalarType type)
    {
        Network(folder, () => new WanTransformer(config), type, (_, shape) => 1 / Math.Sqrt(Inputs(shape)));
        File.WriteAllText(Path.Combine(folder, "config.json"), ConfigFile.Write(config));
    }

    public void TextEncoder(string folder, UMT5Config config, ScalarType type)
    {
        Network(folder, () => new UMT5Encoder(config), type, (name, shape) => name == "shared.weight" ? 1
            : name.EndsWith(".q.weight", StringComparison.Ordinal) ? 1 / Math.Sqrt(Inputs(shape) * config.DKv) : 1 / Math.Sqrt(Inputs(shape)));
        File.WriteAllText(Path.Combine(folder, "config.json"), ConfigFile.Write(config));
    }

    public void Vae(string folder, WanVaeConfig config, ScalarType type)
    {
        Network(folder, () => new WanVideoVae(config), type, (_, shape) => 1 / Math.Sqrt(Inputs(shape)));
        File.WriteAllText(Path.Combine(folder, "config.json"), ConfigFile.Write(config));
    }

    public void Dispose() => normal.Dispose();

    private static long Inputs(long[] shape) => shape.Skip(1).Aggregate(1L, (product, size) => product * size);

    private void Network(string folder, Func<nn.Module> make, ScalarType type, Func<string, long[], double> deviation)
    {
        Directory.CreateDirectory(folder);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var staying = NewWeights.StayInFile(CPU);
        using var network = make();
        var place = 0;
        var stored = type switch
        {
            ScalarType.Float32 => TensorType.F32,
            ScalarType.BFloat16 => TensorType.BF16,
            _ => TensorType.F16,
        };
        var sources = network.state_dict().Select(pair =>
        {
            var (name, shape) = (pair.Key, pair.Value.shape);
            var (mean, std) = shape.Length > 1 && !name.EndsWith("gamma", StringComparison.Ordinal) ? (0.0, deviation(name, shape)) : (name.EndsWith("bias", StringComparison.Ordinal) ? 0.0 : 1.0, 0.0);
            place = (place + 1009) % 4096;
            var first = place;
            return new SafetensorsSource(name, stored, shape, stream => Write(stream, shape.Aggregate(1L, (product, size) => product * size), first, mean, std, type));
        }).ToList();
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), sources, new Dictionary<string, string> { ["format"] = "pt" });
    }

    private void Write(Stream stream, long count, int first, double mean, double std, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var values = (normal.narrow(0, first % (Values - 1), (int)Math.Min(count, Values - first)) * std + mean).to(type);
        for (long at = 0; at < count;)
        {
            using var piece = values.narrow(0, 0, Math.Min(count - at, values.shape[0]));
            stream.Write(piece.bytes);
            at += piece.shape[0];
        }
    }
}
