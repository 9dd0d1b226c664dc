using EditorBridge.Diffusion.Images;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using EditorBridge.Models.Variants;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Tests.Models;

/// <summary>The networks of a Wan variant at very small widths, with random weights whose outputs depend on everything they are given; written in any layout.</summary>
public sealed class TinyCheckpoint : IDisposable
{
    private const int Wide = 256;

    private readonly byte[] spiece;
    private readonly bool wide;

    /// <param name="line">Which variant.</param>
    /// <param name="pair">Whether it has two experts.</param>
    /// <param name="spiece">The SentencePiece file of a small vocabulary.</param>
    /// <param name="wide">Whether rows are 256 values long, so that every quantisation can store them.</param>
    public TinyCheckpoint(WanLine line, bool pair, string spiece, bool wide = false)
    {
        NativeTorch.Load();
        (Line, IsPair, this.spiece, this.wide) = (line, pair, File.ReadAllBytes(spiece), wide);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        manual_seed(7);
        using var generator = new Generator(7);
        var two = line == WanLine.TextImageToVideo22;
        var known = two ? WanVaeConfig.Wan22 : WanVaeConfig.Wan21;
        Vae = new WanVideoVae(known with { BaseDim = 4, DecoderBaseDim = two ? 8 : null });
        Vae.Initialize();
        Text = new UMT5Encoder(new UMT5Config { VocabSize = 1024, DModel = wide ? Wide : 16, DKv = wide ? Wide / 2 : 8, DFf = wide ? Wide : 32, NumHeads = 2, NumLayers = 1 });
        Text.Initialize(generator);
        if (line is WanLine.ImageToVideo21 or WanLine.FirstLastFrame21)
        {
            Image = new ClipVisionTower(new ClipVisionConfig { HiddenSize = 80, IntermediateSize = 32, NumHiddenLayers = 2, NumAttentionHeads = 1, ImageSize = 28 });
            foreach (var parameter in Image.parameters()) parameter.copy_(randn(parameter.shape, generator: generator) * 0.1);
        }

        Transformer = Made(generator);
        LowNoise = pair ? Made(generator) : null;
        foreach (var network in Networks)
        {
            // They outlive the scope they were made in.
            foreach (var parameter in network.parameters()) parameter.DetachFromDisposeScope();
            foreach (var buffer in network.buffers()) buffer.DetachFromDisposeScope();
        }
    }

    public WanLine Line { get; }

    public bool IsPair { get; }

    public WanTransformer Transformer { get; }

    public WanTransformer? LowNoise { get; }

    public WanVideoVae Vae { get; }

    public UMT5Encoder Text { get; }

    public ClipVisionTower? Image { get; }

    /// <summary>Settings that make it fit for tests: a small canvas, few frames, few steps.</summary>
    public ModelSettings Settings => PublishedSettings.For(new WanVariant(Line, "", 128, 2, 0, 0), IsPair, "") with
    {
        Sizes = [new CanvasSize(64, 32)], MaxFrames = 33, Steps = 3, NegativePrompt = "",
    };

    /// <summary>A Diffusers folder.</summary>
    public string WriteDiffusers(string folder)
    {
        Transformer.Save(Path.Combine(folder, "transformer"));
        LowNoise?.Save(Path.Combine(folder, "transformer_2"));
        Vae.Save(Path.Combine(folder, "vae"));
        Diffusers(folder, "text_encoder", Text, ConfigFile.Write(Text.Config));
        if (Image is not null) Diffusers(folder, "image_encoder", Image, ConfigFile.Write(Image.Config));
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
        File.WriteAllBytes(Path.Combine(folder, "tokenizer", "spiece.model"), spiece);
        File.WriteAllText(Path.Combine(folder, "model_index.json"), IsPair ? "{\"boundary_ratio\": 0.6}" : "{}");
        File.WriteAllText(ModelFolder.SettingsFile(folder), ModelFolder.Write(Settings));
        return folder;
    }

