using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using EditorBridge.Planning;
using EditorBridge.Tests.Models;

namespace EditorBridge.Host.Tests.Support;

/// <summary>A model folder that planning accepts: configs and weights of small networks, all values zero. Nothing loads it.</summary>
public static class SmallModel
{
    public const string Name = "small";

    private const string Weights = "diffusion_pytorch_model.safetensors";

    /// <summary>Makes it in <paramref name="root"/>, a folder for EDITORBRIDGE_MODELS.</summary>
    public static string Make(string root)
    {
        var folder = Path.Combine(root, Name);
        var transformer = new WanTransformerConfig
        {
            NumAttentionHeads = 2, AttentionHeadDim = 24, InChannels = 48, OutChannels = 48, TextDim = 16, TextLen = 64, FreqDim = 32, FfnDim = 64, NumLayers = 2,
        };
        var vae = WanVaeConfig.Wan22 with { BaseDim = 8, DecoderBaseDim = 8, LatentsMean = new double[48], LatentsStd = [.. Enumerable.Repeat(1.0, 48)] };
        var text = new UMT5Config { VocabSize = 1024, DModel = 16, DKv = 8, DFf = 32, NumHeads = 2, NumLayers = 1 };
        Write(Path.Combine(folder, "transformer", Weights), ConfigFile.Write(transformer), NetworkTensors.Transformer(transformer));
        Write(Path.Combine(folder, "vae", Weights), ConfigFile.Write(vae), NetworkTensors.Vae(vae));
        Write(Path.Combine(folder, "text_encoder", "model.safetensors"), ConfigFile.Write(text), NetworkTensors.TextEncoder(text));
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
        File.WriteAllBytes(Path.Combine(folder, "tokenizer", "spiece.model"), [1, 2, 3]);
        File.WriteAllText(Path.Combine(folder, "model_index.json"), "{}");
        File.WriteAllText(Path.Combine(folder, ModelSettings.FileName), ModelFolder.Write(ModelSettings.Ti2v with
        {
            Sizes = [new CanvasSize(64, 32), new CanvasSize(32, 64)],
            MaxFrames = 33,
            Before = ContextSupport.Trained,
            After = ContextSupport.Trained,
            MaxContextFrames = 9,
            NegativePrompt = "",
        }));
        return folder;
    }

    private static void Write(string file, string config, IReadOnlyDictionary<string, WantedTensor> tensors)
    {
        BlankNetworks.Write(file, tensors);
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(file)!, "config.json"), config);
    }
}
