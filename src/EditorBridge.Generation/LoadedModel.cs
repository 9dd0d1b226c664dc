using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>
/// A Wan 2.2 TI2V model: tokenizer, text encoder, transformer and VAE, computing in float32 on one device. Small ones are unpacked in memory, the weights of large
/// ones stay mapped. Loaded once a process and used by one thread at a time.
/// </summary>
public sealed class LoadedModel : IDisposable
{
    private LoadedModel(
        ModelCapabilities capabilities, ComputeDevice device, SentencePieceTokenizer tokenizer, UMT5Encoder textEncoder, WanTransformer transformer, WanVideoVae vae)
    {
        Device = device;
        Capabilities = capabilities;
        Tokenizer = tokenizer;
        TextEncoder = textEncoder;
        Transformer = transformer;
        Vae = vae;
    }

    /// <summary>What planning knows of it.</summary>
    public ModelCapabilities Capabilities { get; }

    /// <summary>Where the networks are.</summary>
    public ComputeDevice Device { get; }

    /// <summary>Prompt to pieces.</summary>
    public SentencePieceTokenizer Tokenizer { get; }

    /// <summary>Pieces to features.</summary>
    public UMT5Encoder TextEncoder { get; }

    /// <summary>The diffusion transformer.</summary>
    public WanTransformer Transformer { get; }

    /// <summary>The video VAE.</summary>
    public WanVideoVae Vae { get; }

    /// <summary>Loads a model folder in Diffusers layout.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The model's name in the catalogue.</param>
    /// <param name="device">A device of <see cref="ComputeDevice.Choose(string)"/>; for "auto", the best one there is.</param>
    /// <exception cref="GenerationException">Folder or device cannot be used; the message says why.</exception>
    public static LoadedModel Load(string folder, string name, string device)
    {
        var chosen = ComputeDevice.Choose(device);
        if (!chosen.Ok) throw new GenerationException("device_unusable", chosen.Problem);
        var place = chosen.Value;
        var capabilities = ModelFolder.Read(folder, name);
        if (!capabilities.Ok) throw new GenerationException("model_unusable", capabilities.Problem);
        UMT5Encoder? text = null;
        WanTransformer? transformer = null;
        WanVideoVae? vae = null;
        try
        {
            using var noGrad = no_grad();
            var tokenizer = SentencePieceTokenizer.Load(Path.Combine(folder, "tokenizer", "spiece.model"));
            var textFolder = Path.Combine(folder, "text_encoder");
            using var textWeights = Checkpoint.Open(textFolder).OrThrow();
            text = UMT5Encoder.Load(ConfigFile.ReadTextEncoder(Path.Combine(textFolder, "config.json")).OrThrow(), textWeights, place.Device);
            var transformerFolder = Path.Combine(folder, "transformer");
            transformer = WanTransformer.Load(transformerFolder, place.Device);
            vae = WanVideoVae.Load(Path.Combine(folder, "vae"), place.Device);
            if (tokenizer.VocabularySize > text.Config.VocabSize)
                throw new InvalidDataException($"the tokenizer has {tokenizer.VocabularySize} pieces, the text encoder {text.Config.VocabSize} rows");
            if (transformer.Config.InChannels != vae.Config.ZDim || transformer.Config.TextDim != text.Config.DModel)
                throw new InvalidDataException("its networks do not go together: latent channels or text width differ");
            foreach (var module in (nn.Module[])[text, transformer, vae])
            {
                module.eval();
                foreach (var parameter in module.parameters())
                {
                    parameter.requires_grad = false;
                    // The weights outlive whatever scope the caller has open.
                    parameter.DetachFromDisposeScope();
                }

                foreach (var buffer in module.buffers()) buffer.DetachFromDisposeScope();
            }

            return new LoadedModel(capabilities.Value, place, tokenizer, text, transformer, vae);
        }
        catch (Exception error) when (error is InvalidDataException or NotSupportedException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            text?.Dispose();
            transformer?.Dispose();
            vae?.Dispose();
            throw new GenerationException("model_unusable", $"The model '{name}' in '{folder}' cannot be loaded: {error.Message.TrimEnd('.')}.", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        TextEncoder.Dispose();
        Transformer.Dispose();
        Vae.Dispose();
    }
}
