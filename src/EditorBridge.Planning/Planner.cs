using System.Globalization;

namespace EditorBridge.Planning;

/// <summary>Turns a request into a plan, without running anything.</summary>
public static class Planner
{
    /// <summary>
    /// The plan of <paramref name="request"/> on <paramref name="model"/>. A request that cannot be carried out gives a plan with
    /// <see cref="Plan.Refusals"/>, never an exception.
    /// </summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="model">The model that was found under <see cref="JobRequest.Model"/>.</param>
    /// <param name="speed">What is known of the machine's speed.</param>
    /// <param name="machine">What is known of its memory; nothing is refused for memory where nothing is known.</param>
    public static Plan Plan(JobRequest request, ModelCapabilities model, SpeedFigures speed, MachineMemory? machine = null)
    {
        var refusals = RequestCheck.Refusals(request).ToList();
        if (request.Kind == JobKind.Still && request.ReferencePicture is not null)
            refusals.Add(new PlanRefusal("reference_unused", "reference", "A still from a reference picture cannot be made by this version yet; leave the reference out."));
        if (model.Boundary is null && request.Loras.FirstOrDefault(lora => lora.Expert != LoraExpert.Both) is { } apart)
            refusals.Add(new PlanRefusal("lora_unsupported", "loras", $"The model '{model.Name}' has one transformer for all noise levels; leave out which one '{apart.Path}' is for."));
        if (SamplingChoice.Unsupported(request, model) is { } unsampled) refusals.Add(unsampled);
        var warnings = new List<PlanWarning>();
        void Warn(string code, FormattableString message) => warnings.Add(new PlanWarning(code, message.ToString(CultureInfo.InvariantCulture)));
        var sampling = SamplingChoice.Choose(request, model);
        if (refusals.Count > 0) return Refused(request, model, sampling, refusals);

        var delivery = request.Delivery;
        var canvas = CanvasChoice.Choose(model, delivery.Width, delivery.Height);
        if (request.Kind is JobKind.ExtendTail or JobKind.ExtendHead && request.HandleFrames > 0 && !request.GenerateOverHandles)
        {
            if (request.HandleFrames >= delivery.Frames) return FromHandles(request, model, sampling, canvas);
            Warn("handles_partial", $"The source media still holds {request.HandleFrames} of the {delivery.Frames} frames; trim the clip out by them first to keep them.");
        }

        var context = ContextChoice.Choose(request, model, Warn);
        if ((context.Refusal ?? FurtherInputs.Unsupported(request, model)) is { } refusal) return Refused(request, model, sampling, [refusal]);
        var mapping = request.Kind == JobKind.Still
            ? RateConversion.Still(delivery.Frames)
            : RateConversion.Map(delivery.Frames, delivery.Rate, model.CanvasRate, context.Before is not null && !context.BeforeIsPicture, context.After is not null);
        if (Windows(mapping.CanvasFrames, context, model, request.Source is not null) is not { } windows)
        {
            var (what, remedy) = model.NeedsLastFrame ? ("leads from one picture to another within", "fill less of the gap") : ("makes at once, and cannot go on from,", "ask for fewer");
            return Refused(request, model, sampling, [new PlanRefusal("range_too_long", "delivery.frames", string.Create(
                CultureInfo.InvariantCulture, $"The model '{model.Name}' {what} {model.MaxFrames} frames of {model.CanvasRate} a second, and this range needs {mapping.CanvasFrames}; {remedy}, or choose another model."))]);
        }

        // Of what could be read after, only what fits the grid.
        var taken = windows.Select(w => w.AfterOrigin == ContextOrigin.Source ? w.AfterFrames : 0).DefaultIfEmpty().Max();
        if (context.After is { } offered && taken < offered.Frames.Count) context = context with { After = offered with { Frames = [.. offered.Frames.Take(taken)] } };
        var (before, after) = (context.Before?.Frames.Count ?? 0, context.After?.Frames.Count ?? 0);
        sampling = FurtherInputs.Sampling(request, sampling);
        // A last picture is a frame after as far as training goes.
        var ending = request.Keyframes.Count > 0 && model.Conditioning == Conditioning.Channels ? 1 : after;
        var bestEffort = Support(model, before, ending) == ContextSupport.BestEffort;
        Notes(request, model, canvas, mapping, windows, before, ending, bestEffort, Warn);

        var memory = MemoryChoice.Choose(model, canvas.Size, windows, sampling, machine ?? MachineMemory.Unknown);
        if (memory.Refusal is { } tooLittle) return Refused(request, model, sampling, [tooLittle]);
        warnings.AddRange(memory.Warnings);

        var plan = new Plan
        {
            Request = request,
            Model = model,
            Mechanism = request.Kind switch
            {
                JobKind.Restyle => Mechanism.NoisedSource,
                JobKind.Inpaint or JobKind.Outpaint => Mechanism.MaskedVideo,
                _ => Offered(model, before, after, bestEffort, request.Keyframes.Count > 0 || request.Control is not null || request.Subjects.Count > 0),
            },
            Canvas = canvas,
            Mapping = mapping,
            Windows = windows,
            Before = context.Before,
            After = context.After,
            Inputs = FurtherInputs.Of(request, mapping),
            Sampling = sampling,
            Takes = Enumerable.Range(0, request.Takes).Select(i => new TakePlan(i + 1, request.Seed + i)).ToArray(),
            Prompt = request.Prompt.Trim(),
            NegativePrompt = string.IsNullOrWhiteSpace(request.NegativePrompt) ? model.DefaultNegativePrompt : request.NegativePrompt.Trim(),
            Memory = memory.Estimate,
            Time = Estimates.Time(model, canvas.Size, windows, sampling, memory.Estimate.VaeTile, request.Takes, speed),
            Warnings = warnings,
            Refusals = [],
        };
        return plan;
    }

