using System.Runtime.InteropServices;
using EditorBridge.Client;
using EditorBridge.Media;
using EditorBridge.Native.Tests.Support;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.Tests;

/// <summary>A host whose jobs are rehearsed, the OpenFX test host, and one job whose clip has six frames.</summary>
public sealed class OpenFxHost : IAsyncLifetime
{
    public HostProcess Host { get; private set; } = null!;

    public EditorBridgeClient Client { get; private set; } = null!;

    public string Program => Host.File("ofx_host");

    public async Task InitializeAsync()
    {
        if (NativeFactAttribute.Reason() is not null) return;
        Host = await HostProcess.StartAsync(rehearse: true);
        Client = await Host.ConnectAsync();
        await BuiltLibrary.CompileAsync("ofx_host.c", Program);
    }

    public async Task DisposeAsync()
    {
        Client?.Dispose();
        if (Host is not null) await Host.DisposeAsync();
    }

    /// <summary>Runs the test host; every picture it handed out must have come back, every progress bar must have ended, and an instance that is gone must have been left alone.</summary>
    public async Task<string[]> RunAsync(params string[] words)
    {
        var said = await BuiltLibrary.RunAsync(Program, [await BuiltLibrary.PathAsync, .. words], Host.Environment);
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (words[0] == "run")
        {
            Assert.Equal("stale 0", lines[^3]);
            Assert.StartsWith("images 0 of ", lines[^2], StringComparison.Ordinal);
            var bars = lines[^1].Split(' ');
            Assert.Equal(bars[1], bars[3]);
        }

        Assert.DoesNotContain(lines, line => line.StartsWith("failed", StringComparison.Ordinal));
        return lines;
    }

    /// <summary>What the test host said of something.</summary>
    public static IEnumerable<string> Said(string[] lines, string key) => lines.Where(line => line.StartsWith(key + " ", StringComparison.Ordinal)).Select(line => line[(key.Length + 1)..]);
}

/// <summary>The OpenFX plugin in a host of our own, as editors use it, with a real host of jobs behind it.</summary>
[Trait("Speed", "slow")]
public sealed partial class OpenFxTests(OpenFxHost fixture) : IClassFixture<OpenFxHost>
{
    private const int Width = 128;
    private const int Height = 72;

    [NativeFact]
    public async Task It_is_loaded_described_and_unloaded_again_and_again()
    {
        var lines = await fixture.RunAsync("scan", "25");
        Assert.Equal(
        [
            "context Generator 1 clips 12 parameters", "context Filter 2 clips 13 parameters", "context Transition 3 clips 13 parameters", "context General 2 clips 13 parameters",
            "plugin OfxImageEffectPluginAPI org.editorbridge.Generate 1", "scanned 25",
        ], lines);
    }

    [NativeFact]
    public async Task A_generator_makes_frames_and_shows_them_by_number_also_after_the_project_is_opened_again()
    {
        var (first, last, exported) = (fixture.Host.File("first"), fixture.Host.File("last"), fixture.Host.File("exported"));
        var lines = await fixture.RunAsync("run", "Generator", "prompt=Wellen, 100 % blau – 青い", "frames=6", "seed=7", "press=generate", "show=status", "show=job",
            $"render=0,{first}", $"render=5,{last}", "render=6", "again=loaded", "show=job", $"export=2,{exported}");
        Assert.Equal("Done: 6 frames, seed 7.", OpenFxHost.Said(lines, "status").Single());
        var jobs = OpenFxHost.Said(lines, "job").ToList();
        Assert.Equal(jobs[0], jobs[1]);
        Assert.Equal(["0", "0", "1", "0"], OpenFxHost.Said(lines, "source"));
        Assert.Equal("Generating frames", OpenFxHost.Said(lines, "progress").Single());
        var job = await fixture.Client.GetAsync(jobs[0]);
        Assert.Equal((JobSpec.Types.Kind.Broll, "Wellen, 100 % blau – 青い", 6L, Width, Height, new FrameRate { Numerator = 24000, Denominator = 1001 }),
            (job.Spec.Kind, job.Spec.Prompt, job.Spec.Delivery.Frames, job.Spec.Delivery.Size.Width, job.Spec.Delivery.Size.Height, job.Spec.Delivery.Rate));
        using var frames = await FramesAsync(job.Takes[0].Clip.Name, 8);
        foreach (var (number, file) in ((int, string)[])[(0, first), (5, last), (2, exported)])
            Assert.Equal(Enumerable.Range(0, Height).SelectMany(y => frames.Row(number, y).ToArray()), await File.ReadAllBytesAsync(file));
    }

