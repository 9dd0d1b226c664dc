using System.Text.Json;
using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Tests;

/// <summary>Jobs on a video or after pictures: read, planned, frozen, refused by name.</summary>
[Collection(SharedHost.Name)]
public sealed class SourceVideoTests(SharedHost shared)
{
    [Fact]
    public async Task A_restyled_video_is_planned_frozen_and_made()
    {
        var job = RunningHost.Job(frames: 10);
        job.Spec.Kind = JobSpec.Types.Kind.Restyle;
        job.Spec.SourceVideo = new SourceVideo { Segment = await FilmAsync("restyle.mp4", 12), Strength = 0.5 };
        var plan = await shared.Client.PlanAsync(job.Spec);
        Assert.Empty(plan.Refusals);
        Assert.Equal(Plan.Types.Mechanism.NoisedSource, plan.Mechanism);
        var made = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(job)).Name);
        Assert.True(made.State == Job.Types.State.Succeeded, made.Error?.Message);
        Assert.Equal(10, made.Takes[0].Clip.Frames);
        using var planner = JsonDocument.Parse(made.Plan.PlannerJson);
        var input = Assert.Single(planner.RootElement.GetProperty("inputs").EnumerateArray());
        Assert.Equal(("source", 10), (input.GetProperty("name").GetString(), input.GetProperty("read").GetProperty("frames").GetArrayLength()));
        job.Spec.SourceVideo.Strength = 0;
        await RefusedAsync("STRENGTH_OUT_OF_RANGE", "job.spec.source_video.strength", job);
        job.Spec.SourceVideo.Segment.Range = new FrameRange { Start = 12, Duration = 5 };
        await RefusedAsync("MEDIA_OUT_OF_RANGE", "job.spec.source_video.segment.range", job);
        job.Spec.SourceVideo = null;
        await RefusedAsync("SOURCE_MISSING", "job.spec.source_video", job);
    }

    [Fact]
    public async Task A_clip_is_extended_into_a_loop()
    {
        var spec = RunningHost.Job(frames: 6).Spec;
        spec.Kind = JobSpec.Types.Kind.Extend;
        spec.Loop = true;
        spec.ContextBefore = new ContextFrames { Segment = await FilmAsync("loop.mp4", 30) };
        var plan = await shared.Client.PlanAsync(spec);
        Assert.Empty(plan.Refusals);
        Assert.Equal((Plan.Types.Direction.Bridge, 9, 9), (plan.Direction, plan.ContextBeforeFrames, plan.ContextAfterFrames));
    }

    [Fact]
    public async Task What_a_model_cannot_do_with_videos_and_pictures_is_refused_by_name()
    {
        var film = await FilmAsync("cannot.mp4", 12);
        async Task<Refusal> RefusalAsync(Action<JobSpec> change)
        {
            var spec = RunningHost.Job(frames: 8).Spec;
            change(spec);
            return Assert.Single((await shared.Client.PlanAsync(spec)).Refusals);
        }

        var inpaint = await RefusalAsync(spec => (spec.Kind, spec.SourceVideo, spec.Mask) = (JobSpec.Types.Kind.Inpaint, new SourceVideo { Segment = film }, new Mask { Segment = film }));
        Assert.Equal(("spec.mask", "MODEL_CANNOT"), (inpaint.Field, inpaint.Reason));
        Assert.Contains("small", inpaint.Message, StringComparison.Ordinal);
        var control = await RefusalAsync(spec => spec.ControlVideo = new ControlVideo { Segment = film });
        Assert.Equal("spec.control_video", control.Field);
        var subject = await RefusalAsync(spec => spec.References.Add(new Reference { Media = film.Media, Role = Reference.Types.Role.Subject }));
        Assert.Equal("spec.references", subject.Field);
        var keyframe = await RefusalAsync(spec => spec.Keyframes.Add(new Keyframe { Media = film.Media, Frame = 3, Position = 4 }));
        Assert.Equal("spec.keyframes", keyframe.Field);
        var outside = await RefusalAsync(spec => spec.Keyframes.Add(new Keyframe { Media = film.Media, Position = 8 }));
        Assert.Equal("KEYFRAME_OUTSIDE", outside.Reason);
        var same = await RefusalAsync(spec => (spec.Kind, spec.SourceVideo) = (JobSpec.Types.Kind.Outpaint, new SourceVideo { Segment = film }));
        Assert.Equal("PADDING_MISSING", same.Reason);
        var style = await RefusalAsync(spec => spec.References.Add(new Reference { Media = film.Media, Role = Reference.Types.Role.Style }));
        Assert.Equal(("spec.references", "NOT_BUILT"), (style.Field, style.Reason));

        var job = RunningHost.Job();
        job.Spec.Loras.Add(new Lora { Path = film.Media.Path });
        await RefusedAsync("LORA_UNUSABLE", "job.spec.loras[0].path", job);
    }

    private async Task<MediaSegment> FilmAsync(string name, int frames)
    {
        var path = shared.Host.File(name);
        // The shape of the jobs' delivery.
        var size = RunningHost.Job().Spec.Delivery.Size;
        await Tool.MakeFilmAsync(path, frames, FormattableString.Invariant($"{size.Width}x{size.Height}"));
        return new MediaSegment { Media = new MediaSource { Path = path }, Range = new FrameRange { Start = 0, Duration = frames } };
    }

    private async Task RefusedAsync(string reason, string field, Job job)
    {
        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.SubmitAsync(job));
        Assert.Equal((reason, field), (error.Reason, error.Field));
    }
}
