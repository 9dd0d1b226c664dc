using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>The context a plan uses, chosen from what the request offers and the model takes.</summary>
internal sealed record ContextChoice
{
    public required ContextRead? Before { get; init; }

    public required ContextRead? After { get; init; }

    /// <summary>Whether the context before is a reference picture and not the shot before a cut.</summary>
    public bool BeforeIsPicture { get; init; }

    /// <summary>Context frames between the windows of a long plan.</summary>
    public required int Chained { get; init; }

    public PlanRefusal? Refusal { get; init; }

    public static ContextChoice Choose(JobRequest request, ModelCapabilities model, Action<string, FormattableString> warn)
    {
        var wanted = FourFold(request.ContextFrames);
        if (wanted != request.ContextFrames)
            warn("context_rounded", $"{request.ContextFrames} context frames do not fit the model's grid of 4n+1; {wanted} are used.");
        // At least one generated latent must fit beside the context, and two where the context after takes slots of its own.
        wanted = Math.Min(wanted, FourFold(model.MaxFrames / 2));
        var step = RateConversion.OneToOne(request.Delivery.Rate, model.CanvasRate) ? request.Delivery.Rate : model.CanvasRate;
        var usesBefore = request.Kind is JobKind.ExtendTail or JobKind.Fill && request.Before is not null;
        var usesAfter = request.Kind is JobKind.ExtendHead or JobKind.Fill && request.After is not null;
        if (model.Before == ContextSupport.None && wanted > 1) wanted = 1;
        // Frames after that take slots lose their first latent: one frame alone would leave nothing.
        var wantedAfter = model.After == ContextSupport.BestEffort && wanted == 1 ? 5 : wanted;
        var before = usesBefore && model.FirstFrame != ContextSupport.None ? Read(request.Before!, wanted, step, backwards: true, "before", warn) : null;
        var after = usesAfter && model.After != ContextSupport.None ? Read(request.After!, wantedAfter, step, backwards: false, "after", warn) : null;
        if (model.After == ContextSupport.BestEffort && after is { Frames.Count: < 5 }) after = null;
        if (request.ReferencePicture is { } picture && request.Kind == JobKind.BRoll)
        {
            if (model.FirstFrame == ContextSupport.None)
                return Refused("reference_unsupported", "reference", $"The model '{model.Name}' takes no reference picture; leave it out or choose another model.");
            before = new ContextRead { Path = picture, Frames = [0] };
        }

        if (request.Kind == JobKind.ExtendHead && after is null && wanted > 0)
            return Refused("context_unsupported", "kind", $"The model '{model.Name}' cannot lead up to given frames; choose another model.");
        if (request.Kind == JobKind.ExtendTail && before is null && wanted > 0)
            return Refused("context_unsupported", "kind", $"The model '{model.Name}' cannot go on from given frames; choose another model.");
        var chained = model.Before == ContextSupport.Trained ? model.MaxContextFrames : 1;
        if (before is null && after is not null && model.After == ContextSupport.BestEffort) chained = Math.Max(chained, 5);
        return new ContextChoice
        {
            Before = before,
            After = after,
            BeforeIsPicture = request.Kind == JobKind.BRoll,
            Chained = Math.Min(chained, FourFold(model.MaxFrames / 2)),
        };
    }

    private static ContextChoice Refused(string code, string field, string message) =>
        new() { Before = null, After = null, Chained = 1, Refusal = new PlanRefusal(code, field, message) };

    private static ContextRead? Read(ContextSource source, int wanted, FrameRate step, bool backwards, string side, Action<string, FormattableString> warn)
    {
        for (var count = wanted; count > 0; count -= 4)
        {
            var offsets = RateConversion.ContextOffsets(count, source.Rate, step);
            if (offsets[^1] >= source.Frames.Duration) continue;
            if (count < wanted)
                warn("context_short", $"Only {source.Frames.Duration} frames can be read of the shot {side}; {count} of {wanted} context frames are used.");
            var frames = backwards
                ? offsets.Reverse().Select(o => source.Frames.End - 1 - o)
                : offsets.Select(o => source.Frames.Start + o);
            return new ContextRead { Path = source.Path, Frames = frames.ToArray() };
        }

        return null;
    }

    /// <summary>The largest 4n+1 up to <paramref name="frames"/>, or 0.</summary>
    private static int FourFold(int frames) => frames < 1 ? 0 : (frames - 1) / 4 * 4 + 1;
}
