using System.IO.Pipes;
using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Tests;

/// <summary>Host and client over a named pipe, as on Windows. There Kestrel brings the listener; here it is <see cref="StreamPipeListeners"/>.</summary>
public sealed class NamedPipeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Host_and_client_meet_on_a_named_pipe_alone()
    {
        var pipes = new StreamPipeListeners();
        var data = _folder.File("data");
        using var folder = DataFolder.TryOpen(data)!;
        var running = HostApplication.RunAsync(folder, new HostOptions { Data = data, MeasureSpeed = false }, pipes);
        try
        {
            await RunningHost.UntilAsync(() => running.IsCompleted || HostEndpoint.Read(data) is not null, "the host is up");
            if (running.IsCompleted) await running;
            var endpoint = HostEndpoint.Read(data)!;
            Assert.Null(endpoint.Socket);
            Assert.StartsWith("editorbridge-", endpoint.Pipe, StringComparison.Ordinal);
            Assert.False(Directory.Exists(Path.Combine(data, "run")), "a socket was made as well");

            using var client = await EditorBridgeClient.ConnectAsync(new ClientOptions { DataFolder = data, StartHost = false });
            Assert.Equal(Environment.ProcessId, (await client.GetServerInfoAsync()).ProcessId);
            Assert.True(pipes.Accepted > 0, "the client did not come through the pipe");
            // A long answer and many calls at once over the one connection.
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.DiagnoseAsync()));
            Assert.All(answers, findings => Assert.Contains(findings, f => f.Subject == "disk"));

            // Without the token the pipe opens nothing.
            var stranger = new HostConnection(endpoint with { Token = "x" });
            var refused = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await stranger.Server.GetServerInfoAsync(new GetServerInfoRequest()));
            Assert.Equal(Grpc.Core.StatusCode.Unauthenticated, refused.StatusCode);
            stranger.Dispose();

            await client.StopHostAsync();
            Assert.Equal(ExitCodes.Stopped, await running.WaitAsync(TimeSpan.FromSeconds(60)));
            Assert.Null(HostEndpoint.Read(data));
        }
        finally
        {
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(60)));
        }
    }

    [Fact]
    public async Task A_pipe_that_nobody_listens_on_is_an_unreachable_host()
    {
        var data = Directory.CreateDirectory(_folder.File("data")).FullName;
        await File.WriteAllTextAsync(Path.Combine(data, HostEndpoint.FileName),
            """{"pipe": "editorbridge-nobody", "grpcPort": 1, "httpPort": 2, "processId": 3, "token": "t", "version": "0"}""");
        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => EditorBridgeClient.ConnectAsync(new ClientOptions { DataFolder = data, StartHost = false }));
        Assert.Equal("HOST_UNREACHABLE", error.Reason);
    }

    [Fact]
    public async Task Two_hosts_never_share_a_pipe()
    {
        using var folder = DataFolder.TryOpen(_folder.File("data"))!;
        var names = Enumerable.Range(0, 2).Select(_ => LocalEndpoint.Prepare(folder, named: true).Pipe!).ToList();
        Assert.NotEqual(names[0], names[1]);
        // The name is one the system takes.
        await using var server = new NamedPipeServerStream(names[0], PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.CurrentUserOnly);
        await using var client = new NamedPipeClientStream(".", names[0], PipeDirection.InOut, PipeOptions.CurrentUserOnly);
        await client.ConnectAsync(TimeSpan.FromSeconds(10), CancellationToken.None);
        Assert.True(client.IsConnected);
    }
}
