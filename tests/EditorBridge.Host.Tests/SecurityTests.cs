using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace EditorBridge.Host.Tests;

[Collection(SharedHost.Name)]
public sealed class SecurityTests(SharedHost shared)
{
    private HostEndpoint Endpoint => shared.Host.Endpoint;

    [Theory]
    [InlineData("/v1/serverInfo")]
    [InlineData("/v1/jobs")]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/no-such-page")]
    public async Task Without_the_token_nothing_is_answered(string path)
    {
        using var http = new HttpClient();
        foreach (var token in new[] { null, "", "x", Endpoint.Token[..^1], Endpoint.Token + "A", Endpoint.Token.ToUpperInvariant() })
        {
            using var request = Request(HttpMethod.Get, path, token);
            using var answer = await http.SendAsync(request);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact]
    public async Task With_the_token_json_is_answered()
    {
        using var http = new HttpClient();
        using var request = Request(HttpMethod.Get, "/v1/models", Endpoint.Token);
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("models/small", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(answer.Headers, h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Host", "127.0.0.1.evil.example")]
    [InlineData("Host", "192.168.1.5")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://localhost:1")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task A_web_page_is_turned_away_even_with_the_token(string header, string value)
    {
        using var http = new HttpClient();
        using var request = Request(HttpMethod.Get, "/v1/serverInfo", Endpoint.Token);
        if (header == "Host") request.Headers.Host = value;
        else request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.DoesNotContain(answer.Headers, h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task An_origin_that_was_let_in_by_name_needs_the_token_and_lets_in_no_other()
    {
        await using var host = await RunningHost.StartAsync(("PanelOrigin", "null"));
        using var http = new HttpClient();
        foreach (var (origin, token, expected) in new[]
        {
            ("null", host.Endpoint.Token, HttpStatusCode.OK), ("null", null, HttpStatusCode.Unauthorized),
            ("https://evil.example", host.Endpoint.Token, HttpStatusCode.Forbidden), ("NULL", host.Endpoint.Token, HttpStatusCode.Forbidden),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{host.Endpoint.HttpPort}/v1/serverInfo");
            request.Headers.TryAddWithoutValidation("Origin", origin);
            request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "cross-site");
            if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
            using var answer = await http.SendAsync(request);
            Assert.Equal(expected, answer.StatusCode);
            if (expected == HttpStatusCode.Forbidden) Assert.Contains(origin, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_form_is_turned_away_and_json_is_not()
    {
        using var http = new HttpClient();
        using var form = Request(HttpMethod.Post, "/v1/server:diagnose", Endpoint.Token);
        form.Content = new StringContent("{}", new System.Net.Http.Headers.MediaTypeHeaderValue("text/plain"));
        using var refused = await http.SendAsync(form);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var json = Request(HttpMethod.Post, "/v1/server:diagnose", Endpoint.Token);
        json.Content = JsonContent.Create(new { });
        using var answered = await http.SendAsync(json);
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
    }

    [Fact]
    public async Task Grpc_without_the_token_is_unauthenticated_on_loopback_and_on_the_socket()
    {
        var sockets = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Endpoint.Socket!), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        foreach (var options in new[] { new GrpcChannelOptions(), new GrpcChannelOptions { HttpHandler = sockets } })
        {
            using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{Endpoint.GrpcPort}", options);
            var error = await Assert.ThrowsAsync<RpcException>(async () => await new ServerService.ServerServiceClient(channel).GetServerInfoAsync(new GetServerInfoRequest()));
            Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
            var client = new ServerService.ServerServiceClient(channel);
            var info = await client.GetServerInfoAsync(new GetServerInfoRequest(), new Metadata { { "authorization", "Bearer " + Endpoint.Token } });
            Assert.Equal(shared.Host.ProcessId, info.ProcessId);
        }
    }

    [Fact]
    public async Task A_host_that_may_read_some_folders_reads_no_other()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TemporaryFolder();
        var (inside, outside) = (Directory.CreateDirectory(folder.File("in side")).FullName, Directory.CreateDirectory(folder.File("in side too")).FullName);
        foreach (var place in new[] { inside, outside }) await Support.Tool.MakeFilmAsync(Path.Combine(place, "film.mp4"), 4, "64x36");
        File.CreateSymbolicLink(Path.Combine(inside, "link.mp4"), Path.Combine(outside, "film.mp4"));
        File.CreateSymbolicLink(Path.Combine(inside, "way"), outside);
        await using var host = await RunningHost.StartAsync(("AllowedFolders", $"/nowhere{Path.PathSeparator}{inside}/"));
        using var client = await host.ConnectAsync();
        Assert.Equal(4, (await client.ProbeMediaAsync(Path.Combine(inside, "film.mp4"))).Frames);
        foreach (var path in new[] { Path.Combine(outside, "film.mp4"), $"{inside}/../in side too/film.mp4", Path.Combine(inside, "link.mp4"), Path.Combine(inside, "way", "film.mp4"), "/etc/hostname" })
        {
            var error = await Assert.ThrowsAsync<EditorBridgeException>(() => client.ProbeMediaAsync(path));
            Assert.Equal(("PATH_NOT_ALLOWED", "media.path"), (error.Reason, error.Field));
            Assert.Contains("allowed-folders", error.Message, StringComparison.Ordinal);
        }

        var job = RunningHost.Job();
        job.Spec.Loras.Add(new Lora { Path = Path.Combine(outside, "film.mp4") });
        Assert.Equal(("PATH_NOT_ALLOWED", "job.spec.loras[0].path"), await RefusedAsync(() => client.SubmitAsync(job)));
        Assert.Equal(("PATH_NOT_ALLOWED", "path"), await RefusedAsync(() => client.InspectModelsAsync(outside)));
        // What is sent to the host is the sender's own.
        var asset = await client.UploadAsync(Path.Combine(outside, "film.mp4"));
        Assert.Equal(4, (await client.ProbeMediaAsync(new MediaSource { Asset = asset.Name })).Frames);

        async Task<(string, string?)> RefusedAsync(Func<Task> call)
        {
            var error = await Assert.ThrowsAsync<EditorBridgeException>(call);
            return (error.Reason, error.Field);
        }
    }

    [Fact]
    public void What_others_must_not_read_they_cannot()
    {
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(owner, File.GetUnixFileMode(Path.Combine(shared.Host.Data, HostEndpoint.FileName)));
        Assert.Equal(owner, File.GetUnixFileMode(Endpoint.Socket!));
        Assert.Equal(owner | UnixFileMode.UserExecute, File.GetUnixFileMode(shared.Host.Data));
        Assert.Equal(owner | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(Endpoint.Socket!)!));
    }

    [Fact]
    public void The_ports_are_on_loopback_only()
    {
        if (!OperatingSystem.IsLinux()) return;
        foreach (var port in new[] { Endpoint.GrpcPort, Endpoint.HttpPort })
        {
            var listening = File.ReadLines("/proc/net/tcp").Concat(File.ReadLines("/proc/net/tcp6"))
                .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(f => f.Length > 3 && f[3] == "0A" && f[1].EndsWith(":" + port.ToString("X4", System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal))
                .ToList();
            Assert.Equal(["0100007F"], listening.Select(f => f[1].Split(':')[0]));
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path, string? token)
    {
        var request = new HttpRequestMessage(method, $"http://127.0.0.1:{Endpoint.HttpPort}{path}");
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        return request;
    }
}