    [NativeTheory]
    [InlineData("byte", "RGBA", "bottomup")]
    [InlineData("byte", "RGB", "")]
    [InlineData("byte", "Alpha", "bottomup")]
    [InlineData("short", "RGBA", "")]
    [InlineData("short", "RGB", "bottomup")]
    [InlineData("half", "RGBA", "bottomup")]
    [InlineData("half", "Alpha", "")]
    [InlineData("float", "RGBA", "")]
    [InlineData("float", "RGB", "bottomup")]
    public async Task Frames_are_shown_in_every_depth_component_and_order_of_rows(string depth, string components, string order)
    {
        var clip = await ClipAsync();
        var file = fixture.Host.File($"{depth}{components}{order}");
        string[] layout = [$"depth={depth}", $"components={components}", .. order.Length > 0 ? new[] { order } : []];
        var lines = await fixture.RunAsync(["run", "General", .. layout, $"job={clip.Split("/clips/")[0]}", $"export=3,{file}", "render=20"]);
        // Alpha alone is opaque in both, so nothing tells them apart.
        Assert.Equal([components == "Alpha" ? "1" : "0", "1"], OpenFxHost.Said(lines, "source"));
        using var frames = await FramesAsync(clip, depth == "byte" ? 8 : 16);
        var channels = components switch { "RGBA" => 4, "RGB" => 3, _ => 1 };
        var shown = await File.ReadAllBytesAsync(file);
        var size = depth switch { "byte" => 1, "float" => 4, _ => 2 };
        Assert.Equal(Width * Height * channels * size, shown.Length);
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                for (var c = 0; c < channels; c++)
                {
                    var at = ((y * Width + x) * channels + c) * size;
                    var from = 4 * x + (channels == 1 ? 3 : c);
                    if (depth == "byte")
                    {
                        Assert.Equal(frames.Row(3, y)[from], shown[at]);
                        continue;
                    }

                    var wanted = MemoryMarshal.Cast<byte, ushort>(frames.Row(3, y))[from];
                    if (depth == "short") Assert.Equal(wanted, BitConverter.ToUInt16(shown, at));
                    else if (depth == "half") Assert.Equal((Half)(wanted / 65535f), BitConverter.ToHalf(shown, at));
                    else Assert.Equal(wanted / 65535f, BitConverter.ToSingle(shown, at), 1e-6f);
                }
            }
        }
    }

    [NativeTheory]
    [InlineData("Filter", "byte", "")]
    [InlineData("Filter", "short", "bottomup")]
    [InlineData("Transition", "half", "bottomup")]
    [InlineData("Transition", "float", "")]
    [InlineData("Filter", "float", "order=BGRA")]
    [InlineData("Transition", "byte", "order=BGRA")]
    [InlineData("General", "half", "components=RGB")]
    [InlineData("Filter", "byte", "still")]
    public async Task The_frames_around_the_place_are_handed_over_to_the_last_bit(string context, string depth, string option)
    {
        // Behind another job it is not begun, and without a progress bar the editor need not wait for it.
        await using var busy = await BusyAsync();
        string[] options = [$"depth={depth}", .. option.Length > 0 ? new[] { option } : [], "no=progress"];
        string[] place = context != "Transition" ? ["start=10", "frames=6"] : [];
        var lines = await fixture.RunAsync(["run", context, .. options, "prompt=waves", "negative=rain", .. place, "press=generate", "wait-for=job"]);
        var job = await fixture.Client.GetAsync(OpenFxHost.Said(lines, "job").Single());
        Assert.Equal((Job.Types.State.Queued, "waves", "rain"), (job.State, job.Spec.Prompt, job.Spec.NegativePrompt));
        if (option == "still")
        {
            await AssertContextAsync(job.Spec.ContextBefore, "Source", 0, 1, depth);
        }
        else if (context != "Transition")
        {
            await AssertContextAsync(job.Spec.ContextBefore, "Source", 1, 9, depth);
            await AssertContextAsync(job.Spec.ContextAfter, "Source", 16, 9, depth);
        }
        else
        {
            await AssertContextAsync(job.Spec.ContextBefore, "SourceFrom", -9, 9, depth);
            await AssertContextAsync(job.Spec.ContextAfter, "SourceTo", 26, 9, depth);
        }

        await fixture.Client.CancelAsync(job.Name);
    }

    [NativeFact]
    public async Task A_filter_fills_between_the_real_frames_and_passes_the_others_through()
    {
        var lines = await fixture.RunAsync("run", "Filter", "prompt=waves", "start=10", "frames=6", "press=generate", "show=status", "show=job", "render=9", "render=10", "render=15",
            "render=16", "identity=9", "identity=10", "take=2", "identity=10");
        Assert.StartsWith("Done: 6 frames", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
        Assert.Equal(["1", "0", "0", "1"], OpenFxHost.Said(lines, "source"));
        Assert.Equal(["0 Source", "14 -", "0 Source"], OpenFxHost.Said(lines, "identity"));
        var job = await fixture.Client.GetAsync(OpenFxHost.Said(lines, "job").Single());
        Assert.Equal((JobSpec.Types.Kind.Fill, 10L, "Test host"), (job.Spec.Kind, job.Spec.Placement.RecordRange.Start, job.Spec.Placement.Application));
        Assert.Equal((9L, 9L), (job.Spec.ContextBefore.Segment.Range.Duration, job.Spec.ContextAfter.Segment.Range.Duration));
        // What was handed over is gone when the job has its copy.
        Assert.False(File.Exists(job.Spec.ContextBefore.Segment.Media.Path) || File.Exists(job.Spec.ContextAfter.Segment.Media.Path));
    }

    [NativeFact]
    public async Task A_filter_at_the_end_extends_its_clip()
    {
        var lines = await fixture.RunAsync("run", "Filter", "prompt=waves", "press=generate", "show=job", "show=start", "render=1", "render=2", "render=25");
        Assert.Equal("2", OpenFxHost.Said(lines, "start").Single());
        Assert.Equal(["1", "0", "0"], OpenFxHost.Said(lines, "source"));
        var job = await fixture.Client.GetAsync(OpenFxHost.Said(lines, "job").Single());
        Assert.Equal((JobSpec.Types.Kind.Extend, 24L), (job.Spec.Kind, job.Spec.Delivery.Frames));
        Assert.Null(job.Spec.ContextAfter);
        Assert.Equal(2, job.Spec.ContextBefore.Segment.Range.Duration);
    }

    [NativeFact]
    public async Task A_filter_from_the_first_frame_leads_into_its_clip()
    {
        await using var busy = await BusyAsync();
        var lines = await fixture.RunAsync("run", "Filter", "no=progress", "prompt=waves", "start=0", "frames=6", "press=generate", "wait-for=job");
        var job = await fixture.Client.GetAsync(OpenFxHost.Said(lines, "job").Single());
        Assert.Equal((JobSpec.Types.Kind.Extend, 0L, 6L), (job.Spec.Kind, job.Spec.Placement.RecordRange.Start, job.Spec.Delivery.Frames));
        Assert.Null(job.Spec.ContextBefore);
        await AssertContextAsync(job.Spec.ContextAfter, "Source", 6, 9, "byte");
        await fixture.Client.CancelAsync(job.Name);
    }

    [NativeFact]
    public async Task The_take_that_is_asked_for_is_shown()
    {
        var lines = await fixture.RunAsync("run", "Generator", "prompt=waves", "frames=4", "takes=2", "take=2", "press=generate", "show=status", "show=job", "show=frameFile", "render=1");
        Assert.StartsWith("Done: 4 frames", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
        Assert.Equal(["0"], OpenFxHost.Said(lines, "source"));
        var job = OpenFxHost.Said(lines, "job").Single();
        Assert.StartsWith($"{job}/clips/2 ", OpenFxHost.Said(lines, "frameFile").Single(), StringComparison.Ordinal);
        Assert.Equal(2, (await fixture.Client.GetAsync(job)).Takes.Count);
    }

    [NativeFact]
    public async Task Cancel_ends_a_job_that_goes_on_by_itself_and_leaves_no_frames_behind()
    {
        await using var busy = await BusyAsync();
        var before = HandedOver();
        var lines = await fixture.RunAsync("run", "Filter", "no=progress", "prompt=waves", "start=10", "frames=6", "press=generate", "wait-for=job", "press=cancel", "show=status");
        Assert.Equal("Cancelled.", OpenFxHost.Said(lines, "status").Single());
        Assert.Equal(Job.Types.State.Cancelled, (await fixture.Client.WaitAsync(OpenFxHost.Said(lines, "job").Single())).State);
        Assert.Empty(HandedOver().Except(before));
    }

    private string[] HandedOver() => Directory.Exists(Path.Combine(fixture.Host.Data, "handover")) ? Directory.GetFiles(Path.Combine(fixture.Host.Data, "handover")) : [];

    [NativeTheory]
    [InlineData("")]
    [InlineData("no=timeline")]
    public async Task A_transition_leads_from_the_frames_before_it_to_those_after(string lack)
    {
        string[] layout = lack.Length > 0 ? [lack] : [];
        var lines = await fixture.RunAsync(["run", "Transition", .. layout, "prompt=waves", "Transition=0.7", "identity=3", "press=generate", "show=job", "render=3", "identity=3"]);
        Assert.Equal(["0 SourceTo", "14 -"], OpenFxHost.Said(lines, "identity"));
        Assert.Equal(["0"], OpenFxHost.Said(lines, "source"));
        var job = await fixture.Client.GetAsync(OpenFxHost.Said(lines, "job").Single());
        Assert.Equal((JobSpec.Types.Kind.Fill, 26L), (job.Spec.Kind, job.Spec.Delivery.Frames));
    }

    [NativeFact]
    public async Task A_source_of_another_form_is_passed_through_to_the_last_bit()
    {
        string[] depths = ["byte", "short", "half", "float"], components = ["RGBA", "RGB", "Alpha"], orders = ["RGBA", "BGRA"];
        var words = new List<string> { "run", "Filter", "alpha" };
        var expected = new List<string>();
        foreach (var (depth, given) in depths.SelectMany(depth => depths.Select(given => (depth, given))))
        {
            foreach (var (wanted, has) in components.SelectMany(wanted => components.Select(has => (wanted, has))))
            {
                foreach (var order in orders)
                {
                    words.AddRange([$"depth={depth}", $"in-depth={given}", $"components={wanted}", $"in-components={has}", $"order={order}", "in-order=RGBA", "pass=3"]);
                    expected.Add("1");
                }
            }
        }

        words.AddRange(["components=RGB", "in-components=RGBA", "order=RGBA", "in-order=BGRA", "pass=4"]);
        expected.Add("1");
        Assert.Equal(expected, OpenFxHost.Said(await fixture.RunAsync([.. words]), "passed"));
    }

    [NativeTheory]
    [InlineData("no=temporal")]
    [InlineData("no=temporal-said")]
    public async Task A_host_that_ignores_the_time_is_told_so(string lack)
    {
        var lines = await fixture.RunAsync("run", "Filter", lack, "prompt=waves", "start=10", "frames=6", "press=generate", "show=status", "show=job");
        Assert.Contains("only the frame at the playhead", OpenFxHost.Said(lines, "message").Single(), StringComparison.Ordinal);
        Assert.Contains("only the frame at the playhead", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
        Assert.Equal([""], OpenFxHost.Said(lines, "job"));
    }

    [NativeFact]
    public async Task A_host_that_gives_one_frame_for_all_times_is_warned_and_served()
    {
        var lines = await fixture.RunAsync("run", "Filter", "still", "prompt=waves", "start=10", "frames=6", "press=generate", "show=status", "show=job");
        Assert.Contains("ignores the time", OpenFxHost.Said(lines, "message").Single(), StringComparison.Ordinal);
        Assert.StartsWith("Done: 6 frames", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
        Assert.Contains("ignores the time", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
        Assert.Equal(Job.Types.State.Succeeded, (await fixture.Client.GetAsync(OpenFxHost.Said(lines, "job").Single())).State);
    }

    [NativeFact]
    public async Task What_cannot_be_done_is_said_in_one_sentence()
    {
        var before = HandedOver();
        var empty = await fixture.RunAsync("run", "Generator", "press=generate", "show=status", "press=cancel", "show=status");
        Assert.Equal(["The prompt is empty; say in a few words what is to be seen.", "No job runs."], OpenFxHost.Said(empty, "status"));
        var alpha = await fixture.RunAsync("run", "Filter", "components=Alpha", "prompt=x", "start=10", "press=generate", "show=status");
        Assert.Contains("no colours", OpenFxHost.Said(alpha, "status").Single(), StringComparison.Ordinal);
        Assert.Empty(HandedOver().Except(before));
        var model = await fixture.RunAsync("run", "Generator", "no=message", "prompt=100 %s %n", "model=none", "press=generate", "show=status");
        Assert.Contains("none", OpenFxHost.Said(model, "status").Single(), StringComparison.Ordinal);
        Assert.Empty(OpenFxHost.Said(model, "message"));
    }

    [NativeFact]
    public async Task The_hosts_cancel_ends_the_job()
    {
        await using var busy = await BusyAsync();
        var lines = await fixture.RunAsync("run", "Generator", "stop-after=25", "prompt=waves", "frames=6", "press=generate", "show=status", "show=job", "render=0");
        Assert.Equal("Cancelled.", OpenFxHost.Said(lines, "status").Single());
        Assert.Equal("1", OpenFxHost.Said(lines, "source").Single());
        // On a machine this slow the cancel may have come before the job was stored: then there is none.
        if (OpenFxHost.Said(lines, "job").Single() is { Length: > 0 } name)
            Assert.Equal(Job.Types.State.Cancelled, (await fixture.Client.WaitAsync(name)).State);
    }

    [NativeFact]
    public async Task Without_a_progress_bar_the_job_goes_on_by_itself_and_rendering_waits_for_nothing()
    {
        var busy = await BusyAsync();
        var file = fixture.Host.File("later");
        var running = fixture.RunAsync("run", "Filter", "no=progress", "no=message", "no=timeline", "prompt=waves", "start=10", "frames=4", "press=generate", "wait-for=job", $"render=10,{file}-before", $"render-until=10,{file}",
            "wait-for=frameFile", "sync", "show=status");
        // Its clip cannot come before the other job ends, so that what is rendered until then is the source.
        while (!running.IsCompleted && !File.Exists(file + "-before")) await Task.Delay(100);
        await busy.DisposeAsync();
        var lines = await running;
        Assert.StartsWith("jobs/", OpenFxHost.Said(lines, "job").Single(), StringComparison.Ordinal);
        Assert.Equal(["1", "0"], OpenFxHost.Said(lines, "source"));
        Assert.StartsWith("Done: 4 frames", OpenFxHost.Said(lines, "status").Single(), StringComparison.Ordinal);
        Assert.Empty(OpenFxHost.Said(lines, "progress"));
    }

    [NativeFact]
    public async Task The_bundle_is_laid_out_as_hosts_look_for_it_and_takes_in_what_others_built()
    {
        await BuiltLibrary.PathAsync;
        var other = fixture.Host.File("other/EditorBridge.ofx.bundle/Contents/Win64");
        Directory.CreateDirectory(other);
        await File.WriteAllTextAsync(Path.Combine(other, "EditorBridge.ofx"), "from Windows");
        var made = fixture.Host.File("made");
        await BuiltLibrary.RunAsync("bash", [Path.Combine(BuiltLibrary.Root, "eng", "native.sh"), "--no-build", "--to", made, "--merge", Path.GetDirectoryName(Path.GetDirectoryName(other))!]);
        var bundle = Path.Combine(made, "EditorBridge.ofx.bundle");
        var files = Directory.EnumerateFiles(bundle, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(bundle, f)).Order(StringComparer.Ordinal);
        Assert.Equal(["Contents/Info.plist", "Contents/Linux-x86-64/EditorBridge.ofx", "Contents/Resources/org.editorbridge.Generate.png", "Contents/Win64/EditorBridge.ofx"], files);
        var lines = (await BuiltLibrary.RunAsync(fixture.Program, [Path.Combine(bundle, "Contents/Linux-x86-64/EditorBridge.ofx"), "scan", "1"])).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("scanned 1", lines[^1]);
    }

    private async Task<string> ClipAsync()
    {
        await foreach (var job in fixture.Client.ListAsync("state = SUCCEEDED"))
            if (job.Spec.Prompt == "shown in every depth") return job.Takes[0].Clip.Name;
        var spec = new JobSpec
        {
            Kind = JobSpec.Types.Kind.Broll, Prompt = "shown in every depth", Seed = 3,
            Delivery = new Delivery { Size = new PixelSize { Width = Width, Height = Height }, Rate = new FrameRate { Numerator = 24, Denominator = 1 }, Frames = 6, Codec = Delivery.Types.Codec.Prores422Hq },
        };
        return (await fixture.Client.WaitAsync((await fixture.Client.SubmitAsync(new Job { Spec = spec })).Name)).Takes[0].Clip.Name;
    }

    private async Task<MappedFrames> FramesAsync(string clip, int bits) => MappedFrames.Open((await fixture.Client.PrepareFramesAsync(clip, bits)).LocalPath)!;

    // Keeps the worker busy until it is disposed, so that later jobs stay queued.
    private async Task<Busy> BusyAsync()
    {
        var job = new Job
        {
            Spec = new JobSpec
            {
                Kind = JobSpec.Types.Kind.Broll, Prompt = "busy", Seed = 1,
                Delivery = new Delivery { Size = new PixelSize { Width = Width, Height = Height }, Rate = new FrameRate { Numerator = 24, Denominator = 1 }, Frames = 5 },
            },
            Priority = 10,
        };
        job.Labels["rehearsal"] = """{"steps": 6000, "stepMilliseconds": 100}""";
        var name = (await fixture.Client.SubmitAsync(job)).Name;
        await foreach (var happened in fixture.Client.WatchAsync(name))
            if (happened.Progress?.Stage == JobProgress.Types.Stage.Sampling) break;
        return new Busy(fixture.Client, name);
    }

    private sealed class Busy(EditorBridgeClient client, string job) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await client.CancelAsync(job);
    }

    // The file that was handed over holds the test host's own frames, in order, to the last bit (half floats: as exactly as they hold them).
    private async Task AssertContextAsync(ContextFrames context, string clip, int firstTime, int count, string depth)
    {
        Assert.Equal((0L, (long)count), (context.Segment.Range.Start, context.Segment.Range.Duration));
        var path = context.Segment.Media.Path;
        await using (var file = File.OpenRead(path))
        {
            // The host knows it by itself.
            var layout = RawMovie.Read(file)!;
            Assert.Equal((count, Width, Height, depth == "byte" ? 8 : 16), (layout.Frames, layout.Width, layout.Height, layout.Bits));
        }

        var tools = (await FFmpegTools.FindAsync()).Value;
        var media = (await new MediaProbe(tools).ProbeAsync(path)).Value;
        Assert.Equal((count, Width, Height), ((int)media.FrameCount, media.Width, media.Height));
        var time = firstTime;
        await foreach (var frame in new FrameReader(tools).ReadAsync(media, new Timeline.FrameRange(0, count)))
        {
            using (frame)
            {
                for (var i = 0; i < frame.Pixels.Length; i++)
                {
                    var (x, y, c) = (i / 3 % Width, i / 3 / Width, i % 3);
                    var value = (x * 3 + y * 5 + (clip == "Source" && count == 1 ? 0 : time * 11) + c * 60 + (clip == "SourceTo" ? 100 : 0)) & 255;
                    Assert.InRange(frame.Pixels[i], value * 257 - (depth == "half" ? 20 : 1), value * 257 + (depth == "half" ? 20 : 1));
                }
            }

            time++;
        }
    }
}
