using EditorBridge.Planning;
using EditorBridge.Timeline;
using TorchSharp;

namespace EditorBridge.Generation.Tests;

[Collection(Networks.Name)]
public class TakeRunTests(TinyModel tiny)
{
    private static readonly TakeOptions EveryStep = new() { Threads = 1, CheckpointInterval = TimeSpan.Zero, PreviewInterval = TimeSpan.Zero };

    public static TheoryData<JobKind, int, string, int> Jobs() => new()
    {
        { JobKind.BRoll, 1, "24", 5 },
        { JobKind.BRoll, 10, "25", 5 },
        { JobKind.BRoll, 70, "24000/1001", 5 },
        { JobKind.BRoll, 12, "50", 5 },
        { JobKind.Still, 7, "30", 5 },
        { JobKind.ExtendTail, 1, "24", 9 },
        { JobKind.ExtendTail, 14, "24", 1 },
        { JobKind.ExtendTail, 13, "30000/1001", 5 },
        { JobKind.ExtendTail, 60, "24", 5 },
        { JobKind.ExtendHead, 2, "24", 9 },
        { JobKind.ExtendHead, 15, "24", 5 },
        { JobKind.ExtendHead, 20, "16", 5 },
        { JobKind.ExtendHead, 75, "24", 5 },
        { JobKind.Fill, 1, "60000/1001", 5 },
        { JobKind.Fill, 11, "24", 9 },
        { JobKind.Fill, 12, "25", 0 },
        { JobKind.Fill, 30, "50", 5 },
        { JobKind.Fill, 61, "24", 5 },
        { JobKind.Fill, 40, "16", 5 },
    };

