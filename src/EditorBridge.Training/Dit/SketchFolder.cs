using System.Text.Json;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;

namespace EditorBridge.Training.Dit;

/// <summary>Reads and writes the networks as a Diffusers folder.</summary>
public static class SketchFolder
{
    /// <summary>Files stay below 15 MiB each.</summary>
    private const long LargestFile = 14L << 20;

    /// <summary>Writes the transformer and the text encoder.</summary>
    public static void Save(string folder, WanTransformer transformer, UMT5Encoder text, ScalarType type)
    {
        string transformerFolder = Path.Combine(folder, "transformer"), textFolder = Path.Combine(folder, "text_encoder");
        Directory.CreateDirectory(transformerFolder);
        Directory.CreateDirectory(textFolder);
        File.WriteAllText(Path.Combine(transformerFolder, "config.json"), ConfigFile.Write(transformer.Config));
        File.WriteAllText(Path.Combine(textFolder, "config.json"), ConfigFile.Write(text.Config));
        Split(transformer.state_dict(), transformerFolder, "diffusion_pytorch_model", type);
        WeightSaver.Save(text, Path.Combine(textFolder, "model.safetensors"), type, new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>Reads the transformer of a folder.</summary>
    public static WanTransformer LoadTransformer(string folder)
    {
        string path = Path.Combine(folder, "transformer");
        var network = new WanTransformer(ConfigFile.ReadTransformer(Path.Combine(path, "config.json")).OrThrow());
        WeightLoader.Load(network, path, WanTransformerKeys.FromOriginal);
        return network;
    }

    /// <summary>Reads the text encoder of a folder.</summary>
    public static UMT5Encoder LoadText(string folder)
    {
        string path = Path.Combine(folder, "text_encoder");
        var network = new UMT5Encoder(ConfigFile.ReadTextEncoder(Path.Combine(path, "config.json")).OrThrow());
        using var weights = Checkpoint.Open(path).OrThrow();
        WeightLoader.LoadParts(network, weights, UMT5Keys.ToHuggingFace);
        return network;
    }

    /// <summary>Writes what is not weights: the index of parts, the scheduler and the settings of the canvas.</summary>
    public static void SaveSettings(string folder, double shift, int steps, double guidance)
    {
        var json = new JsonSerializerOptions { WriteIndented = true };
        void Write(string name, object value)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, JsonSerializer.Serialize(value, json) + "\n");
        }

        Write("model_index.json", new Dictionary<string, object>
        {
            ["_class_name"] = "WanPipeline",
            ["scheduler"] = new[] { "diffusers", "UniPCMultistepScheduler" },
            ["text_encoder"] = new[] { "transformers", "UMT5EncoderModel" },
            ["tokenizer"] = new[] { "transformers", "T5TokenizerFast" },
            ["transformer"] = new[] { "diffusers", "WanTransformer3DModel" },
            ["vae"] = new[] { "diffusers", "AutoencoderKLWan" },
        });
        Write(Path.Combine("scheduler", "scheduler_config.json"), new Dictionary<string, object>
        {
            ["_class_name"] = "UniPCMultistepScheduler", ["flow_shift"] = shift, ["num_train_timesteps"] = 1000,
            ["prediction_type"] = "flow_prediction", ["use_flow_sigmas"] = true, ["solver_order"] = 2,
        });
        Write("editorbridge.json", new Dictionary<string, object>
        {
            ["canvasRate"] = "24/1",
            ["sizes"] = new[] { Size(288, 160), Size(160, 288), Size(224, 224) },
            ["maxFrames"] = 81, ["firstFrame"] = "Trained", ["before"] = "Trained", ["after"] = "Trained",
            ["maxContextFrames"] = SketchSizes.ContextFrames, ["steps"] = steps, ["guidance"] = guidance, ["shift"] = shift,
            ["sampler"] = "unipc", ["negativePrompt"] = "",
        });
    }

    private static Dictionary<string, int> Size(int width, int height) => new() { ["width"] = width, ["height"] = height };

    private static void Split(Dictionary<string, Tensor> tensors, string folder, string name, ScalarType type)
    {
        foreach (string old in Directory.GetFiles(folder, $"{name}*.safetensors*"))
        {
            File.Delete(old);
        }

        List<Dictionary<string, Tensor>> files = [[]];
        long size = 0;
        foreach (var (key, value) in tensors)
        {
            long bytes = value.numel() * (type == float32 ? 4 : 2);
            if (size + bytes > LargestFile)
            {
                files.Add([]);
                size = 0;
            }

            files[^1][key] = value;
            size += bytes;
        }

        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        if (files.Count == 1)
        {
            WeightSaver.Save(files[0], Path.Combine(folder, $"{name}.safetensors"), type, metadata);
            return;
        }

        SortedDictionary<string, string> map = new(StringComparer.Ordinal);
        for (int i = 0; i < files.Count; i++)
        {
            string file = $"{name}-{i + 1:D5}-of-{files.Count:D5}.safetensors";
            WeightSaver.Save(files[i], Path.Combine(folder, file), type, metadata);
            foreach (string key in files[i].Keys)
            {
                map[key] = file;
            }
        }

        File.WriteAllText(Path.Combine(folder, $"{name}.safetensors.index.json"), JsonSerializer.Serialize(
            new Dictionary<string, object>
            {
                ["metadata"] = new Dictionary<string, long> { ["total_size"] = tensors.Values.Sum(t => t.numel() * (type == float32 ? 4 : 2)) },
                ["weight_map"] = map,
            },
            new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }
}
