using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using EditorBridge.Host.Tests.Support;

namespace EditorBridge.Host.Tests;

/// <summary>What Blender's Pallaidium add-on asks of a backend, asked over HTTP as it does.</summary>
public sealed class PallaidiumTests
{
    [Fact]
    public async Task It_is_off_unless_a_port_is_given()
    {
        await using var host = await RunningHost.StartAsync();
        Assert.False(File.Exists(Path.Combine(host.Data, "pallaidium.key")));
    }

    [Fact]
    public async Task It_answers_those_who_have_the_key_and_nobody_else()
    {
        var port = FreePort();
        await using var host = await StartAsync(port);
        var key = Key(host);
        using var http = new HttpClient();
        foreach (var (path, authorization, origin, expected) in new (string, string?, string?, HttpStatusCode)[]
        {
            ("/v1/health", $"Bearer {key}", null, HttpStatusCode.OK),
            ("/v1/health", null, null, HttpStatusCode.Unauthorized),
            ($"/v1/health?api_key={key}", null, null, HttpStatusCode.Unauthorized),
            ("/v1/health", $"Bearer {key}x", null, HttpStatusCode.Unauthorized),
            ("/v1/health", $"Bearer {host.Endpoint.Token}", null, HttpStatusCode.Unauthorized),
            ("/v1/health", $"Bearer {key}", "https://evil.example", HttpStatusCode.Forbidden),
            ("/v1/health", $"Bearer {key}", "null", HttpStatusCode.Forbidden),
            // Nothing else of the host is on this port.
            ("/v1/serverInfo", $"Bearer {key}", null, HttpStatusCode.NotFound),
            ("/healthz", $"Bearer {key}", null, HttpStatusCode.NotFound),
            ("/v1/images/generations", $"Bearer {key}", null, HttpStatusCode.NotFound),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}{path}");
            if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
            if (origin is not null) request.Headers.TryAddWithoutValidation("Origin", origin);
            using var answer = await http.SendAsync(request);
            Assert.Equal(expected, answer.StatusCode);
            if (expected != HttpStatusCode.OK) Assert.NotEqual("", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString());
        }

        // Its key opens nothing on the other ports.
        using var elsewhere = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{host.Endpoint.HttpPort}/v1/models");
        elsewhere.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        using var refused = await http.SendAsync(elsewhere);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(host.Data, "pallaidium.key")));
        await host.TerminateAsync();
        await host.StartAsync();
        Assert.Equal(key, Key(host));
    }

    [Fact]
    public async Task It_says_what_there_is_keeps_what_is_sent_and_refuses_the_rest_by_name()
    {
        var port = FreePort();
        const int most = 1 << 20;
        await using var host = await StartAsync(port, ("LargestAssetBytes", most.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        using var http = Client(host, port);

        var health = await http.GetFromJsonAsync<JsonElement>("v1/health");
        Assert.Equal(("ok", "v0.1"), (health.GetProperty("status").GetString(), health.GetProperty("contract_versions")[0].GetString()));
        var model = (await http.GetFromJsonAsync<JsonElement>("v1/models")).GetProperty("data").EnumerateArray().Single(m => m.GetProperty("id").GetString() == SmallModel.Name);
        Assert.Equal("video", model.GetProperty("type").GetString());
        Assert.Equal(["t2v", "i2v"], model.GetProperty("modes").EnumerateArray().Select(m => m.GetString()));
        Assert.False(model.GetProperty("supports_audio_output").GetBoolean());
        Assert.Equal((1, 0), (model.GetProperty("max_ref_images").GetInt32(), model.GetProperty("control_types").GetArrayLength()));

        byte[] content = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7))];
        var id = await UploadAsync(http, content);
        Assert.Equal(id, await UploadAsync(http, content));
        Assert.Equal(content, await http.GetByteArrayAsync("v1/files/" + id));
        foreach (var missing in new[] { "v1/files/file-" + new string('0', 64), "v1/files/clip-none", "v1/files/..%2F..%2Fjobs.db", "v1/jobs/none" })
        {
            using var answer = await http.GetAsync(missing);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        using var large = await http.PostAsync("v1/files", Form(new byte[most + 1]));
        Assert.Equal(HttpStatusCode.BadRequest, large.StatusCode);
        Assert.Contains($"more than {most} bytes", await large.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var empty = await http.PostAsync("v1/files", Form([]));
        Assert.Equal(HttpStatusCode.BadRequest, empty.StatusCode);
        // Nothing of what was turned away is left.
        Assert.Equal([id["file-".Length..]], Directory.GetDirectories(Path.Combine(host.Data, "assets")).Select(Path.GetFileName));
        using var noForm = await http.PostAsync("v1/files", new StringContent("x"));
        Assert.Equal(HttpStatusCode.BadRequest, noForm.StatusCode);

        Dictionary<string, object> Body(params (string Name, object Value)[] more)
        {
            var body = new Dictionary<string, object> { ["prompt"] = "a kite", ["width"] = 64, ["height"] = 32, ["num_frames"] = 5, ["fps"] = 24 };
            foreach (var (name, value) in more) body[name] = value;
            return body;
        }

        foreach (var (body, named) in new (object, string)[]
        {
            (Body(("model", "no-such-model")), "no-such-model"),
            (Body(("image_file_id", "file-nonsense")), "file-nonsense"),
            (Body(("last_image_file_id", id)), "image.png"),
            (Body(("image_b64", "%%")), "image_b64"),
            (Body(("fps", 0.0)), "frame rate"),
            (Body(("prompt", "")), "prompt"),
            (Body(("num_frames", 0)), "frames"),
            (Body(("width", -5)), "width"),
            (Body(("num_frames", "many")), "'num_frames' is of another kind"),
            (Body(("anchor_file_ids", new object?[] { null })), "anchor"),
            (Body(("reference_audio_ids", new[] { id })), "without sound"),
            (Body(("control_file_id", "file-nonsense")), "file-nonsense"),
            (Body(("anchor_file_ids", 3)), "'anchor_file_ids' is of another kind"),
            (new[] { 1 }, "no JSON object"),
        })
        {
            using var answer = await http.PostAsJsonAsync("v1/videos", body);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains(named, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString(), StringComparison.OrdinalIgnoreCase);
        }

        using var broken = await http.PostAsync("v1/videos", new StringContent("{", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, broken.StatusCode);
        Assert.Contains("no valid JSON at line 1", await broken.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Speed", "slow")]
    public async Task The_shipped_model_makes_videos_for_it()
    {
        var port = FreePort();
        await using var host = await StartAsync(port, ("Rehearse", "false"), ("DefaultModel", "sketch"));
        using var http = Client(host, port);
        await Tool.RunAsync("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=c=0x2060c0:s=128x72", "-frames:v", "1", host.File("first.png"));
        await Tool.RunAsync("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=c=0xc08020:s=128x72", "-frames:v", "1", host.File("last.png"));
        var first = await UploadAsync(http, await File.ReadAllBytesAsync(host.File("first.png")));
        var last = await UploadAsync(http, await File.ReadAllBytesAsync(host.File("last.png")));
        var pictures = new Dictionary<string, (string Name, object Value)[]>
        {
            ["BROLL"] = [],
            ["BROLL with a first frame"] = [("image_file_id", first)],
            ["BROLL with a first frame as text"] = [("image_b64", Convert.ToBase64String(await File.ReadAllBytesAsync(host.File("first.png"))))],
            ["FILL"] = [("image_file_id", first), ("last_image_file_id", last)],
            ["EXTEND"] = [("last_image_file_id", last)],
        };
        foreach (var (name, given) in pictures)
        {
            var body = new Dictionary<string, object>
            {
                ["model"] = "sketch", ["prompt"] = "clouds over a field", ["negative_prompt"] = "", ["width"] = 128, ["height"] = 72, ["num_frames"] = 9, ["fps"] = 24,
                ["seed"] = 7, ["strength"] = 1.0, ["num_inference_steps"] = 2, ["generate_audio"] = true,
            };
            foreach (var (field, value) in given) body[field] = value;
            using var created = await http.PostAsJsonAsync("v1/videos", body);
            var answer = await created.Content.ReadFromJsonAsync<JsonElement>();
            Assert.True(created.IsSuccessStatusCode, $"{name}: {answer}");
            Assert.Equal("queued", answer.GetProperty("status").GetString());
            var job = await EndAsync(http, answer.GetProperty("id").GetString()!);
            Assert.True(job.GetProperty("status").GetString() == "succeeded", $"{name}: {job}");
            Assert.Equal(1, job.GetProperty("progress").GetDouble());
            var path = host.File(answer.GetProperty("id").GetString() + ".mp4");
            await File.WriteAllBytesAsync(path, await http.GetByteArrayAsync("v1/files/" + job.GetProperty("file_id").GetString()));
            Assert.Equal("128,72,24/1,9", await OutputAsync("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", "stream=width,height,r_frame_rate,nb_read_frames", "-of", "csv=p=0", path));
            if (!name.StartsWith("BROLL with", StringComparison.Ordinal)) continue;
            // The clip begins with the picture: blue, not the model's own idea of clouds.
            await Tool.RunAsync("ffmpeg", "-v", "error", "-i", path, "-frames:v", "1", "-vf", "scale=1:1:flags=area", "-f", "rawvideo", "-pix_fmt", "rgb24", path + ".rgb");
            var colour = await File.ReadAllBytesAsync(path + ".rgb");
            Assert.True(Math.Abs(colour[0] - 0x20) < 40 && Math.Abs(colour[2] - 0xc0) < 40, $"{name}: begins with {Convert.ToHexString(colour)}");
        }

        // What the model cannot do is refused by name, not left out.
        foreach (var (field, value, sentence) in new (string, object, string)[]
        {
            ("anchor_file_ids", new[] { new { file_id = first, fraction = 0.5 } }, "inside a clip"),
            ("reference_file_ids", new[] { first, last }, "pictures of subjects"),
            ("control_file_id", first, "control video"),
        })
        {
            var body = new Dictionary<string, object> { ["prompt"] = "x", ["width"] = 128, ["height"] = 72, ["num_frames"] = 9, ["fps"] = 24, [field] = value };
            using var refused = await http.PostAsJsonAsync("v1/videos", body);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains(sentence, await refused.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
        }
    }

    private static async Task<JsonElement> EndAsync(HttpClient http, string id)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var job = await http.GetFromJsonAsync<JsonElement>("v1/jobs/" + id);
            Assert.InRange(job.GetProperty("progress").GetDouble(), 0, 1);
            Assert.NotEqual("", job.GetProperty("phase").GetString());
            if (job.GetProperty("status").GetString() is "succeeded" or "failed") return job;
            if (clock.Elapsed > TimeSpan.FromMinutes(10)) throw new TimeoutException($"The job does not end: {job}");
            await Task.Delay(200);
        }
    }

    private static async Task<string> UploadAsync(HttpClient http, byte[] content)
    {
        using var answer = await http.PostAsync("v1/files", Form(content));
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(answer.IsSuccessStatusCode, body.ToString());
        return body.GetProperty("file_id").GetString()!;
    }

    private static MultipartFormDataContent Form(byte[] content)
    {
        var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("image/png");
        return new MultipartFormDataContent("----PallaidiumBoundary0123456789abcdef") { { new StringContent("reference"), "purpose" }, { file, "file", "image.png" } };
    }

    private static Task<RunningHost> StartAsync(int port, params (string Name, string Value)[] settings) =>
        RunningHost.StartAsync([("PallaidiumPort", port.ToString(System.Globalization.CultureInfo.InvariantCulture)), .. settings]);

    private static HttpClient Client(RunningHost host, int port)
    {
        var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/"), Timeout = TimeSpan.FromMinutes(5) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key(host));
        return http;
    }

    private static string Key(RunningHost host) => File.ReadAllText(Path.Combine(host.Data, "pallaidium.key")).Trim();

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<string> OutputAsync(string name, params string[] arguments)
    {
        var info = new ProcessStartInfo(name) { UseShellExecute = false, RedirectStandardOutput = true };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        using var process = Process.Start(info)!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return said.Trim();
    }
}
