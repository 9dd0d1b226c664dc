using System.Globalization;
using System.Text.Json;
using EditorBridge.Tests.Shared;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Otio;

namespace EditorBridge.EndToEnd;

/// <summary>The jobs as a user runs them: command line, host, worker, the shipped model, ffmpeg. Few steps and few frames, to stay short.</summary>
[Trait("Speed", "slow")]
public sealed class JobTests(Workspace workspace) : IClassFixture<Workspace>
{
    private static readonly string[] Fast = ["--steps", "2", "--seed", "7", "--json"];

    [FFmpegFact]
    public async Task Fill_leads_from_one_shot_into_the_next()
    {
        var input = workspace.TwoShots("fill.otio");
        var result = await RunAsync("fill", input, "--gap", "1", "--prompt", "waves on a beach");
        var clip = Done(result);
        Assert.Equal(("fill", 1, 24, 10), (clip.GetProperty("kind").GetString(), clip.GetProperty("track").GetInt32(), clip.GetProperty("record_start").GetInt32(), clip.GetProperty("frames").GetInt32()));
        await CheckClipAsync(clip, 10, "24/1", "h264", "01:00:01:00");
        var after = await CheckTimelineAsync(input, clip, result);
        Assert.Equal(["A", clip.GetProperty("name").GetString(), "B", ""], after.Index.Tracks[0].Items.Select(item => item.Name));

        // The plan came first and names the shots; progress rises to the end.
        var plan = Assert.Single(result.Events("plan"));
        Assert.Equal(("'A'", "'B'", "context"), (plan.GetProperty("before").GetString(), plan.GetProperty("after").GetString(), plan.GetProperty("mechanism").GetString()));
        Assert.Contains("video only", plan.GetProperty("placement").GetString(), StringComparison.Ordinal);
        var steps = result.Events("progress").Where(progress => progress.GetProperty("stage").GetString() == "denoise").Select(progress => progress.GetProperty("step").GetInt32()).ToList();
        Assert.Equal(steps.Order(), steps);
        Assert.Contains(result.Events("state"), state => state.GetProperty("state").GetString() == "succeeded");
    }

    [FFmpegFact]
    public async Task A_draft_says_so_in_its_plan_and_its_sidecar()
    {
        var input = workspace.TwoShots("draft.otio");
        var result = await workspace.Cli.RunAsync("fill", "--timeline", input, "--out", Output(input), "--gap", "1", "--prompt", "waves", "--preset", "draft", "--seed", "7", "--json");
        var clip = Done(result);
        await CheckClipAsync(clip, 10, "24/1", "h264", "01:00:01:00");
        var plan = Assert.Single(result.Events("plan"));
        var (steps, passes) = (plan.GetProperty("steps").GetInt32(), plan.GetProperty("passes").GetInt32());
        Assert.Equal("draft", plan.GetProperty("preset").GetString());
        Assert.InRange(passes, steps, 2 * steps - 1);

        using var sidecar = JsonDocument.Parse(File.ReadAllBytes(clip.GetProperty("sidecar").GetString()!));
        var sampling = sidecar.RootElement.GetProperty("sampling");
        Assert.Equal(("draft", steps), (sampling.GetProperty("preset").GetString(), sampling.GetProperty("steps").GetInt32()));
        Assert.Equal(plan.GetProperty("guidance_until").GetDouble(), sampling.GetProperty("guidanceUntil").GetDouble());
        Assert.Equal(plan.GetProperty("step_cache").GetProperty("threshold").GetDouble(), sampling.GetProperty("stepCache").GetProperty("threshold").GetDouble());
        Assert.Contains("preset draft", await Tool.RunAsync("ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json", clip.GetProperty("path").GetString()!), StringComparison.Ordinal);

        // What is asked for goes before the preset; what cannot be is refused by name.
        var asked = Assert.Single((await workspace.Cli.RunAsync("plan", "--timeline", input, "--gap", "1", "--prompt", "waves", "--preset", "draft", "--cache", "none", "--guidance-until", "1",
            "--sampler", "lcm", "--timesteps", "1000,500", "--shift", "3", "--json")).Events("plan"));
        Assert.Equal((2, 4, "lcm"), (asked.GetProperty("steps").GetInt32(), asked.GetProperty("passes").GetInt32(), asked.GetProperty("sampler").GetString()));
        Assert.False(asked.TryGetProperty("step_cache", out _));
        var refused = await workspace.Cli.RunAsync("plan", "--timeline", input, "--gap", "1", "--prompt", "waves", "--cache", "teacache", "--json");
        Assert.Equal("STEP_CACHE_UNSUPPORTED", Assert.Single(refused.Events("error")).GetProperty("reason").GetString());
    }

