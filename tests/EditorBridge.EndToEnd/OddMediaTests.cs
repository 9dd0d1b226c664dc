using System.Globalization;
using System.Text.Json;
using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd;

/// <summary>Media as they come from cameras, phones and other people's folders.</summary>
[Trait("Speed", "slow")]
public sealed class OddMediaTests(Workspace workspace) : IClassFixture<Workspace>
{
    private const string Folder = "Médien ü 日本 (1)";

    [FFmpegFact]
    public async Task Names_with_spaces_escapes_and_other_alphabets_are_found_and_given_back()
    {
        var film = await MakeAsync("a 25% #1.mp4", "25", "128x72");
        var escaped = string.Join('/', Path.GetRelativePath(workspace.Path, film).Split('/').Select(Uri.EscapeDataString));
        string[] urls =
        [
            "file://" + string.Join('/', film.Split('/').Select(Uri.EscapeDataString)),
            "file://localhost" + string.Join('/', film.Split('/').Select(Uri.EscapeDataString)),
            film,
            Path.GetRelativePath(workspace.Path, film),
            "./" + Path.GetRelativePath(workspace.Path, film),
            escaped,
        ];
        foreach (var url in urls)
        {
            var plan = await PlanAsync(Cut(url, "25.0"));
            Assert.Equal(("25/1", 128), (plan.GetProperty("rate").GetString(), plan.GetProperty("size").GetProperty("width").GetInt32()));
        }

        var output = workspace.File("Schnitt – 2 ü.otio");
        var result = await workspace.Cli.RunAsync("fill", "--timeline", Cut(urls[0], "25.0"), "--out", output, "--prompt", "sea – 海", "--steps", "2", "--json");
        Assert.True(result.ExitCode == 0, result.ToString());
        var clip = Assert.Single(Assert.Single(result.Events("done")).GetProperty("clips").EnumerateArray());
        Assert.Equal("10", (await Tool.ProbeAsync(clip.GetProperty("path").GetString()!)).GetProperty("nb_read_frames").GetString());
        Assert.True(Workspace.Read(output).Index.VideoTracks.First().Items.Count > 2);
    }

    [FFmpegFact]
    public async Task Sources_at_any_rate_and_shape_are_read_upright_and_square()
    {
        foreach (var (rate, spelled, size, wanted) in ((string, string, string, string)[])
                 [("25", "25.0", "128x72", "25/1"), ("30000/1001", "29.97002997002997", "128x72", "30000/1001"), ("24", "24.0", "72x128", "24/1"), ("60", "60.0", "96x96", "60/1")])
        {
            var film = await MakeAsync($"f{size}-{rate.Replace('/', '-')}.mp4", rate, size);
            var plan = await PlanAsync(Cut(film, spelled));
            Assert.Equal(wanted, plan.GetProperty("rate").GetString());
            Assert.Equal(size, Size(plan, "size"));
            var (width, height) = (plan.GetProperty("canvas").GetProperty("width").GetInt32(), plan.GetProperty("canvas").GetProperty("height").GetInt32());
            Assert.Equal(Math.Sign(int.Parse(size.Split('x')[0], CultureInfo.InvariantCulture) - int.Parse(size.Split('x')[1], CultureInfo.InvariantCulture)), Math.Sign(width - height));
        }

        var phone = workspace.File(Folder + "/phone.mp4");
        TurnedFilm.Write(await MakeAsync("lying.mp4", "24", "128x72"), phone, 90);
        Assert.Equal("72x128", Size(await PlanAsync(Cut(phone, "24.0")), "size"));
    }

    [FFmpegFact]
    public async Task A_size_that_the_codec_cannot_hold_names_the_file_and_the_way_out()
    {
        var odd = workspace.File(Folder + "/odd.mkv");
        Directory.CreateDirectory(Path.GetDirectoryName(odd)!);
        await Tool.RunAsync("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=128x72:rate=24", "-vf", "scale=127:71,setsar=1,format=yuv444p", "-frames:v", "60", "-c:v", "ffv1", odd);
        await RefusedAsync(Cut(odd, "24.0"), ["plan", "fill"], "SIZE_ODD", odd, "127x71", "--size 126x70");
        var plan = Assert.Single((await workspace.Cli.RunAsync("plan", "fill", "--timeline", Cut(odd, "24.0"), "--prompt", "sea", "--size", "126x70", "--json")).Events("plan"));
        Assert.Equal("126x70", Size(plan, "size"));
    }

