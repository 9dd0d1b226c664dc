using EditorBridge.Models.Variants;

namespace EditorBridge.Models.Checkpoints;

/// <summary>How the files of a model are laid out.</summary>
public enum ModelLayout
{
    /// <summary>A folder a network, each with its <c>config.json</c>.</summary>
    Diffusers,

    /// <summary>As its authors published it: transformer shards, pickled encoders and VAE.</summary>
    Original,

    /// <summary>Single files in a folder for each kind of network, several models side by side.</summary>
    ComfyUI,
}

/// <summary>Where the networks of a model lie: each is a path that <see cref="Checkpoint.Open"/> takes.</summary>
public sealed record ModelParts
{
    /// <summary>How the files are laid out.</summary>
    public required ModelLayout Layout { get; init; }

    /// <summary>The transformer; of a model with two experts the one for high noise.</summary>
    public required string Transformer { get; init; }

    /// <summary>The expert for low noise; null for a model with one transformer.</summary>
    public string? LowNoiseTransformer { get; init; }

    /// <summary>The video VAE.</summary>
    public required string Vae { get; init; }

    /// <summary>The text encoder.</summary>
    public required string TextEncoder { get; init; }

    /// <summary>The image encoder of the 2.1 image models; null without.</summary>
    public string? ImageEncoder { get; init; }

    /// <summary>The SentencePiece file of the text encoder; null where it is packed into the encoder's file, as tensor <c>spiece_model</c>.</summary>
    public required string? Tokenizer { get; init; }

    /// <summary>The networks that there are, with what each is.</summary>
    public IEnumerable<(string Path, NetworkKind Kind)> Networks
    {
        get
        {
            yield return (Transformer, NetworkKind.Transformer);
            if (LowNoiseTransformer is not null) yield return (LowNoiseTransformer, NetworkKind.Transformer);
            yield return (Vae, NetworkKind.Vae);
            yield return (TextEncoder, NetworkKind.TextEncoder);
            if (ImageEncoder is not null) yield return (ImageEncoder, NetworkKind.ImageEncoder);
        }
    }

    /// <summary>Finds the networks of a model.</summary>
    /// <param name="path">The model's folder, or one of its transformer files in ComfyUI's folders.</param>
    /// <returns>Where they are, or which one is missing.</returns>
    public static ReadResult<ModelParts> Find(string path)
    {
        try
        {
            return File.Exists(path) ? ComfyParts.Around(path) : InFolder(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ReadResult<ModelParts>.Failed($"'{path}' cannot be read: {e.Message}");
        }
    }

    private static ReadResult<ModelParts> InFolder(string folder)
    {
        if (!Directory.Exists(folder))
            return ReadResult<ModelParts>.Failed($"There is no model folder '{folder}'.");
        if (Directory.Exists(Path.Combine(folder, "transformer")) || File.Exists(Path.Combine(folder, "model_index.json")))
            return Checked(folder, Diffusers(folder));
        var text = One(folder, "models_t5_*");
        if (text is null)
            return ReadResult<ModelParts>.Failed(
                $"'{folder}' is no model folder: it has neither 'transformer/', as Diffusers lays models out, nor 'models_t5_….pth', as their authors do.");
        return Checked(folder, Original(folder, text));
    }

    private static ModelParts Diffusers(string folder) => new()
    {
        Layout = ModelLayout.Diffusers,
        Transformer = Path.Combine(folder, "transformer"),
        LowNoiseTransformer = Existing(Path.Combine(folder, "transformer_2")),
        Vae = Path.Combine(folder, "vae"),
        TextEncoder = Path.Combine(folder, "text_encoder"),
        ImageEncoder = Existing(Path.Combine(folder, "image_encoder")),
        Tokenizer = Path.Combine(folder, "tokenizer", "spiece.model"),
    };

    private static ModelParts Original(string folder, string text)
    {
        var low = Existing(Path.Combine(folder, "low_noise_model"));
        return new()
        {
            Layout = ModelLayout.Original,
            Transformer = low is null ? folder : Path.Combine(folder, "high_noise_model"),
            LowNoiseTransformer = low,
            Vae = One(folder, "Wan2.?_VAE.*") ?? Path.Combine(folder, "Wan2.1_VAE.pth"),
            TextEncoder = text,
            ImageEncoder = One(folder, "models_clip_*"),
            Tokenizer = Path.Combine(folder, "google", "umt5-xxl", "spiece.model"),
        };
    }

    private static ReadResult<ModelParts> Checked(string folder, ModelParts parts)
    {
        foreach (var part in (string?[])[parts.Transformer, parts.LowNoiseTransformer, parts.Vae, parts.TextEncoder, parts.ImageEncoder, parts.Tokenizer])
            if (part is not null && !File.Exists(part) && !Directory.Exists(part))
                return ReadResult<ModelParts>.Failed($"There is no '{Path.GetRelativePath(folder, part)}' in '{folder}'; the model is incomplete.");
        return ReadResult<ModelParts>.Of(parts);
    }

    private static string? Existing(string folder) => Directory.Exists(folder) ? folder : null;

    // The same file may lie there twice, pickled and as safetensors: the latter says more of itself.
    private static string? One(string folder, string pattern) => Directory.GetFiles(folder, pattern)
        .Where(path => Path.GetExtension(path) is ".safetensors" or ".gguf" or ".pth" or ".pt")
        .OrderByDescending(path => Path.GetExtension(path) == ".safetensors").ThenBy(path => path, StringComparer.Ordinal).FirstOrDefault();
}
