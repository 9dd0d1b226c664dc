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
    public static ReadResult<Wan22VaeConfig> ReadVae(string path) => Read<Wan22VaeConfig>(
        path, (config, json) => config.Problem()
            // Configs of 2.1 do not mention it, so a default would let them through.
            ?? (json.TryGetProperty("is_residual", out _) ? null : "it has no 'is_residual': this is the layout of Wan 2.1, not 2.2"));

    /// <summary>Reads the sizes of a diffusion transformer.</summary>
    /// <param name="path">Its <c>config.json</c>.</param>
    public static ReadResult<WanTransformerConfig> ReadTransformer(string path)
        => Read<WanTransformerConfig>(path, (config, _) => config.Problem());

    /// <summary>Reads the sizes of a text encoder.</summary>
    /// <param name="path">Its <c>config.json</c>.</param>
    public static ReadResult<UMT5Config> ReadTextEncoder(string path) => Read<UMT5Config>(path, (config, _) => config.Problem());

    /// <summary>The sizes of a video VAE as Diffusers writes them.</summary>
    /// <param name="config">The sizes.</param>
    public static string Write(Wan22VaeConfig config) => Write(config, "AutoencoderKLWan", "_class_name");

    /// <summary>The sizes of a diffusion transformer as Diffusers writes them.</summary>
    /// <param name="config">The sizes.</param>
    public static string Write(WanTransformerConfig config)
        => Write(config, "WanTransformer3DModel", "_class_name");

    /// <summary>The sizes of a text encoder as Hugging Face writes them.</summary>
    /// <param name="config">The sizes.</param>
    public static string Write(UMT5Config config) => Write(config, "umt5", "model_type");

    private static ReadResult<T> Read<T>(string path, Func<T, JsonElement, string?> problem)
        where T : class
    {
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.Length > 1 << 20)
                return ReadResult<T>.Failed($"'{path}' is {stream.Length} bytes long, too much for a config.json.");
            using var json = JsonDocument.Parse(stream);
            var config = json.Deserialize<T>(Options);
            return config is null ? ReadResult<T>.Failed($"'{path}' is empty.")
                : problem(config, json.RootElement) is { } why ? ReadResult<T>.Failed($"'{path}' cannot be used: {why}.")
                : ReadResult<T>.Of(config);
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

    private static string Write<T>(T config, string kind, string kindField)
    {
        var json = JsonSerializer.SerializeToNode(config, Options)!.AsObject();
        json.Insert(0, kindField, kind);
        return json.ToJsonString(Options) + "\n";
    }
}
