using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Safetensors;
using EditorBridge.Planning;

namespace EditorBridge.Host.Tests.Support;

/// <summary>A model folder that planning accepts: right configs, one tensor a network. Nothing loads it.</summary>
public static class SmallModel
{
    public const string Name = "small";

    /// <summary>Makes it in <paramref name="root"/>, a folder for EDITORBRIDGE_MODELS.</summary>
    public static string Make(string root)
    {
        var folder = Path.Combine(root, Name);
        Write(folder, "transformer", ConfigFile.Write(new WanTransformerConfig
        {
            NumAttentionHeads = 2, AttentionHeadDim = 24, InChannels = 48, OutChannels = 48, TextDim = 16, TextLen = 64, FreqDim = 32, FfnDim = 64, NumLayers = 2,
        }));
        Write(folder, "vae", ConfigFile.Write(WanVaeConfig.Wan22 with
        {
            BaseDim = 8, DecoderBaseDim = 8, LatentsMean = new double[48], LatentsStd = [.. Enumerable.Repeat(1.0, 48)],
        }));
        Write(folder, "text_encoder", ConfigFile.Write(new UMT5Config { VocabSize = 1024, DModel = 16, DKv = 8, DFf = 32, NumHeads = 2, NumLayers = 1 }));
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

    private static void Write(string folder, string network, string config)
    {
        var path = Directory.CreateDirectory(Path.Combine(folder, network)).FullName;
        File.WriteAllText(Path.Combine(path, "config.json"), config);
        var source = new SafetensorsSource("weight", TensorType.F32, [2, 2], stream => stream.Write(new byte[16]));
        SafetensorsWriter.Write(Path.Combine(path, network == "text_encoder" ? "model.safetensors" : "diffusion_pytorch_model.safetensors"), [source]);
    }
}
