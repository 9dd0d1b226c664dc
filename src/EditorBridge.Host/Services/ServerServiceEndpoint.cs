using EditorBridge.Host.Jobs;
using EditorBridge.Protocol.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace EditorBridge.Host.Services;

/// <summary>editorbridge.v1.ServerService.</summary>
internal sealed class ServerServiceEndpoint(
    JobStore store, Diagnosis diagnosis, FFmpegLocator ffmpeg, DataFolder folder, HostOptions options, IHostApplicationLifetime lifetime, HostStart start)
    : ServerService.ServerServiceBase
{
    /// <inheritdoc/>
    public override Task<ServerInfo> GetServerInfo(GetServerInfoRequest request, ServerCallContext context)
    {
        // Clients ask this to see whether anybody is there, so it waits for nothing; ffmpeg is looked for when the host starts.
        var (queued, running) = store.Count();
        return Task.FromResult(new ServerInfo
        {
            Version = HostStart.Version,
            ProcessId = Environment.ProcessId,
            DataDirectory = folder.Root,
            StartTime = Timestamp.FromDateTimeOffset(start.Time),
            Ready = diagnosis.WasReady,
            FfmpegVersion = ffmpeg.Known?.VersionText ?? "",
            QueuedJobs = queued,
            RunningJobs = running,
            IdleTimeout = options.IdleTimeout > TimeSpan.Zero ? Duration.FromTimeSpan(options.IdleTimeout) : null,
            Device = options.Device,
        });
    }

    /// <inheritdoc/>
    public override async Task<DiagnoseServerResponse> DiagnoseServer(DiagnoseServerRequest request, ServerCallContext context)
    {
        var answer = new DiagnoseServerResponse();
        answer.Findings.AddRange(await diagnosis.RunAsync(request.ProbeWorker, context.CancellationToken).ConfigureAwait(false));
        return answer;
    }

    /// <inheritdoc/>
    public override Task<StopServerResponse> StopServer(StopServerRequest request, ServerCallContext context)
    {
        // After the answer is on its way.
        context.GetHttpContext().Response.OnCompleted(() =>
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        });
        return Task.FromResult(new StopServerResponse());
    }
}
