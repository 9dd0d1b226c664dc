using EditorBridge.Diffusion.Images;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>
/// A Wan model in memory, of any variant and from files in any layout: tokenizer, text encoder, one transformer or two, VAE and, for models that look at pictures,
/// image encoder; computing in float32 on one device. Small networks are unpacked in memory, the weights of large ones stay mapped. Loaded once a process and used by one thread at a time.
/// </summary>
public sealed class LoadedModel : IDisposable
{
    private LoadedModel(ModelCapabilities capabilities, ComputeDevice device, SentencePieceTokenizer tokenizer, ModelNetworks networks)
    {
        Device = device;
        Capabilities = capabilities;
        Tokenizer = tokenizer;
        Networks = networks;
    }

    /// <summary>What planning knows of it.</summary>
    public ModelCapabilities Capabilities { get; }

    /// <summary>Where the networks are.</summary>
    public ComputeDevice Device { get; }

    /// <summary>Prompt to pieces.</summary>
    public SentencePieceTokenizer Tokenizer { get; }

    /// <summary>Pieces to features.</summary>
    public UMT5Encoder TextEncoder => Networks.TextEncoder;

    /// <summary>The diffusion transformer; of two experts that for high noise.</summary>
    public WanTransformer Transformer => Networks.Transformer;

    /// <summary>The expert for low noise; null for models with one transformer.</summary>
    public WanTransformer? LowNoiseTransformer => Networks.LowNoiseTransformer;

    /// <summary>The video VAE.</summary>
    public WanVideoVae Vae => Networks.Vae;

    /// <summary>What looks at given pictures; null for models that do not.</summary>
    public ClipVisionTower? ImageEncoder => Networks.ImageEncoder;

    /// <summary>How its transformers were placed; null where nobody asked.</summary>
    public MemoryArrangement? Arrangement { get; private init; }

    /// <summary>The LoRAs that were added to it.</summary>
    public IReadOnlyList<LoraRequest> Loras { get; private init; } = [];

    /// <summary>What came of adding them, a sentence each.</summary>
    public IReadOnlyList<string> LoraNotes { get; private init; } = [];

    private ModelNetworks Networks { get; }

    /// <summary>The transformers with the noise levels they are for.</summary>
    /// <param name="sampling">Guidance of each.</param>
    public IReadOnlyList<Expert> Experts(SamplingPlan sampling) => LowNoiseTransformer is { } low
        ? [new Expert(Transformer, sampling.Guidance, Capabilities.Boundary!.Value * 1000), new Expert(low, sampling.LowNoiseGuidance ?? sampling.Guidance)]
        : [new Expert(Transformer, sampling.Guidance)];

    /// <summary>Loads a model.</summary>
    /// <param name="location">Its folder, or its transformer file in ComfyUI's folders.</param>
    /// <param name="name">The model's name in the catalogue.</param>
    /// <param name="device">A device of <see cref="ComputeDevice.Choose(string)"/>; for "auto", the best one there is.</param>
    /// <param name="loras">LoRAs to add, one after the other.</param>
    /// <param name="arrangement">Where the transformers' weights are on a GPU; null to go by what is free there.</param>
    /// <exception cref="GenerationException">Model, device or a LoRA cannot be used; the message says why.</exception>
    public static LoadedModel Load(string location, string name, string device, IReadOnlyList<LoraRequest>? loras = null, MemoryArrangement? arrangement = null)
    {
        var chosen = ComputeDevice.Choose(device);
        if (!chosen.Ok) throw new GenerationException("device_unusable", chosen.Problem);
        var capabilities = ModelFolder.Read(location, name);
        if (!capabilities.Ok) throw new GenerationException("model_unusable", capabilities.Problem);
        // Looked at before the first weight goes there.
        FreeMemory.Now(chosen.Value);
        ModelNetworks? networks = null;
        try
        {
            using var noGrad = no_grad();
            var parts = ModelParts.Find(location).OrThrow();
            var tokenizer = parts.Tokenizer is { } file ? SentencePieceTokenizer.Load(file) : SentencePieceTokenizer.LoadPacked(parts.TextEncoder);
            networks = ModelNetworks.Load(parts, chosen.Value.Device, arrangement);
            if (tokenizer.VocabularySize > networks.TextEncoder.Config.VocabSize)
                throw new InvalidDataException($"the tokenizer has {tokenizer.VocabularySize} pieces, the text encoder {networks.TextEncoder.Config.VocabSize} rows");
            var notes = (loras ?? []).SelectMany(lora => LoraAddition.Add(lora, networks)).ToList();
            return new LoadedModel(capabilities.Value, chosen.Value, tokenizer, networks) { Arrangement = arrangement, Loras = loras ?? [], LoraNotes = notes };
        }
        catch (GenerationException)
        {
            networks?.Dispose();
            throw;
        }
        catch (Exception error) when (error is InvalidDataException or NotSupportedException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            networks?.Dispose();
            throw new GenerationException("model_unusable", $"The model '{name}' in '{location}' cannot be loaded: {error.Message.TrimEnd('.')}.", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Networks.Dispose();
}