    /// <summary>A repository as its authors lay it out, with pickled VAE and text encoder.</summary>
    public string WriteOriginal(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "google", "umt5-xxl"));
        var (high, low) = IsPair ? ("high_noise_model", "low_noise_model") : ("", "");
        Write(Path.Combine(folder, high, "diffusion_pytorch_model.safetensors"), Transformer, WanTransformerKeys.ToOriginal);
        File.WriteAllText(Path.Combine(folder, high, "config.json"), "{\"_class_name\": \"WanModel\", \"dim\": 128}");
        if (LowNoise is not null) Write(Path.Combine(folder, low, "diffusion_pytorch_model.safetensors"), LowNoise, WanTransformerKeys.ToOriginal);
        TinyNames.Pickle(Path.Combine(folder, Line == WanLine.TextImageToVideo22 ? "Wan2.2_VAE.pth" : "Wan2.1_VAE.pth"), Named(Vae, OriginalVae));
        TinyNames.Pickle(Path.Combine(folder, "models_t5_umt5-xxl-enc-bf16.pth"), Named(Text, TinyNames.OriginalText));
        if (Image is not null) TinyNames.Pickle(Path.Combine(folder, "models_clip_open-clip.pth"), Named(Image, key => key));
        File.WriteAllBytes(Path.Combine(folder, "google", "umt5-xxl", "spiece.model"), spiece);
        File.WriteAllText(ModelFolder.SettingsFile(folder), ModelFolder.Write(Settings));
        return folder;
    }

    /// <summary>Single files in ComfyUI's folders.</summary>
    /// <returns>The transformer's file.</returns>
    public string WriteComfy(string models)
    {
        var file = Path.Combine(models, "diffusion_models", IsPair ? "wan2.2_high_noise_14B.safetensors" : "wan.safetensors");
        Write(file, Transformer, key => "model.diffusion_model." + WanTransformerKeys.ToOriginal(key));
        if (LowNoise is not null) Write(file.Replace("high", "low", StringComparison.Ordinal), LowNoise, WanTransformerKeys.ToOriginal);
        Write(Path.Combine(models, "vae", "wan_vae.safetensors"), Vae, OriginalVae);
        using var packed = tensor(spiece);
        Directory.CreateDirectory(Path.Combine(models, "text_encoders"));
        WeightSaver.Save(Named(Text, key => key).Append(new("spiece_model", packed)).ToDictionary(), Path.Combine(models, "text_encoders", "umt5_xxl.safetensors"));
        if (Image is not null) Write(Path.Combine(models, "clip_vision", "clip_vision_h.safetensors"), Image, key => key);
        File.WriteAllText(ModelFolder.SettingsFile(file), ModelFolder.Write(Settings));
        return file;
    }

    /// <summary>GGUF files in ComfyUI's folders; the VAE is a safetensors file, as there is none of it.</summary>
    /// <param name="models">ComfyUI's folder of models.</param>
    /// <param name="type">What matrices are stored as.</param>
    /// <returns>The transformer's file.</returns>
    public string WriteGguf(string models, TensorType type = TensorType.F32)
    {
        var file = Path.Combine(models, "unet", "wan.gguf");
        TinyNames.Gguf(file, Named(Transformer, WanTransformerKeys.ToOriginal), "wan", null, type);
        TinyNames.Gguf(Path.Combine(models, "text_encoders", "umt5-xxl.gguf"), Named(Text, TinyNames.GgufText), "t5encoder", SentencePieceModel.Read(spiece), type);
        Write(Path.Combine(models, "vae", "wan_vae.safetensors"), Vae, OriginalVae);
        File.WriteAllText(ModelFolder.SettingsFile(file), ModelFolder.Write(Settings));
        return file;
    }

    /// <summary>A LoRA of rank 2 for the first block's query, large enough to be seen, and a key that no model has.</summary>
    /// <param name="path">The file.</param>
    /// <param name="stray">A layer that is not there; empty for none.</param>
    public static void WriteLora(string path, string stray = "")
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var parts = new Dictionary<string, Tensor>
        {
            ["diffusion_model.blocks.0.self_attn.q.lora_A.weight"] = randn([2, 128], generator: generator),
            ["diffusion_model.blocks.0.self_attn.q.lora_B.weight"] = randn([128, 2], generator: generator),
            ["diffusion_model.head.head.diff_b"] = randn([64], generator: generator),
        };
        if (stray.Length > 0) (parts[stray + ".lora_A.weight"], parts[stray + ".lora_B.weight"]) = (zeros(2, 128), zeros(48, 2));
        WeightSaver.Save(parts, path);
    }

    /// <summary>Gives transformer and text encoder the values that <see cref="WriteGguf"/> has stored, which are not quite their own.</summary>
    /// <param name="transformer">The transformer's file.</param>
    public void TakeStored(string transformer)
    {
        using (var weights = Checkpoint.Open(transformer).OrThrow()) WeightLoader.Load(Transformer, weights, WanTransformerKeys.FromOriginal);
        var text = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(transformer))!, "text_encoders", "umt5-xxl.gguf");
        using (var weights = Checkpoint.Open(text).OrThrow()) WeightLoader.LoadParts(Text, weights, UMT5Keys.ToHuggingFace);
    }

    public void Dispose()
    {
        foreach (var network in Networks) network.Dispose();
    }

    private IEnumerable<nn.Module> Networks => new nn.Module?[] { Transformer, LowNoise, Vae, Text, Image }.OfType<nn.Module>();

    private string OriginalVae(string key) => TinyNames.OriginalVae(key, Vae.Config.IsResidual);

    private static Dictionary<string, Tensor> Named(nn.Module network, Func<string, string> name) =>
        network.state_dict().ToDictionary(pair => name(pair.Key), pair => pair.Value, StringComparer.Ordinal);

    private static void Write(string file, nn.Module network, Func<string, string> name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        WeightSaver.Save(Named(network, name), file);
    }

    private static void Diffusers(string folder, string network, nn.Module module, string config)
    {
        var path = Directory.CreateDirectory(Path.Combine(folder, network)).FullName;
        WeightSaver.Save(module, Path.Combine(path, "model.safetensors"));
        File.WriteAllText(Path.Combine(path, "config.json"), config);
    }

    private WanTransformer Made(Generator generator)
    {
        var (input, output) = Line switch
        {
            WanLine.TextImageToVideo22 => (48, 48),
            WanLine.TextToVideo or WanLine.Vace => (16, 16),
            _ => (36, 16),
        };
        var image = Image is not null;
        var network = new WanTransformer(new WanTransformerConfig
        {
            NumAttentionHeads = wide ? 2 : 1, AttentionHeadDim = 128, InChannels = input, OutChannels = output, TextDim = Text.Config.DModel, FreqDim = 32,
            FfnDim = wide ? Wide : 48, NumLayers = 2,
            ImageDim = image ? 80 : null, AddedKvProjDim = image ? 128 : null, PosEmbedSeqLen = Line == WanLine.FirstLastFrame21 ? 10 : null,
            VaceLayers = Line == WanLine.Vace ? [0, 1] : null, VaceInChannels = Line == WanLine.Vace ? 96 : null,
        });
        network.Initialize(generator);
        // A head of zero, right for training, would predict nothing.
        foreach (var (name, parameter) in network.named_parameters())
            if (name.StartsWith("proj_out.", StringComparison.Ordinal)) parameter.copy_(randn(parameter.shape, generator: generator) * 0.1);
        return network;
    }
}
