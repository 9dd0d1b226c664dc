using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Variants;
using EditorBridge.Planning;
using EditorBridge.Tests.Models;
using EditorBridge.Timeline;
using TorchSharp;

namespace EditorBridge.Generation.Tests;

/// <summary>Every variant, from files in every layout, runs the jobs it can do.</summary>
[Collection(Networks.Name)]
public sealed class VariantTests(TinyModel tiny) : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("editorbridge-variants-").FullName;

    private static string Spiece => Path.Combine(AppContext.BaseDirectory, "spiece.model");

    public void Dispose() => Directory.Delete(root, recursive: true);

    public static TheoryData<WanLine, bool, JobKind, int, int, Mechanism> Jobs() => new()
    {
        { WanLine.TextToVideo, false, JobKind.BRoll, 7, 5, Mechanism.Text },
        { WanLine.TextToVideo, false, JobKind.BRoll, 33, 5, Mechanism.Text },
        { WanLine.TextToVideo, false, JobKind.Still, 5, 5, Mechanism.Text },
        { WanLine.TextToVideo, true, JobKind.BRoll, 6, 5, Mechanism.Text },
        { WanLine.TextImageToVideo22, false, JobKind.ExtendTail, 9, 1, Mechanism.FirstFrame },
        { WanLine.TextImageToVideo22, false, JobKind.Fill, 9, 5, Mechanism.BestEffortContext },
        { WanLine.Vace, false, JobKind.BRoll, 6, 5, Mechanism.Text },
        { WanLine.Vace, false, JobKind.Still, 3, 5, Mechanism.Text },
        { WanLine.Vace, false, JobKind.ExtendTail, 1, 5, Mechanism.VideoContext },
        { WanLine.Vace, false, JobKind.ExtendTail, 45, 9, Mechanism.VideoContext },
        { WanLine.Vace, false, JobKind.ExtendHead, 10, 9, Mechanism.VideoContext },
        { WanLine.Vace, false, JobKind.ExtendHead, 47, 5, Mechanism.VideoContext },
        { WanLine.Vace, false, JobKind.Fill, 7, 9, Mechanism.VideoContext },
        { WanLine.Vace, false, JobKind.Fill, 50, 9, Mechanism.VideoContext },
        { WanLine.Vace, false, JobKind.Fill, 8, 1, Mechanism.VideoContext },
        { WanLine.ImageToVideo21, false, JobKind.ExtendTail, 11, 1, Mechanism.FirstFrame },
        { WanLine.ImageToVideo21, false, JobKind.ExtendTail, 50, 1, Mechanism.FirstFrame },
        { WanLine.FirstLastFrame21, false, JobKind.Fill, 9, 1, Mechanism.FirstLastFrame },
        { WanLine.FirstLastFrame21, false, JobKind.Fill, 7, 1, Mechanism.FirstLastFrame },
        { WanLine.ImageToVideo22, true, JobKind.ExtendTail, 8, 1, Mechanism.FirstFrame },
        { WanLine.ImageToVideo22, true, JobKind.Fill, 8, 1, Mechanism.BestEffortContext },
    };

    [Theory]
    [MemberData(nameof(Jobs))]
    public void Every_variant_delivers_exactly_its_frames(WanLine line, bool pair, JobKind kind, int frames, int k, Mechanism mechanism)
    {
        _ = tiny;
        using var checkpoint = new TinyCheckpoint(line, pair, Spiece);
        using var model = LoadedModel.Load(checkpoint.WriteDiffusers(root), "tiny", "cpu");
        // The rate of the canvas, so that frames go one to one.
        using var job = new TestJob(TestJob.Request(kind, frames, model.Capabilities.CanvasRate, k), model.Capabilities);
        Assert.Equal(mechanism, job.Plan.Mechanism);
        var clip = new KeptFrames();
        var live = LiveTensors();
        var listener = new Listener();
        var result = job.Run(model, clip, listener, new TakeOptions { Threads = 1, CheckpointInterval = TimeSpan.Zero, PreviewInterval = TimeSpan.Zero });
        Assert.Equal(live, torch.Tensor.TotalCount);
        Assert.Equal(frames, clip.Frames.Count);
        for (var i = 1; i < frames && kind != JobKind.Still; i++) Assert.NotEqual(clip.Frames[i - 1], clip.Frames[i]);
        Assert.NotEmpty(listener.Previews);
        // Where there is a shot beside the clip, its first or last frame was brought to it.
        Assert.Equal(kind is JobKind.ExtendTail or JobKind.Fill, result.Seams.Any(seam => seam.Side == "before"));
        Assert.Equal(kind is JobKind.ExtendHead or JobKind.Fill, result.Seams.Any(seam => seam.Side == "after"));
    }

    [Theory]
    [InlineData(WanLine.Vace, false, JobKind.Fill, 50)]
    [InlineData(WanLine.ImageToVideo22, true, JobKind.ExtendTail, 8)]
    public void A_killed_take_of_another_variant_goes_on_to_the_same_bits(WanLine line, bool pair, JobKind kind, int frames)
    {
        using var checkpoint = new TinyCheckpoint(line, pair, Spiece);
        using var model = LoadedModel.Load(checkpoint.WriteDiffusers(root), "tiny", "cpu");
        var options = new TakeOptions { Threads = 1, CheckpointInterval = TimeSpan.Zero };
        var request = TestJob.Request(kind, frames, model.Capabilities.CanvasRate, 5);
        using var whole = new TestJob(request, model.Capabilities);
        var expected = new KeptFrames();
        whole.Run(model, expected, options: options);
        foreach (var stage in (TakeStage[])[TakeStage.Sampling, TakeStage.Decoding])
        {
            using var job = new TestJob(request, model.Capabilities);
            var clip = new KeptFrames();
            var last = job.Plan.Windows.Count - 1;
            Assert.Throws<KilledException>(() => job.Run(model, clip, new Listener { StopAt = p => p.Window == last && p.Stage == stage && p.Step == 2 }, options));
            job.Run(model, clip, options: options);
            Assert.Equal(expected.Frames, clip.Frames);
        }
    }

    [Theory]
    [InlineData(WanLine.TextToVideo, false)]
    [InlineData(WanLine.TextToVideo, true)]
    [InlineData(WanLine.TextImageToVideo22, false)]
    [InlineData(WanLine.Vace, false)]
    [InlineData(WanLine.ImageToVideo21, false)]
    public void The_same_weights_give_the_same_bits_from_every_layout(WanLine line, bool pair)
    {
        using var checkpoint = new TinyCheckpoint(line, pair, Spiece);
        List<string> places = [checkpoint.WriteOriginal(Path.Combine(root, "original")), checkpoint.WriteComfy(Path.Combine(root, "comfy"))];
        if (!pair && checkpoint.Image is null) places.Add(checkpoint.WriteGguf(Path.Combine(root, "gguf")));
        // The boundary of a pair is told by its index only in Diffusers' folders.
        var diffusers = checkpoint.WriteDiffusers(Path.Combine(root, "diffusers"));
        File.WriteAllText(Path.Combine(diffusers, "model_index.json"), "{}");
        var kind = line switch { WanLine.TextToVideo => JobKind.BRoll, WanLine.Vace => JobKind.Fill, _ => JobKind.ExtendTail };
        var expected = Frames(diffusers, kind);
        foreach (var place in places)
        {
            var frames = Frames(place, kind);
            Assert.True(expected.Zip(frames).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)), place);
        }
    }

    [Theory]
    [InlineData(WanLine.TextToVideo, TensorType.Q8_0)]
    [InlineData(WanLine.Vace, TensorType.Q4_K)]
    public void Quantised_files_give_the_frames_of_the_values_they_hold(WanLine line, TensorType type)
    {
        using var checkpoint = new TinyCheckpoint(line, pair: false, Spiece, wide: true);
        var kind = line == WanLine.Vace ? JobKind.Fill : JobKind.BRoll;
        var exact = Frames(checkpoint.WriteDiffusers(Path.Combine(root, "exact")), kind);
        var gguf = checkpoint.WriteGguf(Path.Combine(root, "gguf"), type);
        using (var weights = Checkpoint.Open(gguf).OrThrow())
            Assert.True(weights.Tensors.Values.Count(tensor => tensor.Type == type) > 20);
        checkpoint.TakeStored(gguf);
        var stored = Frames(checkpoint.WriteDiffusers(Path.Combine(root, "stored")), kind);
        var frames = Frames(gguf, kind);
        Assert.True(stored.Zip(frames).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)));
        // Not quite those of the values that were packed, and not far from them.
        var apart = exact.Zip(frames).SelectMany(pair => pair.First.Zip(pair.Second)).Average(pair => Math.Abs(pair.First - pair.Second) / 65535.0);
        Assert.InRange(apart, 1e-6, 0.2);
    }

    [Fact]
    public void Both_experts_and_the_boundary_between_them_count()
    {
        using var checkpoint = new TinyCheckpoint(WanLine.TextToVideo, pair: true, Spiece);
        var folder = checkpoint.WriteDiffusers(root);
        Assert.Equal(0.6, ModelFolder.Read(folder, "x").OrThrow().Boundary);
        // Without a shift the last of three steps is the second expert's.
        var plain = Frames(folder, JobKind.BRoll, request => request with { Shift = 1 });
        Assert.NotEqual(plain, Frames(folder, JobKind.BRoll, request => request with { Shift = 1, LowNoiseGuidance = 1 }));
        File.WriteAllText(Path.Combine(folder, "model_index.json"), "{\"boundary_ratio\": 0.999}");
        Assert.NotEqual(plain, Frames(folder, JobKind.BRoll, request => request with { Shift = 1 }));
    }

    [Fact]
    public void A_model_that_cannot_do_a_job_says_so_and_names_the_way_out()
    {
        string Refusal(WanLine line, bool pair, JobRequest request)
        {
            using var checkpoint = new TinyCheckpoint(line, pair, Spiece);
            var folder = Path.Combine(root, Guid.NewGuid().ToString("N"));
            var plan = Planner.Plan(request, ModelFolder.Read(checkpoint.WriteDiffusers(folder), "tiny").OrThrow(), SpeedFigures.Unknown);
            return Assert.Single(plan.Refusals).Code;
        }

        var rate = new FrameRate(16);
        Assert.Equal("context_unsupported", Refusal(WanLine.TextToVideo, false, TestJob.Request(JobKind.ExtendTail, 9, rate)));
        Assert.Equal("context_unsupported", Refusal(WanLine.TextToVideo, true, TestJob.Request(JobKind.Fill, 9, rate)));
        Assert.Equal("reference_unsupported", Refusal(WanLine.TextToVideo, false, TestJob.Request(JobKind.BRoll, 9, rate) with { ReferencePicture = "a.png" }));
        Assert.Equal("picture_missing", Refusal(WanLine.ImageToVideo21, false, TestJob.Request(JobKind.BRoll, 9, rate)));
        Assert.Equal("picture_missing", Refusal(WanLine.ImageToVideo22, true, TestJob.Request(JobKind.Still, 9, rate)));
        Assert.Equal("context_unsupported", Refusal(WanLine.ImageToVideo21, false, TestJob.Request(JobKind.ExtendHead, 9, rate)));
        Assert.Equal("context_unsupported", Refusal(WanLine.ImageToVideo21, false, TestJob.Request(JobKind.Fill, 9, rate)));
        Assert.Equal("context_unsupported", Refusal(WanLine.FirstLastFrame21, false, TestJob.Request(JobKind.ExtendTail, 9, rate)));
        Assert.Equal("picture_missing", Refusal(WanLine.FirstLastFrame21, false, TestJob.Request(JobKind.BRoll, 9, rate)));
        Assert.Equal("range_too_long", Refusal(WanLine.FirstLastFrame21, false, TestJob.Request(JobKind.Fill, 90, rate)));
        Assert.Equal("range_too_long", Refusal(WanLine.TextToVideo, false, TestJob.Request(JobKind.BRoll, 34, rate)));
        Assert.Equal("guidance_unsupported", Refusal(WanLine.Vace, false, TestJob.Request(JobKind.BRoll, 9, rate) with { LowNoiseGuidance = 2 }));
    }

    private static List<ushort[]> Frames(string place, JobKind kind, Func<JobRequest, JobRequest>? change = null)
    {
        using var model = LoadedModel.Load(place, "tiny", "cpu");
        var request = TestJob.Request(kind, 6, model.Capabilities.CanvasRate, 1);
        using var job = new TestJob(change?.Invoke(request) ?? request, model.Capabilities);
        var clip = new KeptFrames();
        job.Run(model, clip);
        return clip.Frames;
    }

    private static long LiveTensors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }
}
