using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using EditorBridge.Models.Variants;
using EditorBridge.Tests.Models;

namespace EditorBridge.EndToEnd;

/// <summary>What a model that can do more than the shipped one offers to Pallaidium, and makes for it. Tiny random weights, through host and worker.</summary>
[Trait("Speed", "slow")]
public sealed class PallaidiumTests(Workspace workspace) : IClassFixture<Workspace>
{
    private const int Frames = 9;

    [FFmpegFact]
    public async Task Vace_takes_pictures_on_the_way_subjects_and_videos()
    {
        using (var checkpoint = new TinyCheckpoint(WanLine.Vace, pair: false, Path.Combine(AppContext.BaseDirectory, "spiece.model"))) checkpoint.WriteDiffusers(workspace.File("vace"));
        var port = FreePort();
        workspace.Cli.With("EDITORBRIDGE_HOST__PallaidiumPort", port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var added = await workspace.Cli.RunAsync("models", "add", workspace.File("vace"), "--json");
        Assert.True(added.ExitCode == 0, added.ToString());
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/"), Timeout = TimeSpan.FromMinutes(5) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(Path.Combine(workspace.DataFolder, "pallaidium.key"))).Trim());

        var models = (await http.GetFromJsonAsync<JsonElement>("v1/models")).GetProperty("data").EnumerateArray().ToDictionary(model => model.GetProperty("id").GetString()!);
        Assert.Equal(["t2v", "i2v", "control"], models["vace"].GetProperty("modes").EnumerateArray().Select(mode => mode.GetString()));
        Assert.Equal(8, models["vace"].GetProperty("max_ref_images").GetInt32());
        Assert.Contains("depth", models["vace"].GetProperty("control_types").EnumerateArray().Select(type => type.GetString()));
        Assert.Contains("on the way", models["vace"].GetProperty("description").GetString(), StringComparison.Ordinal);
        Assert.Equal(["t2v", "i2v"], models["sketch"].GetProperty("modes").EnumerateArray().Select(mode => mode.GetString()));

        var pictures = new List<string>();
        foreach (var colour in (string[])["0x2060c0", "0xc08020", "0x30a050"])
        {
            await Tool.RunAsync("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", $"color=c={colour}:s=64x32", "-frames:v", "1", workspace.File("picture.png"));
            pictures.Add(await UploadAsync(http, workspace.File("picture.png"), "reference"));
        }

        var (first, last, other) = (pictures[0], pictures[1], pictures[2]);
        var video = await UploadAsync(http, workspace.File("a.mp4"), "control");
        object Anchor(string id, double fraction) => new { file_id = id, fraction };
        // Each is the one above it and one thing more, which must show in the frames.
        var jobs = new (string Name, string Kind, (string Field, object Value)[] Given)[]
        {
            ("words", "broll", []),
            ("a subject", "broll", [("reference_file_ids", new[] { other })]),
            ("a subject and a picture on the way", "broll", [("reference_file_ids", new[] { other }), ("anchor_file_ids", new[] { Anchor(last, 0.5) })]),
            ("the same and a video to follow", "broll", [("reference_file_ids", new[] { other }), ("anchor_file_ids", new[] { Anchor(last, 0.5) }), ("control_file_id", video)]),
            ("the same, which weighs half", "broll",
                [("reference_file_ids", new[] { other }), ("anchor_file_ids", new[] { Anchor(last, 0.5) }), ("control_file_id", video), ("control_type", "depth"), ("control_strength", 0.5)]),
            ("a first and a last picture", "fill", [("image_file_id", first), ("last_image_file_id", last)]),
            ("the same and one between them", "fill", [("image_file_id", first), ("last_image_file_id", last), ("anchor_file_ids", new[] { Anchor(other, 0.5) })]),
            ("a first and a last picture and a video to follow", "broll", [("image_file_id", first), ("last_image_file_id", last), ("control_file_id", video)]),
            ("a video made anew", "restyle", [("video_file_id", video), ("strength", 0.7)]),
        };
        var made = new Dictionary<string, string>();
        foreach (var (name, kind, given) in jobs) made[name] = await MakeAsync(http, kind, given);
        Assert.Equal(made.Count, made.Values.Distinct().Count());

        // The picture a clip begins with comes among the references once more, as the add-on sends it, and is no subject for that.
        Assert.Equal(
            await MakeAsync(http, "broll", [("image_file_id", first), ("reference_file_ids", new[] { other })]),
            await MakeAsync(http, "broll", [("image_file_id", first), ("reference_file_ids", new[] { first, other })]));

        foreach (var (field, value, sentence) in new (string, object, string)[]
        {
            ("reference_file_ids", Enumerable.Repeat(other, 9), "use 8 at most"),
            ("control_strength", 3.0, "out of range"),
            ("video_file_id", first + "0", "no file that was uploaded"),
            ("reference_audio_ids", new[] { video }, "without sound"),
        })
        {
            using var refused = await http.PostAsJsonAsync("v1/videos", Body([(field, value), .. field == "control_strength" ? [("control_file_id", (object)video)] : Array.Empty<(string, object)>()]));
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains(sentence, await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    private static Dictionary<string, object> Body(IEnumerable<(string Field, object Value)> given)
    {
        var body = new Dictionary<string, object>
        {
            ["model"] = "vace", ["prompt"] = "waves", ["negative_prompt"] = "", ["width"] = 64, ["height"] = 32, ["num_frames"] = Frames, ["fps"] = 24, ["seed"] = 7, ["num_inference_steps"] = 2,
            ["strength"] = 0.5,
        };
        foreach (var (field, value) in given) body[field] = value;
        return body;
    }

    /// <summary>Makes a clip of the right length by a job of that kind, and gives what its frames are.</summary>
    private async Task<string> MakeAsync(HttpClient http, string kind, (string Field, object Value)[] given)
    {
        using var created = await http.PostAsJsonAsync("v1/videos", Body(given));
        var answer = await created.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(created.IsSuccessStatusCode, answer.ToString());
        var id = answer.GetProperty("id").GetString()!;
        var clock = Stopwatch.StartNew();
        JsonElement job;
        do
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(5), "The job does not end.");
            await Task.Delay(100);
            job = await http.GetFromJsonAsync<JsonElement>("v1/jobs/" + id);
        }
        while (job.GetProperty("status").GetString() is "queued" or "running");
        Assert.True(job.GetProperty("status").GetString() == "succeeded", job.ToString());
        var listed = Assert.Single((await workspace.Cli.RunAsync("jobs", "list", "--json")).Events("state"), one => one.GetProperty("job").GetString()!.EndsWith(id, StringComparison.Ordinal));
        Assert.Equal(kind, listed.GetProperty("kind").GetString());
        var path = workspace.File(id + ".mp4");
        await File.WriteAllBytesAsync(path, await http.GetByteArrayAsync("v1/files/" + job.GetProperty("file_id").GetString()));
        var counted = await Tool.RunAsync("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", "stream=width,height,nb_read_frames", "-of", "csv=p=0", path);
        Assert.Equal($"64,32,{Frames}", counted.Trim());
        return await Tool.RunAsync("ffmpeg", "-v", "error", "-i", path, "-f", "md5", "-");
    }

    private static async Task<string> UploadAsync(HttpClient http, string path, string purpose)
    {
        using var form = new MultipartFormDataContent("----PallaidiumBoundary0123456789abcdef")
        {
            { new StringContent(purpose), "purpose" }, { new ByteArrayContent(await File.ReadAllBytesAsync(path)), "file", Path.GetFileName(path) },
        };
        using var answer = await http.PostAsync("v1/files", form);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(answer.IsSuccessStatusCode, body.ToString());
        return body.GetProperty("file_id").GetString()!;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
