using System.Globalization;

namespace EditorBridge.Planning;

/// <summary>Finds what is wrong with a request before anything is computed from it. Every refusal names the field and the way out.</summary>
public static class RequestCheck
{
    /// <summary>Longest prompt in characters.</summary>
    public const int LongestPrompt = 4000;

    /// <summary>Most frames one job delivers.</summary>
    public const int MostFrames = 20_000;

    /// <summary>Most takes of one job.</summary>
    public const int MostTakes = 16;

    /// <summary>Most pictures of who or what is seen.</summary>
    public const int MostSubjects = 8;

    /// <summary>The samplers by name.</summary>
    public static readonly IReadOnlyList<string> Samplers = ["unipc", "dpm++", "euler", "lcm"];

    /// <summary>All reasons to refuse <paramref name="request"/>, in the order of its fields.</summary>
    public static IReadOnlyList<PlanRefusal> Refusals(JobRequest request)
    {
        var found = new List<PlanRefusal>();
        void Refuse(string code, string field, FormattableString message) => found.Add(new PlanRefusal(code, field, message.ToString(CultureInfo.InvariantCulture)));

        if (string.IsNullOrWhiteSpace(request.Prompt))
            Refuse("prompt_empty", "prompt", $"The prompt is empty; say in a few words what the clip should show.");
        else if (request.Prompt.Length > LongestPrompt)
            Refuse("prompt_too_long", "prompt", $"The prompt has {request.Prompt.Length} characters; shorten it to {LongestPrompt} at most.");
        if (request.NegativePrompt.Length > LongestPrompt)
            Refuse("prompt_too_long", "negative_prompt", $"The negative prompt has {request.NegativePrompt.Length} characters; shorten it to {LongestPrompt} at most.");
        Delivered(request.Delivery, Refuse);
        Contexts(request, Refuse);
        Videos(request, Refuse);
        if (request.Takes is < 1 or > MostTakes)
            Refuse("takes_out_of_range", "takes", $"{request.Takes} takes were asked for; ask for 1 to {MostTakes}.");
        if (request.Seed < 0)
            Refuse("seed_negative", "seed", $"The seed {request.Seed} is negative; use 0 or more.");
        if (SamplingPresets.Named(request.Preset) is null)
            Refuse("preset_unknown", "preset", $"There is no preset '{request.Preset}'; use draft, standard or final.");
        if (request.Steps is < 1 or > 200)
            Refuse("steps_out_of_range", "steps", $"{request.Steps} steps were asked for; use 1 to 200.");
        if (request.Guidance is { } guidance && !(guidance is >= 1 and <= 30))
            Refuse("guidance_out_of_range", "guidance", $"The guidance {guidance} is out of range; use 1 (none) to 30.");
        if (request.LowNoiseGuidance is { } low && !(low is >= 1 and <= 30))
            Refuse("guidance_out_of_range", "sampler.low_noise_guidance", $"The guidance {low} is out of range; use 1 (none) to 30.");
        if (request.Shift is { } shift && !(shift is >= 0.1 and <= 100))
            Refuse("shift_out_of_range", "shift", $"The shift {shift} is out of range; use 0.1 to 100.");
        if (request.Sampler is { } sampler && !Samplers.Contains(sampler))
            Refuse("sampler_unknown", "sampler", $"There is no sampler '{sampler}'; use unipc, dpm++, euler or lcm.");
        if (request.GuidanceUntil is { } until && !(until is >= 0 and <= 1))
            Refuse("guidance_out_of_range", "sampler.guidance_until", $"Guidance until {until} of the steps is out of range; use 0 (in none) to 1 (in all).");
        if (request.StepCache is { } cache && SamplingCheck.Problem(cache) is { } uncached)
            found.Add(new PlanRefusal(SamplingCheck.Caches.Contains(cache.Method) ? "step_cache_out_of_range" : "step_cache_unknown", "sampler.step_cache", uncached));
        if (SamplingCheck.Problem(request.Timesteps, request.Sampler, request.Steps) is { } untimed)
            found.Add(new PlanRefusal("timesteps_unusable", "sampler.timesteps", untimed));
        foreach (var feature in request.Unbuilt.Distinct())
        {
            var (field, name) = Describe(feature);
            Refuse("not_built", field, $"{name} cannot be made by this version yet; leave {field} out.");
        }

        return found;
    }