    [FFmpegFact]
    public async Task The_same_seed_gives_the_same_frames_and_another_other_ones()
    {
        var input = workspace.TwoShots("seed.otio");
        var hashes = new List<string>();
        foreach (var (seed, run) in new[] { (5, 1), (5, 2), (6, 3) })
        {
            var clip = Done(await workspace.Cli.RunAsync("fill", "--timeline", input, "--out", workspace.File($"seed{run}.otio"), "--gap", "1", "--prompt", "snow",
                "--steps", "2", "--json", "--seed", seed.ToString(CultureInfo.InvariantCulture)));
            hashes.Add(await Tool.RunAsync("ffmpeg", "-v", "error", "-i", clip.GetProperty("path").GetString()!, "-f", "md5", "-"));
        }

        Assert.Equal(hashes[0], hashes[1]);
        Assert.NotEqual(hashes[0], hashes[2]);
    }

    [FFmpegFact]
    public async Task Extend_uses_real_frames_where_the_media_has_them()
    {
        var input = workspace.TwoShots("handles.otio");
        var result = await RunAsync("extend", input, "--clip", "A", "--frames", "6", "--prompt", "anything");
        var clip = Done(result);
        Assert.Equal("handles", clip.GetProperty("kind").GetString());
        Assert.Empty(result.Events("state"));
        var after = Workspace.Read(Output(input)).Index.Tracks[0];
        Assert.Equal(new MediaRange(FrameRate.F24, 8, 30), after.Items[0].SourceRange);
        Assert.Equal(4, after.Items[1].RecordRange.Duration);
        await RenderAsync(Output(input));
    }

    [FFmpegFact]
    public async Task Extend_uses_the_real_frames_there_are_and_generates_the_rest()
    {
        var input = workspace.File("partly.otio");
        var cut = new SampleCut();
        // Four frames are left at A's tail, three at B's head.
        cut.Track("Video", cut.Clip("A", "a.mp4", 8, 24, 36), cut.Gap(10), cut.Clip("B", "b.mp4", 3, 30, Workspace.Held)).Write(input);
        var tail = await RunAsync("extend", input, "--clip", "A", "--frames", "9", "--prompt", "the same, going on");
        Assert.True(tail.ExitCode == 0, tail.ToString());
        Assert.Equal([("handles", 24, 4), ("extend", 28, 5)], Clips(tail));
        Assert.Equal([("handles", 0), ("context", 9)], tail.Events("plan").Select(p => (p.GetProperty("mechanism").GetString(), p.TryGetProperty("context_before", out var k) ? k.GetInt32() : 0)));
        Assert.DoesNotContain(tail.Events("plan")[1].GetProperty("warnings").EnumerateArray(), warning => warning.GetString()!.Contains("still holds", StringComparison.Ordinal));
        var track = Workspace.Read(Output(input)).Index.Tracks[0];
        Assert.Equal(new MediaRange(FrameRate.F24, 8, 28), track.Items[0].SourceRange);
        Assert.Equal([(0L, 28L), (28L, 5L), (33L, 1L), (34L, 30L)], track.Items.Select(i => (i.RecordRange.Start, i.RecordRange.Duration)));
        await CheckClipAsync(Assert.Single(tail.Events("done")).GetProperty("clips")[1], 5, "24/1", "h264", "00:00:01:04");
        await RenderAsync(Output(input));

        var head = await RunAsync("extend", input, "--clip", "B", "--head", "--frames", "7", "--prompt", "how it began");
        Assert.True(head.ExitCode == 0, head.ToString());
        Assert.Equal([("handles", 31, 3), ("extend", 27, 4)], Clips(head));
        track = Workspace.Read(Output(input)).Index.Tracks[0];
        Assert.Equal([(0L, 24L), (24L, 3L), (27L, 4L), (31L, 33L)], track.Items.Select(i => (i.RecordRange.Start, i.RecordRange.Duration)));
        Assert.Equal(new MediaRange(FrameRate.F24, 0, 33), track.Items[3].SourceRange);

        var ripple = await RunAsync("extend", input, "--clip", "A", "--frames", "6", "--place", "ripple", "--prompt", "on and on");
        Assert.True(ripple.ExitCode == 0, ripple.ToString());
        Assert.Equal([("handles", 24, 4), ("extend", 28, 2)], Clips(ripple));
        track = Workspace.Read(Output(input)).Index.Tracks[0];
        Assert.Equal([(0L, 28L), (28L, 2L), (30L, 10L), (40L, 30L)], track.Items.Select(i => (i.RecordRange.Start, i.RecordRange.Duration)));
    }

