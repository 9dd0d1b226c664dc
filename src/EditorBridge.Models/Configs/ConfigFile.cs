using System.Text.Json;
using System.Text.Json.Serialization;

namespace EditorBridge.Models.Configs;

/// <summary>Reads and writes <c>config.json</c> of the networks.</summary>
public static class ConfigFile
{
    // By reflection: the source generator overwrites the defaults of init properties that a file leaves out.
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    /// <summary>Reads the sizes of a video VAE.</summary>
    /// <param name="path">Its <c>config.json</c>.</param>
    public static ReadResult<WanVaeConfig> ReadVae(string path) => Read<WanVaeConfig>(path, config => config.Problem());

    /// <summary>Reads the sizes of a diffusion transformer.</summary>
    /// <param name="path">Its <c>config.json</c>.</param>
    public static ReadResult<WanTransformerConfig> ReadTransformer(string path)
        => Read<WanTransformerConfig>(path, config => config.Problem());

    /// <summary>Reads the sizes of a text encoder.</summary>
    /// <param name="path">Its <c>config.json</c>.</param>
    public static ReadResult<UMT5Config> ReadTextEncoder(string path) => Read<UMT5Config>(path, config => config.Problem());

    /// <summary>Reads the sizes of a CLIP vision tower.</summary>
    /// <param name="path">Its <c>config.json</c>.</param>
    public static ReadResult<ClipVisionConfig> ReadImageEncoder(string path) => Read<ClipVisionConfig>(path, config => config.Problem());

    /// <summary>The sizes of a CLIP vision tower in JSON that is part of something else.</summary>
    /// <inheritdoc cref="Vae" path="/param"/>
    public static ReadResult<ClipVisionConfig> ImageEncoder(JsonElement json, string source) => Of<ClipVisionConfig>(json, source, config => config.Problem());

    /// <summary>The sizes of a video VAE in JSON that is part of something else.</summary>
    /// <param name="json">What its <c>config.json</c> would hold.</param>
    /// <param name="source">What to call it in a problem.</param>
    public static ReadResult<WanVaeConfig> Vae(JsonElement json, string source) => Of<WanVaeConfig>(json, source, config => config.Problem());

    /// <summary>The sizes of a diffusion transformer in JSON that is part of something else.</summary>
    /// <inheritdoc cref="Vae" path="/param"/>
    public static ReadResult<WanTransformerConfig> Transformer(JsonElement json, string source)
        => Of<WanTransformerConfig>(json, source, config => config.Problem());

    /// <summary>The sizes of a text encoder in JSON that is part of something else.</summary>
    /// <inheritdoc cref="Vae" path="/param"/>
    public static ReadResult<UMT5Config> TextEncoder(JsonElement json, string source) => Of<UMT5Config>(json, source, config => config.Problem());

    /// <summary>The sizes of a video VAE as Diffusers writes them.</summary>
    /// <param name="config">The sizes.</param>
    public static string Write(WanVaeConfig config) => Write(config, "AutoencoderKLWan", "_class_name");

    /// <summary>The sizes of a diffusion transformer as Diffusers writes them.</summary>
    /// <param name="config">The sizes.</param>
    public static string Write(WanTransformerConfig config)
        => Write(config, config.VaceLayers is null ? "WanTransformer3DModel" : "WanVACETransformer3DModel", "_class_name");

    /// <summary>The sizes of a text encoder as Hugging Face writes them.</summary>
    /// <param name="config">The sizes.</param>
    public static string Write(UMT5Config config) => Write(config, "umt5", "model_type");

    /// <summary>The sizes of a CLIP vision tower as Hugging Face writes them.</summary>
    /// <param name="config">The sizes.</param>
    public static string Write(ClipVisionConfig config) => Write(config, "clip_vision_model", "model_type");

    private static ReadResult<T> Read<T>(string path, Func<T, string?> problem)
        where T : class
    {
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length > 1 << 20)
                return ReadResult<T>.Failed($"'{path}' is {stream.Length} bytes long, too much for a config.json.");
            using var json = JsonDocument.Parse(stream);
            return Of(json.RootElement, path, problem);
        }
        catch (JsonException e)
        {
            return ReadResult<T>.Failed($"'{path}' is not the config of this network: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ReadResult<T>.Failed($"'{path}' cannot be read: {e.Message}");
        }
    }

    private static ReadResult<T> Of<T>(JsonElement json, string source, Func<T, string?> problem)
        where T : class
    {
        try
        {
            var config = json.Deserialize<T>(Options);
            return config is null ? ReadResult<T>.Failed($"'{source}' is empty.")
                : problem(config) is { } why ? ReadResult<T>.Failed($"'{source}' cannot be used: {why}.")
                : ReadResult<T>.Of(config);
        }
        catch (JsonException e)
        {
            return ReadResult<T>.Failed($"'{source}' is not the config of this network: {e.Message}");
        }
    }

    private static string Write<T>(T config, string kind, string kindField)
    {
        var json = JsonSerializer.SerializeToNode(config, Options)!.AsObject();
        json.Insert(0, kindField, kind);
        return json.ToJsonString(Options) + "\n";
    }
}