    [FFmpegFact]
    public async Task Interlaced_and_variable_sources_are_used_and_the_plan_says_how()
    {
        var interlaced = workspace.File(Folder + "/interlaced.mp4");
        Directory.CreateDirectory(Path.GetDirectoryName(interlaced)!);
        await Tool.RunAsync("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=128x72:rate=50", "-vf", "interlace,setfield=tff", "-frames:v", "60",
            "-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ilme+ildct", "-x264opts", "tff=1", "-pix_fmt", "yuv420p", interlaced);
        Assert.Contains(Warnings(await PlanAsync(Cut(interlaced, "25.0"))), warning => warning.Contains("interlaced", StringComparison.Ordinal));
        var variable = workspace.File(Folder + "/variable.mp4");
        await Tool.RunAsync("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=128x72:rate=24", "-vf", "select='not(mod(n,3))+gt(n,60)'", "-vsync", "vfr",
            "-frames:v", "60", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", variable);
        Assert.Contains(Warnings(await PlanAsync(Cut(variable, "24.0"))), warning => warning.Contains("variable", StringComparison.Ordinal));
    }

    [FFmpegFact]
    public async Task A_clip_of_sound_alone_has_no_picture_to_go_on_from()
    {
        var sound = workspace.File("sound.wav");
        await Tool.RunAsync("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "sine=frequency=300:duration=3", "-ac", "2", sound);
        await RefusedAsync(Cut(sound, "24.0"), ["plan", "fill"], "MEDIA_UNREADABLE", "sound.wav", "no movie or picture");
        var film = workspace.File("sound.mp4");
        await Tool.RunAsync("ffmpeg", "-v", "error", "-y", "-i", sound, "-c:a", "aac", film);
        await RefusedAsync(Cut(film, "24.0"), ["plan", "fill"], "MEDIA_UNREADABLE", "no picture in it");
    }

    [FFmpegFact]
    public async Task A_timeline_without_a_video_track_gets_one_or_says_what_it_lacks()
    {
        var cut = new SampleCut("24.0", 86400);
        var path = workspace.File("sound only.otio");
        cut.Track("Audio", cut.Clip("music", "a.mp4", 0, 48, 60)).Write(path);
        await RefusedAsync(path, ["plan", "fill"], "TRACK_NOT_FOUND", "no video track");
        await RefusedAsync(path, ["plan", "broll", "--in", "0", "--out-point", "+24"], "SIZE_UNKNOWN", "--size");
        var plan = Assert.Single((await workspace.Cli.RunAsync("plan", "broll", "--in", "0", "--out-point", "+24", "--size", "320x180", "--timeline", path, "--prompt", "sea", "--json")).Events("plan"));
        Assert.Equal((1, true), (plan.GetProperty("track").GetInt32(), plan.GetProperty("adds_track").GetBoolean()));
    }

    [LinuxFact(AsRoot = true)]
    public async Task Files_that_the_host_cannot_see_are_uploaded_to_it()
    {
        // The host gets a view of the disk of its own, in which the folder of media is empty, as a sandbox would have it.
        var hidden = workspace.File("hidden");
        Directory.CreateDirectory(hidden);
        foreach (var shot in (string[])["a.mp4", "b.mp4"]) File.Copy(workspace.File(shot), Path.Combine(hidden, shot));
        await Tool.RunAsync("ffmpeg", "-v", "error", "-y", "-i", workspace.File("a.mp4"), "-frames:v", "1", Path.Combine(hidden, "look.png"));
        using var own = new TemporaryFolder();
        var data = own.File("d");
        var program = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(CliProgram.Path)))!, "EditorBridge.Host", new DirectoryInfo(AppContext.BaseDirectory).Name, "EditorBridge.Host");
        var wrapper = own.File("host.sh");
        await File.WriteAllTextAsync(wrapper, $"""
            #!/bin/sh
            exec unshare -m sh -c 'mount -t tmpfs tmpfs "$0" && exec "$@"' "{hidden}" "{program}" "$@"
            """);
        await Tool.RunAsync("chmod", "+x", wrapper);
        var cli = new CliProgram(data).With("EDITORBRIDGE_HOST", wrapper);
        try
        {
            var output = Path.Combine(hidden, "out.otio");
            var fill = await cli.RunAsync("fill", "--timeline", workspace.TwoShots("hidden.otio", folderOfMedia: "hidden/"), "--out", output, "--gap", "1", "--prompt", "sea", "--steps", "2", "--json");
            Assert.True(fill.ExitCode == 0, fill.ToString());
            Assert.Equal(2, fill.Events("notice").Count(notice => notice.GetProperty("message").GetString()!.Contains("is uploaded", StringComparison.Ordinal)));
            var clip = Assert.Single(Assert.Single(fill.Events("done")).GetProperty("clips").EnumerateArray());
            Assert.Equal("10", (await Tool.ProbeAsync(clip.GetProperty("path").GetString()!)).GetProperty("nb_read_frames").GetString());
            var plan = await cli.RunAsync("plan", "broll", "--timeline", workspace.TwoShots("seen.otio"), "--in", "0", "--out-point", "+5", "--prompt", "sea",
                "--reference", Path.Combine(hidden, "look.png"), "--json");
            Assert.True(plan.ExitCode == 0, plan.ToString());
            Assert.Equal(1, Assert.Single(plan.Events("plan")).GetProperty("context_before").GetInt32());
        }
        finally
        {
            Workspace.StopHost(data);
        }
    }

    private async Task<string> MakeAsync(string name, string rate, string size)
    {
        var path = workspace.File(Path.Combine(Folder, name));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await Tool.MakeMovieAsync(path, 60, rate, size);
        return path;
    }

    private string Cut(string url, string rate)
    {
        var cut = new SampleCut(rate, 0);
        var path = workspace.File($"{Guid.NewGuid():N}.otio");
        cut.Track("Video", cut.Clip("A", url, 8, 24, 60), cut.Gap(10), cut.Clip("B", url, 12, 24, 60)).Write(path);
        return path;
    }

    private async Task<JsonElement> PlanAsync(string timeline)
    {
        var result = await workspace.Cli.RunAsync("plan", "fill", "--timeline", timeline, "--prompt", "sea", "--json");
        Assert.True(result.ExitCode == 0, result.ToString());
        return Assert.Single(result.Events("plan"));
    }

    private async Task RefusedAsync(string timeline, string[] command, string reason, params string[] says)
    {
        var result = await workspace.Cli.RunAsync([.. command, "--timeline", timeline, "--prompt", "sea", "--json"]);
        Assert.Equal(1, result.ExitCode);
        var error = Assert.Single(result.Events("error"));
        Assert.Equal(reason, error.GetProperty("reason").GetString());
        foreach (var word in says) Assert.Contains(word, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static string Size(JsonElement plan, string name) => $"{plan.GetProperty(name).GetProperty("width").GetInt32()}x{plan.GetProperty(name).GetProperty("height").GetInt32()}";

    private static IEnumerable<string> Warnings(JsonElement plan) => plan.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString()!);
}
