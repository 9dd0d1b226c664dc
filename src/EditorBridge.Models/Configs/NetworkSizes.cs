using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Configs;

/// <summary>
/// The sizes of a model's networks, whatever layout its files have: from the <c>config.json</c> of a Diffusers folder, else from the tensors. (The
/// authors' own <c>config.json</c> has other fields, and says no more than the tensors do.)
/// </summary>
public static class NetworkSizes
{
    /// <summary>The sizes of a diffusion transformer.</summary>
    /// <param name="path">Its file or folder.</param>
    /// <param name="layout">How the model's files are laid out.</param>
    public static ReadResult<WanTransformerConfig> Transformer(string path, ModelLayout layout) =>
        Of(path, layout, ConfigFile.ReadTransformer, ConfigFromTensors.Transformer);

    /// <summary>The sizes of a video VAE.</summary>
    /// <inheritdoc cref="Transformer" path="/param"/>
    public static ReadResult<WanVaeConfig> Vae(string path, ModelLayout layout) => Of(path, layout, ConfigFile.ReadVae, ConfigFromTensors.Vae);

    /// <summary>The sizes of a text encoder.</summary>
    /// <inheritdoc cref="Transformer" path="/param"/>
    public static ReadResult<UMT5Config> TextEncoder(string path, ModelLayout layout) =>
        Of(path, layout, ConfigFile.ReadTextEncoder, ConfigFromTensors.TextEncoder);

    /// <summary>The sizes of an image encoder.</summary>
    /// <inheritdoc cref="Transformer" path="/param"/>
    public static ReadResult<ClipVisionConfig> ImageEncoder(string path, ModelLayout layout) =>
        Of(path, layout, ConfigFile.ReadImageEncoder, ConfigFromTensors.ImageEncoder);

    private static ReadResult<T> Of<T>(string path, ModelLayout layout, Func<string, ReadResult<T>> fromConfig, Func<INamedTensors, ReadResult<T>> fromTensors)
        where T : class
    {
        var config = Path.Combine(path, "config.json");
        if (layout == ModelLayout.Diffusers && File.Exists(config)) return fromConfig(config);
        var weights = Checkpoint.Open(path);
        if (!weights.Ok) return ReadResult<T>.Failed(weights.Problem);
        using (weights.Value) return fromTensors(weights.Value);
    }
}
