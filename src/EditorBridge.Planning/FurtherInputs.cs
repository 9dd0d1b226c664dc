using System.Globalization;

namespace EditorBridge.Planning;

/// <summary>Frames that a job takes beside the shots at its ends: a source video, its mask, a control video, keyframes, pictures of subjects.</summary>
internal static class FurtherInputs
{
    // What Diffusers' video-to-video pipeline uses when nothing is said.
    private const double DefaultStrength = 0.8;

    /// <summary>Why the model cannot do with what the request has for it, or null.</summary>
    public static PlanRefusal? Unsupported(JobRequest request, ModelCapabilities model)
    {
        if (request.Kind is JobKind.Inpaint or JobKind.Outpaint && !model.TakesMasks)
        {
            var (field, what) = request.Kind == JobKind.Inpaint ? ("mask", "make a part of a video anew") : ("kind", "make picture around a video");
            return Cannot(field, model, $"cannot {what}");
        }

        if (request.Kind == JobKind.Restyle && model.NeedsFirstFrame)
            return Cannot("kind", model, "goes on from a picture and cannot restyle a video");
        if (request.Control is not null && !model.TakesMasks) return Cannot("control_video", model, "follows no control video");
        if (request.Subjects.Count > 0 && !model.TakesMasks) return Cannot("references", model, "takes no pictures of subjects");
        if (request.Keyframes.Count == 0 || model.TakesMasks) return null;
        if (model.Conditioning != Conditioning.Channels || model.After == ContextSupport.None)
            return Cannot("keyframes", model, "meets no picture inside a clip");
        if (request.Kind != JobKind.BRoll || request.Keyframes.Count > 1 || request.Keyframes[0].Position != request.Delivery.Frames - 1)
            return Cannot("keyframes", model, "meets a picture at the last frame only, of a clip that is made from pictures");
        // Only in one window are the first picture and the last one both there.
        return RateConversion.Map(request.Delivery.Frames, request.Delivery.Rate, model.CanvasRate, fixedStart: false, fixedEnd: false).CanvasFrames + 1 > model.MaxFrames
            ? new PlanRefusal("range_too_long", "delivery.frames", string.Create(CultureInfo.InvariantCulture, $"The model '{model.Name}' leads from one picture to another within {model.MaxFrames} frames; ask for fewer, or choose another model."))
            : null;
    }

    /// <summary>The inputs that are frozen.</summary>
    /// <param name="request">The request.</param>
    /// <param name="mapping">From canvas to delivered frames.</param>
    public static IReadOnlyList<PlannedInput> Of(JobRequest request, FrameMapping mapping)
    {
        var inputs = new List<PlannedInput>();
        void Add(string name, InputRole role, SourceVideo? video)
        {
            if (video is null) return;
            inputs.Add(new PlannedInput { Name = name, Role = role, Read = new ContextRead { Path = video.Path, Frames = Frames(video, request.Delivery) }, Rate = video.Rate });
        }

        Add("source", InputRole.Source, request.Source);
        Add("mask", InputRole.Mask, request.Mask?.Video);
        Add("control", InputRole.Control, request.Control);
        foreach (var (number, keyframe) in request.Keyframes.Index())
        {
            inputs.Add(new PlannedInput
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"keyframe-{number}"),
                Role = InputRole.Keyframe,
                Read = new ContextRead { Path = keyframe.Path, Frames = [keyframe.Frame] },
                CanvasFrame = mapping.CanvasFrame(keyframe.Position),
            });
        }

        foreach (var (number, path) in request.Subjects.Index())
        {
            inputs.Add(new PlannedInput
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"subject-{number}"), Role = InputRole.Subject, Read = new ContextRead { Path = path, Frames = [0] },
            });
        }

        return inputs;
    }

    /// <summary>The sampling of a restyled source: the first steps of the schedule are left out, the fewer the greater the strength.</summary>
    public static SamplingPlan Sampling(JobRequest request, SamplingPlan sampling)
    {
        if (request.Kind != JobKind.Restyle) return sampling;
        var taken = Math.Clamp((int)Math.Floor(sampling.Steps * (request.Strength ?? DefaultStrength)), 1, sampling.Steps);
        return sampling with { Steps = taken, Skipped = sampling.Steps - taken };
    }

    // The frame of the medium that shows at each delivered frame; the last one stays where the medium ends.
    private static long[] Frames(SourceVideo video, Delivery delivery)
    {
        if (video.Frames.Duration == 1) return [video.Frames.Start];
        return [.. RateConversion.ContextOffsets(delivery.Frames, video.Rate, delivery.Rate).Select(offset => video.Frames.Start + Math.Min(offset, video.Frames.Duration - 1))];
    }

    private static PlanRefusal Cannot(string field, ModelCapabilities model, string what) =>
        new("model_cannot", field, $"The model '{model.Name}' {what}; choose another model.");
}