    /// <summary>The contract's field and the plain name of a feature that is not built.</summary>
    public static (string Field, string Name) Describe(UnbuiltFeature feature) => feature switch
    {
        UnbuiltFeature.Shots => ("shots", "A clip of several shots"),
        UnbuiltFeature.PromptExpansion => ("expand_prompt", "An expanded prompt"),
        UnbuiltFeature.StyleReferences => ("references", "A clip in the look of a picture"),
        _ => throw new ArgumentOutOfRangeException(nameof(feature), feature, "Unknown feature."),
    };

    private static void Delivered(Delivery delivery, Action<string, string, FormattableString> refuse)
    {
        if (delivery.Frames < 1)
            refuse("frames_none", "delivery.frames", $"{delivery.Frames} frames were asked for; a clip has at least one.");
        else if (delivery.Frames > MostFrames)
            refuse("frames_too_many", "delivery.frames", $"{delivery.Frames} frames were asked for; one job delivers {MostFrames} at most, so split the range.");
        if (delivery.Width is < 16 or > 8192 || delivery.Height is < 16 or > 8192)
            refuse("size_out_of_range", "delivery.size", $"The delivery size {delivery.Width}x{delivery.Height} is out of range; each side has 16 to 8192 pixels.");
        else if (delivery.Codec == DeliveryCodec.H264 && (delivery.Width % 2 != 0 || delivery.Height % 2 != 0))
            refuse("size_odd", "delivery.size", $"The delivery size {delivery.Width}x{delivery.Height} is odd, which H.264 4:2:0 cannot hold; use an even size or another codec.");
        else if (delivery.Width % 2 != 0)
            refuse("size_odd", "delivery.size", $"The delivery width {delivery.Width} is odd, which 4:2:2 video cannot hold; use an even width.");
        if (delivery.Rate.Numerator < delivery.Rate.Denominator || delivery.Rate.Numerator > 240 * delivery.Rate.Denominator)
            refuse("rate_out_of_range", "delivery.rate", $"The delivery rate {delivery.Rate} is out of range; use 1 to 240 frames per second.");
    }