    private static IEnumerable<(string?, int, int)> Clips(CliResult result) => Assert.Single(result.Events("done")).GetProperty("clips").EnumerateArray()
        .Select(clip => (clip.GetProperty("kind").GetString(), clip.GetProperty("record_start").GetInt32(), clip.GetProperty("frames").GetInt32()));

    [FFmpegFact]
    public async Task Extend_generates_where_it_is_told_to()
    {
        var input = workspace.TwoShots("tail.otio");
        var result = await RunAsync("extend", input, "--clip", "B", "--frames", "9", "--generate", "--prompt", "the same, going on");
        var clip = Done(result);
        Assert.Equal((1, 64, 9), (clip.GetProperty("track").GetInt32(), clip.GetProperty("record_start").GetInt32(), clip.GetProperty("frames").GetInt32()));
        await CheckClipAsync(clip, 9, "24/1", "h264", "01:00:02:16");
        await CheckTimelineAsync(input, clip, result);
    }

    [FFmpegFact]
    public async Task Extend_at_the_head_goes_above_where_the_track_is_taken()
    {
        var input = workspace.File("head.otio");
        var cut = new SampleCut();
        cut.Track("Video", cut.Clip("A", "a.mp4", 0, 24, Workspace.Held), cut.Clip("B", "b.mp4", 0, 30, Workspace.Held)).Write(input);
        var result = await RunAsync("extend", input, "--clip", "B", "--head", "--frames", "7", "--prompt", "how it began");
        var clip = Done(result);
        Assert.Equal((2, 17, 7), (clip.GetProperty("track").GetInt32(), clip.GetProperty("record_start").GetInt32(), clip.GetProperty("frames").GetInt32()));
        await CheckClipAsync(clip, 7, "24/1", "h264", "00:00:00:17");
        await CheckTimelineAsync(input, clip, result);
    }

    [FFmpegFact]
    public async Task Ripple_moves_every_track()
    {
        var input = workspace.File("ripple.otio");
        var cut = new SampleCut();
        cut.Track("Video", cut.Clip("A", "a.mp4", 0, 24, Workspace.Held), cut.Clip("B", "b.mp4", 0, 30, Workspace.Held))
            .Track("Audio", cut.Clip("a sound", "a.mp4", 0, 24, Workspace.Held), cut.Clip("b sound", "b.mp4", 0, 30, Workspace.Held)).Write(input);
        var result = await RunAsync("extend", input, "--clip", "A", "--frames", "5", "--place", "ripple", "--generate", "--prompt", "on and on");
        var clip = Done(result);
        await CheckClipAsync(clip, 5, "24/1", "h264", "00:00:01:00");
        var tracks = Workspace.Read(Output(input)).Index.Tracks;
        Assert.Equal(29, tracks[0].Items[2].RecordRange.Start);
        Assert.Equal(29, tracks[1].Items[2].RecordRange.Start);
        await RenderAsync(Output(input));
    }

