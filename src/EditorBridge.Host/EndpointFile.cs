using System.Text.Json;
using System.Text.Json.Serialization;

namespace EditorBridge.Host;

/// <summary>What clients read to find the host: endpoint.json in the data folder, readable by the user alone.</summary>
internal sealed record EndpointFile
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Unix domain socket that speaks gRPC; null on Windows.</summary>
    public string? Socket { get; init; }

    /// <summary>Named pipe that speaks gRPC; null elsewhere.</summary>
    public string? Pipe { get; init; }

    /// <summary>Loopback port that speaks gRPC.</summary>
    public required int GrpcPort { get; init; }

    /// <summary>Loopback port that speaks JSON over HTTP/1.1.</summary>
    public required int HttpPort { get; init; }

    /// <summary>The host's process.</summary>
    public required int ProcessId { get; init; }

    /// <summary>What every request must carry.</summary>
    public required string Token { get; init; }

    /// <summary>Version of the host.</summary>
    public required string Version { get; init; }

    /// <summary>Writes the file in one piece.</summary>
    public void Write(string path)
    {
        var temporary = path + ".tmp";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(temporary, options)) JsonSerializer.Serialize(stream, this, Json);
        File.Move(temporary, path, overwrite: true);
    }
}
