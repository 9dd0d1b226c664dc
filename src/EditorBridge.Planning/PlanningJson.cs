using System.Text.Json;
using System.Text.Json.Serialization;
using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>Writes a <see cref="FrameRate"/> as "24000/1001" and reads that back.</summary>
public sealed class FrameRateJsonConverter : JsonConverter<FrameRate>
{
    /// <inheritdoc/>
    public override FrameRate Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        FrameRate.TryParse(reader.GetString(), out var rate) ? rate : throw new JsonException("A frame rate is written as \"24000/1001\" or \"25\".");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, FrameRate value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

/// <summary>JSON of requests, capabilities and plans (plan.json), source-generated.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    WriteIndented = true,
    IgnoreReadOnlyProperties = true,
    Converters = [typeof(FrameRateJsonConverter)])]
[JsonSerializable(typeof(JobRequest))]
[JsonSerializable(typeof(ModelCapabilities))]
[JsonSerializable(typeof(ModelSettings))]
[JsonSerializable(typeof(Plan))]
public sealed partial class PlanningJson : JsonSerializerContext;
