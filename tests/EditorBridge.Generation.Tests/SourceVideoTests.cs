using EditorBridge.Models.Variants;
using EditorBridge.Planning;
using EditorBridge.Tests.Models;
using EditorBridge.Timeline;

namespace EditorBridge.Generation.Tests;

/// <summary>Jobs that work on a video or go by pictures: restyle, inpaint, outpaint, loop, control, keyframes, subjects.</summary>
[Collection(Networks.Name)]
public sealed class SourceVideoTests(TinyModel tiny) : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("editorbridge-source-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void A_restyled_clip_follows_its_source_the_more_the_less_its_strength()
    {
        var request = Request(JobKind.Restyle, 20, FrameRate.F24) with { Steps = 8 };
        var source = Frames(tiny.Model, request with { Strength = 0.05 }, out var plan);
        Assert.Equal((Mechanism.NoisedSource, 1, 7), (plan.Mechanism, plan.Sampling.Steps, plan.Sampling.Skipped));
        var close = Frames(tiny.Model, request with { Strength = 0.3 }, out plan);
        Assert.Equal((2, 6), (plan.Sampling.Steps, plan.Sampling.Skipped));
        var free = Frames(tiny.Model, request with { Strength = 1 }, out plan);
        Assert.Equal((8, 0), (plan.Sampling.Steps, plan.Sampling.Skipped));
        Assert.Equal(20, free.Count);
        Assert.True(Difference(source, close) < Difference(source, free));
        // Another source gives another clip, at full strength none.
        Assert.NotEqual(close, Frames(tiny.Model, request with { Strength = 0.3, Source = request.Source! with { Path = "bright.mov" } }, out _));
        Assert.Equal(free, Frames(tiny.Model, request with { Strength = 1, Source = request.Source! with { Path = "bright.mov" } }, out _), new AlmostEqual());
    }

    [Theory]
    [InlineData(WanLine.TextToVideo, "24")]
    [InlineData(WanLine.Vace, "16")]
    [InlineData(WanLine.TextImageToVideo22, "24")]
    public void Every_model_that_begins_without_a_picture_restyles_clips_of_any_length(WanLine line, string rate)
    {
        using var checkpoint = Checkpoint(line);
        using var model = LoadedModel.Load(checkpoint.WriteDiffusers(root), "tiny", "cpu");
        Assert.True(FrameRate.TryParse(rate, out var r));
        var clip = Frames(model, Request(JobKind.Restyle, 70, r), out var plan);
        Assert.Equal(70, clip.Count);
        Assert.True(plan.Windows.Count > 1);
    }

    [Theory]
    [InlineData("16", 12, false)]
    [InlineData("24", 40, false)]
    [InlineData("16", 12, true)]
    public void Inpainting_leaves_what_is_not_masked_as_it_was(string rate, int frames, bool inverted)
    {
        using var checkpoint = Checkpoint(WanLine.Vace);
        using var model = LoadedModel.Load(checkpoint.WriteDiffusers(root), "tiny", "cpu");
        Assert.True(FrameRate.TryParse(rate, out var r));
        var request = Request(JobKind.Inpaint, frames, r);
        request = request with { Source = request.Source! with { Path = "96x48" }, Mask = new MaskVideo { Video = Video("mask", r), Inverted = inverted } };
        using var job = new TestJob(request, model.Capabilities);
        Assert.Equal(Mechanism.MaskedVideo, job.Plan.Mechanism);
        var clip = new KeptFrames();
        job.Run(model, clip);
        Assert.Equal(frames, clip.Frames.Count);
        for (var frame = 0; frame < frames; frame += 5)
        {
            // The mask is white in the right half.
            var real = job.Real("source", frame);
            Assert.Equal(!inverted, Half(real, left: true).AsSpan().SequenceEqual(Half(clip.Frames[frame], left: true)));
            Assert.Equal(inverted, Half(real, left: false).AsSpan().SequenceEqual(Half(clip.Frames[frame], left: false)));
        }
    }

    [Fact]
    public void Outpainting_keeps_the_picture_and_makes_what_is_around_it()
    {
        using var checkpoint = Checkpoint(WanLine.Vace);
        using var model = LoadedModel.Load(checkpoint.WriteDiffusers(root), "tiny", "cpu");
        var request = Request(JobKind.Outpaint, 9, new FrameRate(16)) with { Padding = new Padding(24, 0, 24, 0) };
        request = request with { Source = request.Source! with { Path = "48x48" } };
        using var job = new TestJob(request, model.Capabilities);
        var clip = new KeptFrames();
        job.Run(model, clip);
        var (frame, real) = (clip.Frames[4], job.Real("source", 4));
        for (var y = 0; y < 48; y += 7)
        {
            Assert.Equal(real.AsSpan(y * 48 * 3 + 6, 3 * 44).ToArray(), frame.AsSpan((y * 96 + 26) * 3, 3 * 44).ToArray());
            Assert.NotEqual(0, frame[(y * 96 + 3) * 3]);
        }
    }

    [Fact]
    public void A_loop_leads_from_a_clips_end_into_its_start()
    {
        var request = TestJob.Request(JobKind.Fill, 8);
        using var job = new TestJob(request with { Loop = true, After = request.Before }, tiny.Model.Capabilities);
        var clip = new KeptFrames();
        Assert.Equal(2, job.Run(tiny.Model, clip).Seams.Count);
        Assert.Equal(8, clip.Frames.Count);
    }

    [Fact]
    public void Control_keyframes_and_subjects_count()
    {
        using var checkpoint = Checkpoint(WanLine.Vace);
        using var model = LoadedModel.Load(checkpoint.WriteDiffusers(root), "tiny", "cpu");
        var request = TestJob.Request(JobKind.BRoll, 30, new FrameRate(16));
        var plain = Frames(model, request, out var plan);
        Assert.Equal(Mechanism.Text, plan.Mechanism);
        var controlled = Frames(model, request with { Control = Video("c.mov", new FrameRate(16)) }, out plan);
        Assert.Equal(Mechanism.VideoContext, plan.Mechanism);
        Assert.NotEqual(plain, controlled);
        Assert.NotEqual(controlled, Frames(model, request with { Control = Video("c.mov", new FrameRate(16)), ControlStrength = 0.5 }, out _));
        Assert.NotEqual(plain, Frames(model, request with { Keyframes = [new KeyframePicture("k.png", 0, 12)] }, out _));
        Assert.NotEqual(plain, Frames(model, request with { Subjects = ["s.png"] }, out _));
        Assert.NotEqual(plain, Frames(model, request with { Subjects = ["s.png", "s.png"] }, out _));
        Assert.Single(Frames(model, TestJob.Request(JobKind.Still, 1, new FrameRate(16)) with { Subjects = ["s.png"] }, out _));
    }

    [Fact]
    public void A_first_and_a_last_picture_make_a_clip_of_a_model_that_leads_from_one_to_the_other()
    {
        using var checkpoint = Checkpoint(WanLine.FirstLastFrame21);
        using var model = LoadedModel.Load(checkpoint.WriteDiffusers(root), "tiny", "cpu");
        var request = TestJob.Request(JobKind.BRoll, 12, new FrameRate(16)) with { ReferencePicture = "a.png", Keyframes = [new KeyframePicture("b.png", 0, 11)] };
        Assert.Equal(12, Frames(model, request, out var plan).Count);
        Assert.Equal(Mechanism.FirstLastFrame, plan.Mechanism);
    }

    [Fact]
    public void What_a_model_cannot_do_is_refused_by_name()
    {
        string Field(JobRequest request, ModelCapabilities model) => Assert.Single(Planner.Plan(request, model, SpeedFigures.Unknown).Refusals, refusal => refusal.Code == "model_cannot").Field;
        var sketch = tiny.Model.Capabilities;
        var words = TestJob.Request(JobKind.BRoll, 9);
        Assert.Equal("mask", Field(Request(JobKind.Inpaint, 9, FrameRate.F24) with { Mask = new MaskVideo { Video = Video("mask", FrameRate.F24) } }, sketch));
        Assert.Equal("kind", Field(Request(JobKind.Outpaint, 9, FrameRate.F24) with { Padding = new Padding(8, 0, 8, 0) }, sketch));
        Assert.Equal("control_video", Field(words with { Control = Video("c.mov", FrameRate.F24) }, sketch));
        Assert.Equal("references", Field(words with { Subjects = ["s.png"] }, sketch));
        Assert.Equal("keyframes", Field(words with { Keyframes = [new KeyframePicture("k.png", 0, 3)] }, sketch));
        Assert.Equal("kind", Field(Request(JobKind.Restyle, 9, FrameRate.F24), sketch with { Conditioning = Conditioning.Channels, NeedsFirstFrame = true }));
    }

    private static TinyCheckpoint Checkpoint(WanLine line) => new(line, pair: false, Path.Combine(AppContext.BaseDirectory, "spiece.model"));

    private static SourceVideo Video(string path, FrameRate rate) => new() { Path = path, Rate = rate, Frames = new FrameRange(0, 100) };

    private static JobRequest Request(JobKind kind, int frames, FrameRate rate) => TestJob.Request(kind, frames, rate) with { Source = Video("a.mov", rate) };

    private static List<ushort[]> Frames(LoadedModel model, JobRequest request, out Plan plan)
    {
        using var job = new TestJob(request, model.Capabilities);
        plan = job.Plan;
        var clip = new KeptFrames();
        job.Run(model, clip);
        return clip.Frames;
    }

    private static double Difference(List<ushort[]> one, List<ushort[]> other) => one.Zip(other).Average(pair => pair.First.Zip(pair.Second).Average(p => Math.Abs(p.First - p.Second)));

    private static ushort[] Half(ushort[] picture, bool left) =>
        [.. Enumerable.Range(0, 48).SelectMany(y => picture.AsSpan((y * 96 + (left ? 0 : 50)) * 3, 46 * 3).ToArray())];

    // At full strength the source is a thousandth of what sampling begins with.
    private sealed class AlmostEqual : IEqualityComparer<List<ushort[]>>
    {
        public bool Equals(List<ushort[]>? one, List<ushort[]>? other) => Difference(one!, other!) < 0.02 * 65535;

        public int GetHashCode(List<ushort[]> frames) => 0;
    }
}