    [FFmpegFact]
    public async Task Broll_lies_on_a_new_track_at_the_sequence_rate_in_prores()
    {
        var input = workspace.TwoShots("broll.otio", rate: "23.976023976023978");
        var result = await RunAsync("broll", input, "--in", "01:00:00:06", "--out-point", "01:00:00:16", "--inclusive-out", "--codec", "prores", "--prompt", "a city at night, rain");
        var clip = Done(result);
        Assert.Equal((2, 6, 11), (clip.GetProperty("track").GetInt32(), clip.GetProperty("record_start").GetInt32(), clip.GetProperty("frames").GetInt32()));
        await CheckClipAsync(clip, 11, "24000/1001", "prores", "01:00:00:06");
        var after = await CheckTimelineAsync(input, clip, result);
        Assert.Equal([TrackKind.Video, TrackKind.Video, TrackKind.Audio], after.Index.Tracks.Select(track => track.Kind));
    }

    [FFmpegFact]
    public async Task Broll_at_another_rate_than_the_model_is_exact_in_dnxhr()
    {
        var input = workspace.File("pal.otio");
        var cut = new SampleCut("30.0");
        cut.Track("Video", cut.Gap(60)).Write(input);
        var result = await RunAsync("broll", input, "--in", "10", "--out-point", "+21", "--size", "256x144", "--codec", "dnxhr", "--prompt", "desert, noon");
        await CheckClipAsync(Done(result), 21, "30/1", "dnxhd", "00:00:00:10", 256, 144);
    }

    [FFmpegFact]
    public async Task A_still_is_held_over_its_range()
    {
        var input = workspace.TwoShots("still.otio");
        var result = await RunAsync("still", input, "--in", "2", "--frames", "12", "--prompt", "mountains at dawn");
        var clip = Done(result);
        await CheckClipAsync(clip, 12, "24/1", "h264", "01:00:00:02");
        await CheckTimelineAsync(input, clip, result);
    }

    [FFmpegFact]
    public async Task Every_take_is_a_medium_of_the_clip_and_old_media_are_found_from_another_folder()
    {
        var input = workspace.TwoShots("takes.otio");
        var output = Path.Combine(Directory.CreateDirectory(workspace.File("elsewhere")).FullName, "takes.otio");
        var result = await workspace.Cli.RunAsync(["fill", "--timeline", input, "--out", output, "--gap", "1", "--takes", "2", "--prompt", "waves", .. Fast]);
        var clip = Done(result);
        var other = Assert.Single(clip.GetProperty("other_takes").EnumerateArray()).GetString()!;
        using var written = JsonDocument.Parse(File.ReadAllBytes(output));
        var items = written.RootElement.GetProperty("tracks").GetProperty("children")[0].GetProperty("children");
        Assert.Equal("../a.mp4", items[0].GetProperty("media_references").GetProperty("DEFAULT_MEDIA").GetProperty("target_url").GetString());
        var media = items[1].GetProperty("media_references");
        Assert.Equal([(clip.GetProperty("path").GetString()!, 7), (other, 8)], new[] { "DEFAULT_MEDIA", "TAKE_2" }.Select(key => media.GetProperty(key))
            .Select(medium => (MediaPath.Resolve(medium.GetProperty("target_url").GetString()!, Path.GetDirectoryName(output)!).Value, Seed(medium))));
        await CheckClipAsync(clip, 10, "24/1", "h264", "01:00:01:00");
        // melt finds the shots from the new folder too, and the other take where it is chosen.
        await RenderAsync(output);
        var chosen = Path.ChangeExtension(output, ".second.otio");
        File.WriteAllText(chosen, File.ReadAllText(output).Replace(Path.GetFileName(clip.GetProperty("path").GetString()!), Path.GetFileName(other), StringComparison.Ordinal));
        await RenderAsync(chosen);

        int Seed(JsonElement medium) => (medium.GetProperty("metadata").TryGetProperty("editorbridge", out var own) ? own : items[1].GetProperty("metadata").GetProperty("editorbridge"))
            .GetProperty("seed").GetInt32();
    }

