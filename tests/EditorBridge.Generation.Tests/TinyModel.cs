using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Configs;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation.Tests;

/// <summary>A model folder with very small networks of random weights, whose outputs depend on everything they are given; made once for all tests.</summary>
public sealed class TinyModel : IDisposable
{
    private const string Name = "tiny";

    public static readonly ModelSettings Settings = ModelSettings.Ti2v with
    {
        Sizes = [new CanvasSize(64, 32), new CanvasSize(32, 64)],
        MaxFrames = 33,
        Before = ContextSupport.Trained,
        After = ContextSupport.Trained,
        MaxContextFrames = 9,
        Steps = 3,
        Guidance = 3,
        NegativePrompt = "",
    };

    public TinyModel()
    {
        NativeTorch.Load();
        Folder = Directory.CreateTempSubdirectory("editorbridge-tiny-").FullName;
        Make();
        Model = LoadedModel.Load(Folder, Name, "cpu");
    }

    public string Folder { get; }

    public LoadedModel Model { get; }

    public void Dispose()
    {
        Model.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private void Make()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var generator = new Generator(1);

        using var vae = new WanVideoVae(WanVaeConfig.Wan22 with
        {
            BaseDim = 8,
            DecoderBaseDim = 8,
            ZDim = 48,
            LatentsMean = Enumerable.Repeat(0.1, 48).ToArray(),
            LatentsStd = Enumerable.Repeat(1.5, 48).ToArray(),
        });
        vae.Initialize();
        vae.Save(Path.Combine(Folder, "vae"));

        var transformerConfig = new WanTransformerConfig
        {
            NumAttentionHeads = 2,
            AttentionHeadDim = 24,
            InChannels = 48,
            OutChannels = 48,
            TextDim = 16,
            TextLen = 32,
            FreqDim = 32,
            FfnDim = 64,
            NumLayers = 2,
        };
        using var transformer = new WanTransformer(transformerConfig);
        transformer.Initialize(generator);
        // A head of zero, right for training, would predict nothing.
        foreach (var (name, parameter) in transformer.named_parameters())
            if (name.StartsWith("proj_out", StringComparison.Ordinal)) parameter.copy_(randn(parameter.shape, generator: generator) * 0.1);
        Save(transformer, "transformer", ConfigFile.Write(transformerConfig));

        var textConfig = new UMT5Config { VocabSize = 1024, DModel = 16, DKv = 8, DFf = 32, NumHeads = 2, NumLayers = 1 };
        using var text = new UMT5Encoder(textConfig);
        text.Initialize(generator);
        Save(text, "text_encoder", ConfigFile.Write(textConfig));

        Directory.CreateDirectory(Path.Combine(Folder, "tokenizer"));
        File.Copy(Path.Combine(AppContext.BaseDirectory, "spiece.model"), Path.Combine(Folder, "tokenizer", "spiece.model"));
        File.WriteAllText(Path.Combine(Folder, ModelSettings.FileName), ModelFolder.Write(Settings));
    }

    private void Save(nn.Module module, string network, string config)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, network)).FullName;
        WeightSaver.Save(module, Path.Combine(folder, "model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "config.json"), config);
    }
}

/// <summary>Tests that run networks: one model, one after the other, since threads and the count of live tensors are the process's.</summary>
[CollectionDefinition(Name)]
public sealed class Networks : ICollectionFixture<TinyModel>
{
    public const string Name = "networks";
}
