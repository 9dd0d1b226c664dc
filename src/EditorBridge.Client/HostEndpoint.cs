using System.Text.Json;
using System.Text.Json.Serialization;

namespace EditorBridge.Client;

/// <summary>How to reach a running host, as it says in endpoint.json in its data folder. Only the user can read that file.</summary>
public sealed record HostEndpoint
{
    /// <summary>Name of the file in the data folder.</summary>
    public const string FileName = "endpoint.json";

    /// <summary>Unix domain socket that speaks gRPC; null where there is none.</summary>
    public string? Socket { get; init; }

    /// <summary>Named pipe that speaks gRPC, which Windows has in place of the socket; null where there is none.</summary>
    public string? Pipe { get; init; }

    /// <summary>Loopback port that speaks gRPC.</summary>
    public required int GrpcPort { get; init; }

    /// <summary>Loopback port that speaks JSON over HTTP/1.1.</summary>
    public required int HttpPort { get; init; }

    /// <summary>The host's process.</summary>
    public required int ProcessId { get; init; }

    /// <summary>What every request must carry: "authorization: Bearer token".</summary>
    public required string Token { get; init; }

    /// <summary>Version of the host.</summary>
    public required string Version { get; init; }

    /// <summary>The endpoint a host has written into <paramref name="dataFolder"/>; null when there is none or it is not whole.</summary>
    public static HostEndpoint? Read(string dataFolder)
    {
        try
        {
            using var stream = File.OpenRead(Path.Combine(dataFolder, FileName));
            return JsonSerializer.Deserialize(stream, EndpointJson.Default.HostEndpoint);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>JSON of the endpoint file.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HostEndpoint))]
internal sealed partial class EndpointJson : JsonSerializerContext;
