using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>The description beside frozen frames: what they are and where they came from.</summary>
public sealed record FrozenFramesInfo
{
    /// <summary>The form of these files; another number is another form.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Form of the files.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Pixels in a row.</summary>
    public required int Width { get; init; }

    /// <summary>Rows.</summary>
    public required int Height { get; init; }

    /// <summary>Number of frames.</summary>
    public required int Count { get; init; }

    /// <summary>Frames per second in which these frames follow each other.</summary>
    [JsonConverter(typeof(FrameRateJsonConverter))]
    public required FrameRate Rate { get; init; }

    /// <summary>Tags of the source as the file has them; null for frames without a file.</summary>
    public ColourTags? SourceColour { get; init; }

    /// <summary>Tags by which the source was turned into RGB.</summary>
    public required ColourTags ReadAs { get; init; }

    /// <summary>Full path of the source, for people; the frames do not need it any more. Null for frames that were uploaded.</summary>
    public string? SourcePath { get; init; }

    /// <summary>SHA-256 of the source, in small hexadecimal letters.</summary>
    public string? SourceSha256 { get; init; }

    /// <summary>Size of the source in bytes.</summary>
    public long? SourceBytes { get; init; }

    /// <summary>Time of each frame, seconds from the source's first frame as exact fractions; empty for frames without a file.</summary>
    public ImmutableArray<string> Times { get; init; } = [];

    /// <summary>What a user should know about how the source was read.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>SHA-256 of the frames themselves.</summary>
    public string FramesSha256 { get; init; } = "";

    /// <summary>Bytes in one frame.</summary>
    [JsonIgnore]
    public long FrameBytes => (long)Width * Height * 6;
}

/// <summary>A rate as "24000/1001" in JSON.</summary>
public sealed class FrameRateJsonConverter : JsonConverter<FrameRate>
{
    /// <inheritdoc/>
    public override FrameRate Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && FrameRate.TryParse(reader.GetString(), out var rate)
            ? rate
            : throw new JsonException("A frame rate is a text such as 24000/1001.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, FrameRate value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