    private static void Videos(JobRequest request, Action<string, string, FormattableString> refuse)
    {
        var works = request.Kind is JobKind.Restyle or JobKind.Inpaint or JobKind.Outpaint;
        if (works && request.Source is null)
            refuse("source_missing", "source_video", $"There is no video to work on; name the clip that is meant.");
        if (!works && request.Source is not null)
            refuse("source_unused", "source_video", $"A source video is restyled, inpainted or outpainted; leave it out of other jobs.");
        if (request.Source is { Frames.IsEmpty: true })
            refuse("source_empty", "source_video", $"The source video has no frames that can be read; choose another place or media.");
        if (request.Strength is { } strength && !(strength is > 0 and <= 1))
            refuse("strength_out_of_range", "source_video.strength", $"The strength {strength} is out of range; use more than 0 (hardly anything changes) to 1 (everything may).");
        if (request.Strength is not null && request.Kind != JobKind.Restyle)
            refuse("strength_unused", "source_video.strength", $"A strength is for restyling; leave it out of other jobs.");
        if (request.Kind == JobKind.Inpaint && request.Mask is null)
            refuse("mask_missing", "mask", $"An inpainting needs a mask; name a picture or video that is white where the clip is made anew.");
        if (request.Kind != JobKind.Inpaint && request.Mask is not null)
            refuse("mask_unused", "mask", $"A mask is for inpainting; leave it out of other jobs.");
        if (request.Mask is { Feather: not (>= 0 and <= 200) } mask)
            refuse("feather_out_of_range", "mask.feather", $"A soft edge of {mask.Feather} pixels is out of range; use 0 to 200.");
        if (request.Padding is { } padding)
        {
            if (request.Kind != JobKind.Outpaint)
                refuse("padding_unused", "padding", $"Padding is for outpainting; leave it out of other jobs.");
            else if (Math.Min(Math.Min(padding.Left, padding.Right), Math.Min(padding.Top, padding.Bottom)) < 0
                || padding.Left + padding.Right > request.Delivery.Width - 16 || padding.Top + padding.Bottom > request.Delivery.Height - 16)
                refuse("padding_out_of_range", "padding", $"Padding of {padding.Left}, {padding.Top}, {padding.Right} and {padding.Bottom} pixels leaves no picture of {request.Delivery.Width}x{request.Delivery.Height}; use less.");
        }

        if (request.Control is not null && request.Kind != JobKind.BRoll)
            refuse("control_unused", "control_video", $"A control video guides B-roll; leave it out of other jobs.");
        if (request.ControlStrength is not (>= 0 and <= 2))
            refuse("strength_out_of_range", "control_video.strength", $"The strength {request.ControlStrength} of the control video is out of range; use 0 to 2.");
        foreach (var keyframe in request.Keyframes)
            if (keyframe.Position < 0 || keyframe.Position >= request.Delivery.Frames)
                refuse("keyframe_outside", "keyframes", $"A keyframe at frame {keyframe.Position} lies outside the {request.Delivery.Frames} frames asked for; they are counted from 0.");
        if (request.Keyframes.Count > 0 && (works || request.Kind == JobKind.Still))
            refuse("keyframes_unused", "keyframes", $"Keyframes stand in clips that are made anew; leave them out of this job.");
        if (request.Loras.Count > 8)
            refuse("loras_too_many", "loras", $"{request.Loras.Count} LoRAs were given; use 8 at most.");
        foreach (var lora in request.Loras.Where(lora => lora.Strength is not (>= -8 and <= 8)))
            refuse("strength_out_of_range", "loras", $"The strength {lora.Strength} of the LoRA '{lora.Path}' is out of range; use -8 to 8.");
        if (request.Kind == JobKind.Outpaint && request.Padding is null or { Left: 0, Top: 0, Right: 0, Bottom: 0 })
            refuse("padding_missing", "padding", $"The clip has the shape of the delivery already; say how much picture is to be made around it.");
        if (request.Subjects.Count > MostSubjects)
            refuse("references_too_many", "references", $"{request.Subjects.Count} reference pictures were given; use {MostSubjects} at most.");
    }

    private static void Contexts(JobRequest request, Action<string, string, FormattableString> refuse)
    {
        if (request.ContextFrames is < 0 or > 33)
            refuse("context_out_of_range", "context_frames", $"{request.ContextFrames} context frames were asked for; use 0 to 33.");
        if (request.Kind is JobKind.ExtendTail && request.Before is null)
            refuse("context_missing", "before", $"Extending at the tail needs the clip that is extended; name its media.");
        if (request.Kind is JobKind.ExtendHead && request.After is null)
            refuse("context_missing", "after", $"Extending at the head needs the clip that is extended; name its media.");
        if (request.Kind is JobKind.Fill && request.Before is null && request.After is null)
            refuse("context_missing", "before", $"A fill needs a shot beside the gap; use B-roll where there is none.");
        if (request.Before is { } before && before.Frames.IsEmpty)
            refuse("context_empty", "before", $"The shot before has no frames that can be read; choose another place or media.");
        if (request.After is { } after && after.Frames.IsEmpty)
            refuse("context_empty", "after", $"The shot after has no frames that can be read; choose another place or media.");
        if (request.ReferencePicture is not null && request.Kind is not (JobKind.BRoll or JobKind.Still))
            refuse("reference_unused", "reference", $"A reference picture starts a B-roll clip; leave it out where real frames lie beside the range.");
    }
}
