using System.Text.Json;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Tests.Goldens;

internal static class WanGoldens
{
    public static WanTransformerConfig Config(string model)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(GoldenCase.PathOf($"{model}/weights.config.json")));
        var length = json.RootElement.GetProperty("original").GetProperty("text_len").GetInt32();
        return Read(json, ConfigFile.ReadTransformer) with { TextLen = length };
    }

    public static WanVideoVae Vae()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(GoldenCase.PathOf("vae22/weights.config.json")));
        var vae = new WanVideoVae(Read(json, ConfigFile.ReadVae));
        using var file = SafetensorsFile.Open(GoldenCase.PathOf("vae22/weights.diffusers.safetensors")).OrThrow();
        WeightLoader.Load(vae, file, WanVideoVaeKeys.ToDiffusers);
        return vae;
    }

    /// <summary>The network with its golden weights: dit_t2v in Diffusers' naming, dit_ti2v in the original one.</summary>
    public static WanTransformer Network(string model)
    {
        var network = new WanTransformer(Config(model));
        var original = GoldenCase.PathOf($"{model}/weights.original.safetensors");
        using var file = SafetensorsFile.Open(File.Exists(original) ? original : GoldenCase.PathOf($"{model}/weights.diffusers.safetensors")).OrThrow();
        WeightLoader.Load(network, file, WanTransformerKeys.FromOriginal);
        return network;
    }

    private static T Read<T>(JsonDocument json, Func<string, ReadResult<T>> read)
        where T : class
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, json.RootElement.GetProperty("diffusers").GetRawText());
            return read(path).OrThrow();
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>[rows, D] to [1, length, D] with rows of zero behind.</summary>
    public static Tensor Padded(Tensor rows, long length) => functional.pad(rows, [0, 0, 0, length - rows.shape[0]]).unsqueeze(0);
}