    [FFmpegFact]
    public async Task All_gaps_between_shots_are_filled_at_once()
    {
        var input = workspace.File("gaps.otio");
        var cut = new SampleCut();
        cut.Track("Video", cut.Gap(5), cut.Clip("A", "a.mp4", 8, 24, 60), cut.Gap(6), cut.Clip("B", "b.mp4", 8, 24, 60), cut.Gap(7), cut.Clip("C", "a.mp4", 0, 24, 60)).Write(input);
        var result = await RunAsync("fill", input, "--all-gaps", "--prompt", "clouds");
        Assert.Equal(0, result.ExitCode);
        var clips = result.Events("done")[0].GetProperty("clips").EnumerateArray().ToList();
        Assert.Equal([(29, 6), (59, 7)], clips.Select(clip => (clip.GetProperty("record_start").GetInt32(), clip.GetProperty("frames").GetInt32())));
        Assert.Equal(6, Workspace.Read(Output(input)).Index.Tracks[0].Items.Count);
        await RenderAsync(Output(input));
    }

    [FFmpegFact]
    public async Task A_plan_says_what_would_happen_and_writes_nothing()
    {
        var input = workspace.TwoShots("plan.otio");
        var before = Directory.GetFileSystemEntries(workspace.Path).Length;
        var result = await workspace.Cli.RunAsync("plan", "--timeline", input, "--gap", "1", "--prompt", "rain", "--json");
        Assert.True(result.ExitCode == 0, result.ToString());
        var plan = Assert.Single(result.Events("plan"));
        Assert.Equal((10, 1, "models/sketch"), (plan.GetProperty("frames").GetInt32(), plan.GetProperty("windows").GetInt32(), plan.GetProperty("model").GetString()));
        Assert.True(plan.GetProperty("peak_memory_bytes").GetInt64() > 0);
        Assert.Empty(result.Events("state"));
        Assert.InRange(Directory.GetFileSystemEntries(workspace.Path).Length, before, before + 1);
        var text = await workspace.Cli.RunAsync("plan", "fill", "--timeline", input, "--prompt", "rain");
        Assert.Contains(text.Output, line => line.Contains("fill, 10 frames", StringComparison.Ordinal));
    }

    [FFmpegFact]
    public async Task The_host_answers_for_its_models_its_health_and_its_jobs()
    {
        var input = workspace.TwoShots("host.otio");
        Done(await RunAsync("fill", input, "--gap", "1", "--prompt", "fog"));
        var model = (await workspace.Cli.RunAsync("models", "list", "--json")).Events("model")[0];
        Assert.Equal(("sketch", true, true), (model.GetProperty("name").GetString(), model.GetProperty("default").GetBoolean(), model.GetProperty("ready").GetBoolean()));
        var doctor = await workspace.Cli.RunAsync("doctor", "--json");
        Assert.True(doctor.ExitCode == 0, doctor.ToString());
        Assert.NotEmpty(doctor.Events("finding"));
        var job = (await workspace.Cli.RunAsync("jobs", "list", "--json")).Events("state")[0];
        Assert.Equal("fog", job.GetProperty("prompt").GetString());
        var shown = Assert.Single((await workspace.Cli.RunAsync("jobs", "show", job.GetProperty("job").GetString()!, "--json")).Events("state"));
        Assert.Equal("succeeded", shown.GetProperty("state").GetString());
    }

    private Task<CliResult> RunAsync(string verb, string input, params string[] arguments) =>
        workspace.Cli.RunAsync([verb, "--timeline", input, "--out", Output(input), .. arguments, .. Fast]);

    private static string Output(string input) => Path.ChangeExtension(input, ".out.otio");

