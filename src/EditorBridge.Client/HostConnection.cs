using System.IO.Pipes;
using System.Net.Http.Headers;
using System.Net.Sockets;
using EditorBridge.Protocol.V1;
using Grpc.Net.Client;

namespace EditorBridge.Client;

/// <summary>One channel to one host: over its socket or pipe where it has one, else over loopback; the token is in every request.</summary>
internal sealed class HostConnection : IDisposable
{
    // A pipe that nobody listens on is waited for: a host that has ended would be noticed late.
    private static readonly TimeSpan PipePatience = TimeSpan.FromSeconds(2);

    private readonly GrpcChannel _channel;

    public HostConnection(HostEndpoint endpoint)
    {
        Endpoint = endpoint;
        var sockets = new SocketsHttpHandler
        {
            // A proxy from the environment must never see what stays on this machine.
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            KeepAlivePingDelay = TimeSpan.FromSeconds(15),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            EnableMultipleHttp2Connections = true,
        };
        var address = $"http://127.0.0.1:{endpoint.GrpcPort}";
        if (endpoint.Socket is { } path)
        {
            address = "http://localhost";
            sockets.ConnectCallback = (_, cancellation) => ConnectAsync(path, cancellation);
        }
        else if (endpoint.Pipe is { } pipe)
        {
            address = "http://localhost";
            sockets.ConnectCallback = (_, cancellation) => ConnectPipeAsync(pipe, cancellation);
        }

        _channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = new TokenHandler(endpoint.Token, sockets),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 16 << 20,
        });
        Jobs = new JobService.JobServiceClient(_channel);
        Models = new ModelService.ModelServiceClient(_channel);
        Server = new ServerService.ServerServiceClient(_channel);
        Assets = new AssetService.AssetServiceClient(_channel);
        Media = new MediaService.MediaServiceClient(_channel);
    }

    public HostEndpoint Endpoint { get; }

    public JobService.JobServiceClient Jobs { get; }

    public ModelService.ModelServiceClient Models { get; }

    public ServerService.ServerServiceClient Server { get; }

    public AssetService.AssetServiceClient Assets { get; }

    public MediaService.MediaServiceClient Media { get; }

    public void Dispose() => _channel.Dispose();

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async ValueTask<Stream> ConnectPipeAsync(string name, CancellationToken cancellation)
    {
        // Only to a server of the same user: another's is refused before the token is sent.
        var pipe = new NamedPipeClientStream(".", name, PipeDirection.InOut, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        try
        {
            await pipe.ConnectAsync(PipePatience, cancellation).ConfigureAwait(false);
            return pipe;
        }
        catch
        {
            await pipe.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private sealed class TokenHandler(string token, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
