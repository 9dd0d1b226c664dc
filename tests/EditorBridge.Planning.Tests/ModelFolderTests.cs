using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using EditorBridge.Tests.Models;

namespace EditorBridge.Planning.Tests;

public sealed class ModelFolderTests : IDisposable
{
    private static readonly ModelSettings Settings = ModelSettings.Ti2v with { Sizes = [new CanvasSize(64, 32)], MaxFrames = 17, MaxContextFrames = 9, Steps = 3, Guidance = 2 };

    private static readonly WanTransformerConfig Transformer = new()
    {
        NumAttentionHeads = 2, AttentionHeadDim = 64, InChannels = 48, OutChannels = 48, TextDim = 32, TextLen = 64, FfnDim = 64, NumLayers = 2,
    };

    private static readonly WanVaeConfig Vae = WanVaeConfig.Wan22 with { BaseDim = 4, DecoderBaseDim = 8 };

    private static readonly UMT5Config Text = new() { VocabSize = 8, DModel = 32, DKv = 8, DFf = 16, NumHeads = 2, NumLayers = 1 };

    private readonly string folder = Directory.CreateTempSubdirectory("editorbridge-model-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_folder_says_what_the_model_can_do()
    {
        Lay(Settings);
        var model = ModelFolder.Read(folder, "tiny").OrThrow();
        Assert.Equal(("tiny", 17, 9, 3, 2.0), (model.Name, model.MaxFrames, model.MaxContextFrames, model.DefaultSteps, model.DefaultGuidance));
        Assert.Equal([new CanvasSize(64, 32)], model.Sizes);
        Assert.Equal((Values(NetworkTensors.Transformer(Transformer)), Values(NetworkTensors.TextEncoder(Text)), Values(NetworkTensors.Vae(Vae))), (model.TransformerParameters, model.TextEncoderParameters, model.VaeParameters));
        Assert.Equal((128, 2, 8, 64), (model.Dim, model.Layers, model.VaeDecoderBase, model.TextLength));
        Assert.Equal(64, model.Hash.Length);
    }

    [Fact]
    public void Other_weights_have_another_hash()
    {
        Lay(Settings);
        var first = ModelFolder.Read(folder, "tiny").OrThrow().Hash;
        Assert.Equal(first, ModelFolder.Read(folder, "tiny").OrThrow().Hash);
        Weights("vae", NetworkTensors.Vae(Vae), value: 7);
        Assert.NotEqual(first, ModelFolder.Read(folder, "tiny").OrThrow().Hash);
    }

    [Fact]
    public void Without_settings_it_is_taken_for_the_published_model()
    {
        Lay(null);
        var model = ModelFolder.Read(folder, "wan").OrThrow();
        Assert.Equal((121, 50), (model.MaxFrames, model.DefaultSteps));
        Assert.Equal(ContextSupport.BestEffort, model.After);
    }

    [Fact]
    public void What_is_wrong_is_named()
    {
        Assert.Contains("transformer", ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
        Assert.Contains("no model folder", ModelFolder.Read(folder + "-not", "x").Problem, StringComparison.Ordinal);
        Lay(Settings with { Sizes = [new CanvasSize(208, 208)] });
        Assert.Contains("208x208", ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
        Lay(Settings with { MaxFrames = 16 });
        Assert.Contains("4n+1", ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
        Lay(Settings);
        File.WriteAllText(Path.Combine(folder, ModelSettings.FileName), "{ not json");
        Assert.Contains(ModelSettings.FileName, ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
        Lay(Settings);
        File.Delete(Path.Combine(folder, "tokenizer", "spiece.model"));
        Assert.Contains("spiece.model", ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
        Lay(Settings);
        using (var weights = File.OpenWrite(Path.Combine(folder, "transformer", "model.safetensors"))) weights.SetLength(40);
        Assert.Contains("model.safetensors", ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_that_is_not_in_the_files_is_named()
    {
        foreach (var (network, tensors, missing) in ((string, IReadOnlyDictionary<string, WantedTensor>, string)[])
                 [
                     ("transformer", NetworkTensors.Transformer(Transformer), "blocks.1.attn2.to_k.weight"),
                     ("vae", NetworkTensors.Vae(Vae), "decoder.up_blocks.0.upsampler.time_conv.bias"),
                     ("text_encoder", NetworkTensors.TextEncoder(Text), "encoder.final_layer_norm.weight"),
                 ])
        {
            Lay(Settings);
            Weights(network, tensors, without: missing);
            var problem = ModelFolder.Read(folder, "x").Problem;
            Assert.Contains($"'{missing}' is missing; download it again", problem, StringComparison.Ordinal);
            Assert.Contains(Path.Combine(folder, network), problem, StringComparison.Ordinal);
        }

        Lay(Settings);
        File.WriteAllText(Path.Combine(folder, "transformer", "config.json"), ConfigFile.Write(Transformer with { FfnDim = 65 }));
        Assert.Contains("is [64, 128], the network has [65, 128]", ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "transformer", "config.json"), ConfigFile.Write(Transformer with { NumLayers = int.MaxValue }));
        Assert.Contains("too few for 2147483647 blocks", ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_file_leaves_out_is_as_published()
    {
        Lay(null);
        ModelCapabilities Read(string json)
        {
            File.WriteAllText(Path.Combine(folder, ModelSettings.FileName), json);
            return ModelFolder.Read(folder, "x").OrThrow();
        }

        // As the README has it.
        var model = Read("""{"presets": {"draft": {"sampler": "lcm", "timesteps": [1000, 750, 500, 250], "shift": 5, "guidance": 1}}}""");
        Assert.Equal((121, 50, 5.0, "unipc"), (model.MaxFrames, model.DefaultSteps, model.DefaultGuidance, model.DefaultSampler));
        Assert.Equal([1000, 750, 500, 250], SamplingPresets.Of(model, "draft").Timesteps!);
        Assert.Equal(VaePrecision.Float32, model.VaePrecision);
        Assert.Equal(VaePrecision.BFloat16, Read("""{"vaePrecision": "bfloat16"}""").VaePrecision);
        model = Read("""{"steps": 8, "canvasRate": "25", "negativePrompt": null, "sizes": null}""");
        Assert.Equal((8, 25, ModelSettings.Ti2v.NegativePrompt), (model.DefaultSteps, model.CanvasRate.Numerator, model.DefaultNegativePrompt));
        Assert.Equal(ModelSettings.Ti2v.Sizes, model.Sizes);
        foreach (var (json, told) in ((string, string)[])
            [("""{"stesp": 4}""", "'stesp'"), ("""{"steps": 4, "steps": 5}""", "steps"), ("[]", "object"), ("null", "object"), ("""{"steps": "many"}""", "steps"), ("""{"sizes": []}""", "sizes")])
        {
            File.WriteAllText(Path.Combine(folder, ModelSettings.FileName), json);
            Assert.Contains(told, ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Presets_of_its_own_are_read_and_checked()
    {
        Lay(Settings with { Presets = new Dictionary<string, SamplingPreset> { ["draft"] = new() { Timesteps = [1000, 500], Sampler = "lcm", Guidance = 1 } } });
        var preset = SamplingPresets.Of(ModelFolder.Read(folder, "tiny").OrThrow(), "draft");
        Assert.Equal(("lcm", 1.0), (preset.Sampler, preset.Guidance));
        Assert.Equal([1000, 500], preset.Timesteps!);
        foreach (var (name, wrong, told) in ((string, SamplingPreset, string)[])
                 [
                     ("best", new(), "'best'"), ("draft", new() { Steps = 0 }, "steps"), ("final", new() { GuidanceUntil = 2 }, "guidanceUntil"),
                     ("draft", new() { StepCache = new() { Method = "magcache" } }, "stepCache"), ("draft", new() { Timesteps = [1000, 500], Sampler = "unipc" }, "timesteps"),
                     ("draft", new() { StepCache = new() { Method = "teacache" } }, "teaCacheCoefficients"),
                 ])
        {
            Lay(Settings with { Presets = new Dictionary<string, SamplingPreset> { [name] = wrong } });
            Assert.Contains(told, ModelFolder.Read(folder, "x").Problem, StringComparison.Ordinal);
        }
    }

    private void Lay(ModelSettings? settings)
    {
        foreach (var part in (string[])["transformer", "vae", "text_encoder", "tokenizer"]) Directory.CreateDirectory(Path.Combine(folder, part));
        File.WriteAllText(Path.Combine(folder, "vae", "config.json"), ConfigFile.Write(Vae));
        File.WriteAllText(Path.Combine(folder, "transformer", "config.json"), ConfigFile.Write(Transformer));
        File.WriteAllText(Path.Combine(folder, "text_encoder", "config.json"), ConfigFile.Write(Text));
        Weights("transformer", NetworkTensors.Transformer(Transformer));
        Weights("vae", NetworkTensors.Vae(Vae));
        Weights("text_encoder", NetworkTensors.TextEncoder(Text));
        File.WriteAllText(Path.Combine(folder, "tokenizer", "spiece.model"), "pieces");
        if (settings is not null) File.WriteAllText(Path.Combine(folder, ModelSettings.FileName), ModelFolder.Write(settings));
    }

    private void Weights(string network, IReadOnlyDictionary<string, WantedTensor> tensors, byte value = 1, string? without = null) =>
        BlankNetworks.Write(Path.Combine(folder, network, "model.safetensors"), tensors, name => name == without ? null : name, value);

    private static long Values(IReadOnlyDictionary<string, WantedTensor> tensors) => tensors.Values.Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size));
}