    [Theory]
    [MemberData(nameof(Jobs))]
    public void Every_job_delivers_exactly_its_frames(JobKind kind, int frames, string rateText, int k)
    {
        Assert.True(FrameRate.TryParse(rateText, out var rate));
        using var job = new TestJob(TestJob.Request(kind, frames, rate, k), tiny.Model.Capabilities);
        var clip = new KeptFrames();
        var listener = new Listener();
        var live = LiveTensors();
        var result = job.Run(tiny.Model, clip, listener, EveryStep);
        Assert.Equal(live, torch.Tensor.TotalCount);

        Assert.Equal(frames, clip.Frames.Count);
        Assert.Equal(frames, result.Frames);
        Assert.Equal((96, 48), clip.Size);
        // Still pictures repeat on purpose; anything else never does.
        for (var i = 1; i < frames && kind != JobKind.Still; i++) Assert.NotEqual(clip.Frames[i - 1], clip.Frames[i]);
        Assert.False(Directory.Exists(job.Folder.State(1)));
        Assert.All(job.Plan.Windows, w => Assert.True(File.Exists(job.Folder.Latents(1, w.Order))));

        // Progress never goes back, ends at one, and previews are PNG files.
        Assert.Equal(listener.Heard.Select(p => p.Fraction).Order(), listener.Heard.Select(p => p.Fraction));
        Assert.Equal((TakeStage.Writing, 1.0), (listener.Heard[^1].Stage, listener.Heard[^1].Fraction));
        Assert.NotEmpty(listener.Previews);
        Assert.All(listener.Previews, p => Assert.Equal(0x89, p.Png[0]));
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_and_another_seed_others()
    {
        var request = TestJob.Request(JobKind.Fill, 9);
        Assert.Equal(Frames(request), Frames(request));
        Assert.NotEqual(Frames(request), Frames(request with { Seed = 6 }));
    }

    [Fact]
    public void Prompt_negative_prompt_guidance_and_both_shots_count()
    {
        var request = TestJob.Request(JobKind.Fill, 9);
        var plain = Frames(request);
        Assert.NotEqual(plain, Frames(request with { Prompt = "a red boat on a calm sea" }));
        Assert.NotEqual(plain, Frames(request with { NegativePrompt = "fog" }));
        Assert.NotEqual(plain, Frames(request with { Guidance = 1 }));
        Assert.NotEqual(plain, Frames(request with { Sampler = "euler" }));
        Assert.NotEqual(plain, Frames(request with { Before = null }));
        Assert.NotEqual(plain, Frames(request with { After = null }));
    }

    [Theory]
    [InlineData(JobKind.Fill, 20, 0, TakeStage.Sampling, 2)]
    [InlineData(JobKind.BRoll, 60, 1, TakeStage.Sampling, 1)]
    [InlineData(JobKind.BRoll, 60, 1, TakeStage.Decoding, 2)]
    [InlineData(JobKind.ExtendHead, 60, 1, TakeStage.Sampling, 2)]
    [InlineData(JobKind.Fill, 20, 0, TakeStage.Decoding, 3)]
    public void A_killed_take_goes_on_to_the_same_bits(JobKind kind, int frames, int window, TakeStage stage, int step)
    {
        var request = TestJob.Request(kind, frames);
        var whole = Frames(request);
        using var job = new TestJob(request, tiny.Model.Capabilities);
        var clip = new KeptFrames();
        var killer = new Listener { StopAt = p => p.Window == window && p.Stage == stage && p.Step == step };
        Assert.Throws<KilledException>(() => job.Run(tiny.Model, clip, killer, EveryStep));
        var second = new Listener();
        job.Run(tiny.Model, clip, second, EveryStep with { Threads = 2 });
        Assert.Equal(whole, clip.Frames);
        // It did go on: the steps that were saved were not taken again.
        var taken = second.Heard.Where(p => p.Stage == TakeStage.Sampling && p.Window == window).ToArray();
        if (stage == TakeStage.Decoding) Assert.Empty(taken);
        else Assert.Equal(step, taken[0].Step);
    }

    [Fact]
    public void A_take_in_tiles_goes_on_in_the_tiles_it_began_with()
    {
        var model = tiny.Model.Capabilities with { Sizes = [new CanvasSize(128, 64)] };
        var request = TestJob.Request(JobKind.Fill, 9);
        var inTiles = EveryStep with { VaeTile = 4 };
        List<ushort[]> Whole(TakeOptions options)
        {
            using var job = new TestJob(request, model);
            var clip = new KeptFrames();
            job.Run(tiny.Model, clip, options: options);
            return clip.Frames;
        }

        var tiled = Whole(inTiles);
        Assert.Equal(9, tiled.Count);
        Assert.NotEqual(Whole(EveryStep), tiled);
        using var job = new TestJob(request, model);
        var clip = new KeptFrames();
        Assert.Throws<KilledException>(() => job.Run(tiny.Model, clip, new Listener { StopAt = p => p is { Stage: TakeStage.Sampling, Step: 2 } }, inTiles));
        job.Run(tiny.Model, clip, options: EveryStep);
        Assert.Equal(tiled, clip.Frames);

        // Without anything said the plan's tiles count.
        job.Folder.WritePlan(job.Plan with { Memory = job.Plan.Memory with { VaeTile = 4 } });
        job.Run(tiny.Model, clip, options: EveryStep);
        Assert.Equal(tiled, clip.Frames);
    }

    public static TheoryData<string, string, int, int> Spared() => new()
    {
        { "easycache", "unipc", 20, 4 },
        { "easycache", "unipc", 60, 5 },
        { "teacache", "unipc", 20, 4 },
        { "easycache", "lcm", 60, 5 },
        { "none", "lcm", 20, 2 },
    };

    [Theory]
    [MemberData(nameof(Spared))]
    public void A_killed_take_with_a_step_cache_and_part_of_the_guidance_goes_on_to_the_same_bits(string method, string sampler, int frames, int step)
    {
        var model = tiny.Model.Capabilities with { TeaCacheCoefficients = [1, 0] };
        var request = TestJob.Request(frames > 33 ? JobKind.BRoll : JobKind.Fill, frames) with
        {
            Steps = 8, Sampler = sampler, GuidanceUntil = 0.7, StepCache = new StepCacheRequest { Method = method, Threshold = 1, FirstSteps = 2 },
        };
        List<ushort[]> Whole(JobRequest asked, out int passes)
        {
            using var job = new TestJob(asked, model);
            var clip = new KeptFrames();
            passes = job.Run(tiny.Model, clip).ComputedPasses;
            return clip.Frames;
        }

        var whole = Whole(request, out var computed);
        var full = Whole(request with { StepCache = new StepCacheRequest { Method = "none" } }, out var planned);
        if (method == "none")
        {
            Assert.Equal(whole, full);
        }
        else
        {
            Assert.InRange(computed, 1, planned - 1);
            Assert.NotEqual(whole, full);
        }

        using var job = new TestJob(request, model);
        Assert.Equal(planned, job.Plan.Windows.Count * (8 + 6));
        var window = job.Plan.Windows.Count - 1;
        var clip = new KeptFrames();
        var killer = new Listener { StopAt = p => p.Window == window && p.Stage == TakeStage.Sampling && p.Step == step };
        Assert.Throws<KilledException>(() => job.Run(tiny.Model, clip, killer, EveryStep));
        var second = new Listener();
        job.Run(tiny.Model, clip, second, EveryStep);
        Assert.Equal(whole, clip.Frames);
        Assert.Equal(step, second.Heard.First(p => p.Stage == TakeStage.Sampling && p.Window == window).Step);
        Assert.Equal(second.Heard.Select(p => p.Fraction).Order(), second.Heard.Select(p => p.Fraction));
    }

    [Fact]
    public void A_VAE_in_bfloat16_gives_nearly_the_same_clip_and_only_where_it_is_planned()
    {
        List<ushort[]> With(VaePrecision precision)
        {
            using var job = new TestJob(TestJob.Request(JobKind.BRoll, 5) with { Steps = 2 }, tiny.Model.Capabilities with { VaePrecision = precision });
            var clip = new KeptFrames();
            job.Run(tiny.Model, clip);
            return clip.Frames;
        }

        var (full, half) = (With(VaePrecision.Float32), With(VaePrecision.BFloat16));
        Assert.NotEqual(full, half);
        Assert.InRange(full.Zip(half).Average(pair => pair.First.Zip(pair.Second).Average(p => Math.Abs(p.First - p.Second))) / 65535, 0, 0.02);
        Assert.Equal(full, With(VaePrecision.Float32));
    }

    [Fact]
    public void Guidance_left_out_of_every_step_is_none()
    {
        var request = TestJob.Request(JobKind.Fill, 9);
        Assert.Equal(Frames(request with { Guidance = 1 }), Frames(request with { GuidanceUntil = 0 }));
        Assert.NotEqual(Frames(request), Frames(request with { GuidanceUntil = 0.5 }));
        Assert.Equal(Frames(request), Frames(request with { GuidanceUntil = 1, StepCache = new StepCacheRequest { Method = "easycache", Threshold = 0 } }));
    }

    [Fact]
    public void Given_timesteps_are_walked()
    {
        var request = TestJob.Request(JobKind.BRoll, 9) with { Sampler = "lcm", Guidance = 1 };
        var even = Frames(request with { Steps = 4 });
        Assert.Equal(even, Frames(request with { Timesteps = [1000, 750, 500, 250] }));
        Assert.NotEqual(even, Frames(request with { Timesteps = [1000, 757, 522, 250] }));
        Assert.NotEqual(even, Frames(request with { Timesteps = [1000, 750, 500, 250], Sampler = "euler" }));
        Assert.NotEqual(even, Frames(request with { Steps = 4, Seed = 6 }));
    }

    [Fact]
    public void State_of_another_plan_is_not_used()
    {
        var request = TestJob.Request(JobKind.Fill, 9);
        using var job = new TestJob(request, tiny.Model.Capabilities);
        var clip = new KeptFrames();
        Assert.Throws<KilledException>(() => job.Run(tiny.Model, clip, new Listener { StopAt = p => p.Step == 2 }, EveryStep));
        job.Folder.WritePlan(job.Plan with { Takes = [new TakePlan(1, 6)] });
        job.Run(tiny.Model, clip);
        Assert.Equal(Frames(request with { Seed = 6 }), clip.Frames);
    }

    [Fact]
    public void A_cancel_stops_between_passes_and_leaves_no_tensors()
    {
        using var job = new TestJob(TestJob.Request(JobKind.Fill, 9), tiny.Model.Capabilities);
        using var cancel = new CancellationTokenSource();
        var live = LiveTensors();
        var listener = new Listener { On = p => { if (p is { Stage: TakeStage.Sampling, Step: 1 }) cancel.Cancel(); } };
        Assert.ThrowsAny<OperationCanceledException>(() => job.Run(tiny.Model, new KeptFrames(), listener, cancellation: cancel.Token));
        Assert.Equal(1, listener.Heard[^1].Step);
        Assert.Equal(live, torch.Tensor.TotalCount);

        // What was sampled is kept: a suspended take goes on from there.
        var second = new Listener();
        var clip = new KeptFrames();
        var result = job.Run(tiny.Model, clip, second);
        Assert.Equal(1, second.Heard.First(p => p.Stage == TakeStage.Sampling).Step);
        Assert.Equal(Frames(job.Plan.Request), clip.Frames);
        Assert.Equal(TimeBasis.Measured, result.Speed!.Basis);
    }

    [Fact]
    public void A_model_without_trained_ends_leads_into_the_shot_after_from_its_last_slots()
    {
        var model = tiny.Model.Capabilities with { Before = ContextSupport.BestEffort, After = ContextSupport.BestEffort };
        foreach (var (kind, frames) in ((JobKind, int)[])[(JobKind.Fill, 10), (JobKind.ExtendHead, 10), (JobKind.Fill, 50), (JobKind.ExtendHead, 50)])
        {
            using var job = new TestJob(TestJob.Request(kind, frames), model);
            Assert.Equal(Mechanism.BestEffortContext, job.Plan.Mechanism);
            var clip = new KeptFrames();
            job.Run(tiny.Model, clip);
            Assert.Equal(frames, clip.Frames.Count);
        }
    }

    [Fact]
    public void A_plan_for_other_weights_is_refused()
    {
        using var job = new TestJob(TestJob.Request(JobKind.BRoll, 5), tiny.Model.Capabilities with { Hash = "other" });
        Assert.Equal("model_changed", Assert.Throws<GenerationException>(() => job.Run(tiny.Model, new KeptFrames())).Code);
    }

    [Fact]
    public void A_damaged_input_is_named()
    {
        using var job = new TestJob(TestJob.Request(JobKind.Fill, 5), tiny.Model.Capabilities);
        File.WriteAllBytes(Path.Combine(job.Folder.Inputs, "after.rgb48"), [1, 2, 3]);
        var error = Assert.Throws<GenerationException>(() => job.Run(tiny.Model, new KeptFrames()));
        Assert.Equal("inputs_damaged", error.Code);
        Assert.Contains("after.rgb48", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_cannot_be_used_is_refused_before_anything_is_loaded()
    {
        var refused = Assert.Throws<GenerationException>(() => LoadedModel.Load("/no/such/model", "x", "cuda:77"));
        Assert.Equal("device_unusable", refused.Code);
        Assert.Contains("cuda:77", refused.Message, StringComparison.Ordinal);
        Assert.Equal("cpu", tiny.Model.Device.Name);
    }

    [Fact]
    public void A_model_folder_that_is_damaged_is_named()
    {
        Assert.Contains("no model folder", Assert.Throws<GenerationException>(() => LoadedModel.Load(tiny.Folder + "-not", "x", "cpu")).Message, StringComparison.Ordinal);
        var copy = Directory.CreateTempSubdirectory("editorbridge-damaged-").FullName;
        try
        {
            foreach (var file in Directory.EnumerateFiles(tiny.Folder, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(copy, Path.GetRelativePath(tiny.Folder, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }

            var weights = Path.Combine(copy, "transformer", "model.safetensors");
            using (var stream = File.OpenWrite(weights)) stream.SetLength(stream.Length / 2);
            Assert.Contains("model.safetensors", Assert.Throws<GenerationException>(() => LoadedModel.Load(copy, "x", "cpu")).Message, StringComparison.Ordinal);
            File.Copy(Path.Combine(copy, "text_encoder", "model.safetensors"), weights, overwrite: true);
            Assert.Contains(Path.Combine(copy, "transformer"), Assert.Throws<GenerationException>(() => LoadedModel.Load(copy, "x", "cpu")).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    // What other tests left to the collector is gone first; a take itself leaves nothing to it.
    private static long LiveTensors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }

    private List<ushort[]> Frames(JobRequest request)
    {
        using var job = new TestJob(request, tiny.Model.Capabilities);
        var clip = new KeptFrames();
        job.Run(tiny.Model, clip);
        return clip.Frames;
    }
}
