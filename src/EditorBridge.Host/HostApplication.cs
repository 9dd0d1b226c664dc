using System.Net;
using EditorBridge.Host.Assets;
using EditorBridge.Host.Clips;
using EditorBridge.Host.Jobs;
using EditorBridge.Host.Models;
using EditorBridge.Host.Pallaidium;
using EditorBridge.Host.Security;
using EditorBridge.Host.Services;
using EditorBridge.Host.Workers;
using EditorBridge.Protocol.V1;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Serilog;

namespace EditorBridge.Host;

/// <summary>Puts the host together and runs it.</summary>
internal static class HostApplication
{
    /// <summary>Runs until the host is stopped.</summary>
    /// <param name="folder">The host's own.</param>
    /// <param name="options">The settings.</param>
    /// <param name="pipes">Listens on named pipes where the server itself cannot, for tests of that transport; null leaves pipes to Windows.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(DataFolder folder, HostOptions options, IConnectionListenerFactory? pipes = null)
    {
        var reserve = new DiskReserve(folder);
        reserve.Ready();
        using var database = new JobDatabase(folder.Database, reserve.Release);
        var local = LocalEndpoint.Prepare(folder, named: pipes is not null || OperatingSystem.IsWindows());
        await using var application = Build(folder, options, database, reserve, local, pipes);
        await application.StartAsync().ConfigureAwait(false);
        Announce(application, folder, options, local);
        try
        {
            await application.WaitForShutdownAsync().ConfigureAwait(false);
        }
        finally
        {
            File.Delete(folder.EndpointFile);
            local.Remove();
        }

        Log.Information("The host has ended");
        return ExitCodes.Stopped;
    }

    private static WebApplication Build(
        DataFolder folder, HostOptions options, JobDatabase database, DiskReserve reserve, LocalEndpoint local, IConnectionListenerFactory? pipes)
    {
        // Empty: no settings from the folder we happen to be in, no addresses from the environment.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "EditorBridge.Host" });
        builder.Services.AddSerilog();
        builder.WebHost.UseKestrelCore();
        if (pipes is not null) builder.Services.AddSingleton(pipes);
        else if (OperatingSystem.IsWindows()) builder.WebHost.UseNamedPipes(options => options.CurrentUserOnly = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(local.Address, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            // Without TLS one port cannot speak both.
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            if (options.PallaidiumPort > 0) kestrel.Listen(IPAddress.Loopback, options.PallaidiumPort, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(grpc => grpc.Interceptors.Add<ErrorInterceptor>()).AddJsonTranscoding(json =>
            json.TypeRegistry = TypeRegistry.FromFiles(ErrorDetailsReflection.Descriptor, JobServiceReflection.Descriptor));
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(host => host.ShutdownTimeout = options.StopGrace + TimeSpan.FromSeconds(10));

        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(folder).AddSingleton(options).AddSingleton(database).AddSingleton(reserve)
            .AddSingleton<HostStart>().AddSingleton<AccessToken>().AddSingleton<Activity>().AddSingleton<FFmpegLocator>().AddSingleton<KnownMedia>()
            .AddSingleton<JobStore>().AddSingleton<JobRetention>().AddSingleton<AssetStore>().AddSingleton<JobEvents>().AddSingleton<JobSignals>().AddSingleton<InputFreezer>().AddSingleton<ClipPublisher>().AddSingleton<FrameCache>()
            .AddSingleton<AddedModels>().AddSingleton<ModelStore>().AddSingleton<SpeedFile>().AddSingleton<MachineMemoryReader>().AddSingleton<WorkerRecord>().AddSingleton<WorkerSupervisor>().AddSingleton<JobPlanning>().AddSingleton<JobCreation>().AddSingleton<PallaidiumFiles>().AddSingleton<Diagnosis>();
        builder.Services.AddHostedService<JobRunner>().AddHostedService<IdleWatch>().AddHostedService<Upkeep>().AddHostedService<WarmUp>().AddHostedService<ProbesAhead>();

        var application = builder.Build();
        if (options.PallaidiumPort > 0)
        {
            // Another contract with the same paths, on a port of its own: what comes there sees nothing else of the host.
            var pallaidium = ActivatorUtilities.CreateInstance<PallaidiumEndpoint>(application.Services, AccessToken.Lasting(folder.PallaidiumKeyFile));
            application.MapWhen(context => context.Connection.LocalPort == options.PallaidiumPort, branch => branch.Run(pallaidium.AnswerAsync));
        }

        application.UseMiddleware<AccessGate>();
        application.Use(async (context, next) =>
        {
            using (context.RequestServices.GetRequiredService<Activity>().Call()) await next(context).ConfigureAwait(false);
        });
        application.UseRouting();
        application.MapGrpcService<JobServiceEndpoint>();
        application.MapGrpcService<ModelServiceEndpoint>();
        application.MapGrpcService<MediaServiceEndpoint>();
        application.MapGrpcService<AssetServiceEndpoint>();
        application.MapGrpcService<ServerServiceEndpoint>();
        application.MapGet("/healthz", () => Results.Text("alive"));
        application.MapGet("/readyz", async (Diagnosis diagnosis, CancellationToken cancellation) =>
            await diagnosis.IsReadyAsync(cancellation).ConfigureAwait(false) ? Results.Text("ready") : Results.Text("not ready", statusCode: 503));
        return application;
    }

    private static void Announce(WebApplication application, DataFolder folder, HostOptions options, LocalEndpoint local)
    {
        local.Close();
        // Kestrel lists them in the order they were asked for.
        var ports = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Where(a => !a.Contains("unix:", StringComparison.Ordinal) && !a.Contains("pipe:", StringComparison.Ordinal)).Select(a => new Uri(a).Port).ToList();
        new EndpointFile
        {
            Socket = local.Socket,
            Pipe = local.Pipe,
            GrpcPort = ports[0],
            HttpPort = ports[1],
            ProcessId = Environment.ProcessId,
            Token = application.Services.GetRequiredService<AccessToken>().Text,
            Version = HostStart.Version,
        }.Write(folder.EndpointFile);
        Log.Information("The host {Version} serves {Folder} on {Socket} and the ports {Grpc} (gRPC) and {Http} (JSON)",
            HostStart.Version, folder.Root, local.Address, ports[0], ports[1]);
        if (options.PallaidiumPort > 0) Log.Information("Pallaidium is served on port {Port}; its key is in {File}", options.PallaidiumPort, folder.PallaidiumKeyFile);
        if (options.Detached) Detachment.LeaveStreams();
    }
}