    /// <summary>How far <paramref name="model"/> was trained for so many context frames.</summary>
    public static ContextSupport Support(ModelCapabilities model, int before, int after)
    {
        // Of several frames read after, one is given.
        if (model.Conditioning == Conditioning.Channels) after = Math.Min(after, 1);
        var start = before == 0 ? ContextSupport.Trained : before == 1 ? model.FirstFrame : model.Before;
        var end = after == 0 ? ContextSupport.Trained : model.After;
        var worst = start < end ? start : end;
        return worst == ContextSupport.Trained && Math.Max(before, after) > model.MaxContextFrames ? ContextSupport.BestEffort : worst;
    }

    // The best that the model has for what is there.
    private static Mechanism Offered(ModelCapabilities model, int before, int after, bool bestEffort, bool guided) =>
        before + after == 0 && !guided ? Mechanism.Text
        : bestEffort ? Mechanism.BestEffortContext
        : model.Conditioning == Conditioning.Vace ? Mechanism.VideoContext
        : model.Conditioning == Conditioning.Channels && (after > 0 || guided) ? Mechanism.FirstLastFrame
        : model.Before != ContextSupport.Trained && after == 0 ? Mechanism.FirstFrame
        : Mechanism.CleanContext;

    // Null where several windows would be needed of a model that cannot go on from one to the next.
    private static IReadOnlyList<WindowPlan>? Windows(int wanted, ContextChoice context, ModelCapabilities model, bool sourced)
    {
        var (before, after) = (context.Before?.Frames.Count ?? 0, context.After?.Frames.Count ?? 0);
        if (model.Conditioning == Conditioning.CleanLatents)
        {
            var inSlots = after > 0 && model.After == ContextSupport.BestEffort;
            return before == 0 && after > 0
                ? WindowChain.Backward(wanted, after, context.Chained, model.MaxFrames, inSlots)
                : WindowChain.Forward(wanted, before, after, context.Chained, model.MaxFrames, inSlots);
        }

        var windows = before == 0 && after > 0
            ? WholeWindowChain.Backward(wanted, after, context.Chained, model.MaxFrames)
            : WholeWindowChain.Forward(wanted, before, after, lastAlone: model.Conditioning == Conditioning.Channels, context.Chained, model.MaxFrames);
        return windows.Count > 1 && (model.NeedsLastFrame || model.Conditioning == Conditioning.Words && !sourced) ? null : windows;
    }