    private static JsonElement Done(CliResult result)
    {
        Assert.True(result.ExitCode == 0, result.ToString());
        return Assert.Single(Assert.Single(result.Events("done")).GetProperty("clips").EnumerateArray());
    }

    private static async Task CheckClipAsync(JsonElement clip, int frames, string rate, string codec, string timecode, int width = 128, int height = 72)
    {
        var path = clip.GetProperty("path").GetString()!;
        var stream = await Tool.ProbeAsync(path);
        Assert.Equal(frames.ToString(CultureInfo.InvariantCulture), stream.GetProperty("nb_read_frames").GetString());
        Assert.Equal((rate, rate), (stream.GetProperty("r_frame_rate").GetString(), stream.GetProperty("avg_frame_rate").GetString()));
        Assert.Equal(("bt709", "bt709", "bt709", "tv"), (stream.GetProperty("color_primaries").GetString(), stream.GetProperty("color_transfer").GetString(),
            stream.GetProperty("color_space").GetString(), stream.TryGetProperty("color_range", out var range) || codec != "prores" ? range.GetString() : "tv"));
        Assert.Equal((codec, width, height), (stream.GetProperty("codec_name").GetString(), stream.GetProperty("width").GetInt32(), stream.GetProperty("height").GetInt32()));
        var tagged = await Tool.RunAsync("ffprobe", "-v", "error", "-show_entries", "stream_tags=timecode:format_tags=timecode", "-of", "default=nw=1:nk=1", path);
        Assert.Contains(timecode, tagged, StringComparison.Ordinal);
        using var sidecar = JsonDocument.Parse(File.ReadAllBytes(clip.GetProperty("sidecar").GetString()!));
        Assert.Equal(JsonValueKind.Object, sidecar.RootElement.ValueKind);
    }

    private static async Task<OtioDocument> CheckTimelineAsync(string input, JsonElement clip, CliResult result)
    {
        var (before, after) = (Workspace.Read(input), Workspace.Read(Output(input)));
        Assert.Equal(Output(input), result.Events("done")[0].GetProperty("timeline").GetString());
        var item = after.Index.VideoTracks.ElementAt(clip.GetProperty("track").GetInt32() - 1).Items.Single(item => item.Name == clip.GetProperty("name").GetString());
        Assert.Equal(new FrameRange(clip.GetProperty("record_start").GetInt64(), clip.GetProperty("frames").GetInt64()), item.RecordRange);
        Assert.Equal(clip.GetProperty("path").GetString(), MediaPath.Resolve(item.Media!.Url!, Path.GetDirectoryName(Output(input))!).Value);
        // Audio, and every clip that was there, is as it was.
        Assert.Equal(Places(before, TrackKind.Audio), Places(after, TrackKind.Audio));
        Assert.Empty(Places(before, TrackKind.Video).Except(Places(after, TrackKind.Video)));
        await RenderAsync(Output(input));
        return after;
    }

    private static List<(string, FrameRange, MediaRange?)> Places(OtioDocument document, TrackKind kind) =>
        [.. document.Index.Tracks.Where(track => track.Kind == kind).SelectMany(track => track.Items).Where(item => item.Kind == ItemKind.Clip)
            .Select(item => (item.Name, item.RecordRange, item.SourceRange))];

    // melt renders every frame of the timeline, the new clip among them.
    private static async Task RenderAsync(string timeline)
    {
        if (!Tool.InContinuousIntegration && Tool.Find("melt") is null) return;
        var document = Workspace.Read(timeline);
        var folder = Path.GetDirectoryName(timeline)!;
        var project = MltProject.Write(document, folder, 128, 72);
        var movie = Path.ChangeExtension(project, ".avi");
        var rendered = await Tool.MeltAsync(project, movie);
        var frames = document.Index.VideoTracks.Max(track => track.Duration);
        Assert.Equal(frames.ToString(CultureInfo.InvariantCulture), rendered.GetProperty("nb_read_frames").GetString());
    }
}