    private static void Notes(
        JobRequest request, ModelCapabilities model, CanvasPlan canvas, FrameMapping mapping, IReadOnlyList<WindowPlan> windows, int before, int after, bool bestEffort,
        Action<string, FormattableString> warn)
    {
        var delivery = request.Delivery;
        if (bestEffort)
            warn("best_effort", $"'{model.Name}' was not trained with {Given(before)} before and {Given(model.Conditioning == Conditioning.Channels ? Math.Min(after, 1) : after)} after: it will try, but the join may show.");
        if (request.Kind != JobKind.Still && !mapping.OneToOne)
            warn("rate_converted", $"'{model.Name}' works at {model.CanvasRate} frames per second; {mapping.CanvasFrames} frames are made and blended to {delivery.Frames} at {delivery.Rate}.");
        if (windows.Count > 1)
            warn("windows", $"The range is longer than the {model.MaxFrames} frames '{model.Name}' makes at once: it is made in {windows.Count} windows, each going on from the one before.");
        if (canvas.Fit == CanvasFit.Inset)
            warn("canvas_inset", $"No canvas of '{model.Name}' has the shape of {delivery.Width}x{delivery.Height}: {canvas.PictureWidth}x{canvas.PictureHeight} of a {canvas.Size.Width}x{canvas.Size.Height} canvas are used.");
        if ((long)delivery.Width * delivery.Height > 4L * canvas.PictureWidth * canvas.PictureHeight)
            warn("upscaled", $"'{model.Name}' draws {canvas.PictureWidth}x{canvas.PictureHeight} pixels; the clip is scaled up to {delivery.Width}x{delivery.Height} and will look soft beside sharp footage.");
        // English runs at about four characters a token; a small vocabulary takes more tokens, and the encoder cuts the rest off.
        if (request.Prompt.Length > 3 * model.TextLength)
            warn("prompt_long", $"'{model.Name}' reads the first {model.TextLength} tokens of a prompt; the end of this one may be left out.");
        if (request.Kind == JobKind.Fill && before == 0)
            warn("fill_one_sided", $"Nothing can be read before the gap: the clip only leads up to the shot after it.");
        if (request.Kind == JobKind.Fill && after == 0)
            warn("fill_one_sided", $"Nothing can be read after the gap: the clip only goes on from the shot before it.");
        warn("video_only", $"The new item has video only; audio is left as it is.");
    }

    private static string Given(int frames) => frames == 1 ? "1 context frame" : string.Create(CultureInfo.InvariantCulture, $"{frames} context frames");

    private static Plan Refused(JobRequest request, ModelCapabilities model, SamplingPlan sampling, IReadOnlyList<PlanRefusal> refusals) =>
        Empty(request, model, sampling, Mechanism.None, [], refusals);

    private static Plan FromHandles(JobRequest request, ModelCapabilities model, SamplingPlan sampling, CanvasPlan canvas) =>
        Empty(request, model, sampling, Mechanism.Handles,
            [new PlanWarning("handles", $"The source media still holds the {request.Delivery.Frames} frames: the clip is trimmed out and nothing is generated.")], []) with
        {
            Canvas = canvas,
        };

    private static Plan Empty(
        JobRequest request, ModelCapabilities model, SamplingPlan sampling, Mechanism mechanism, IReadOnlyList<PlanWarning> warnings, IReadOnlyList<PlanRefusal> refusals) => new()
        {
            Request = request,
            Model = model,
            Mechanism = mechanism,
            Canvas = CanvasChoice.Choose(model, Math.Max(1, request.Delivery.Width), Math.Max(1, request.Delivery.Height)),
            Mapping = RateConversion.Still(Math.Max(0, request.Delivery.Frames)),
            Windows = [],
            Before = null,
            After = null,
            Sampling = sampling,
            Takes = [],
            Prompt = request.Prompt,
            NegativePrompt = request.NegativePrompt,
            Memory = MemoryEstimate.None,
            Time = new TimeEstimate { Basis = TimeBasis.Unknown, SamplingSeconds = 0, VaeSeconds = 0, TotalSeconds = 0 },
            Warnings = warnings,
            Refusals = refusals,
        };
}
