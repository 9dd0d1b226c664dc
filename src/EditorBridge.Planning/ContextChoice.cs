using System.Globalization;
using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>The context a plan uses, chosen from what the request offers and the model takes.</summary>
internal sealed record ContextChoice
{
    // Context frames of models that were trained with several.
    private const int Default = 9;

    // The first latent of frames after that take slots is left out, and the next holds four more.
    private const int LeastInSlots = 5;

    public required ContextRead? Before { get; init; }

    public required ContextRead? After { get; init; }

    /// <summary>Whether the context before is a reference picture and not the shot before a cut.</summary>
    public bool BeforeIsPicture { get; init; }

    /// <summary>Context frames between the windows of a long plan.</summary>
    public required int Chained { get; init; }

    public PlanRefusal? Refusal { get; init; }

    public static ContextChoice Choose(JobRequest request, ModelCapabilities model, Action<string, FormattableString> warn)
    {
        // As many as the model works best with, when nothing is said.
        var asked = request.ContextFrames ?? (model.Before == ContextSupport.Trained ? Math.Min(Default, model.MaxContextFrames) : 1);
        var wanted = FourFold(asked);
        if (wanted != asked)
            warn("context_rounded", $"{asked} context frames do not fit the model's grid of 4n+1; {wanted} are used.");
        // At least one generated latent must fit beside the context, and two where the context after takes slots of its own.
        wanted = Math.Min(wanted, FourFold(model.MaxFrames / 2));
        if (Unsupported(request, model, wanted) is { } refusal) return new ContextChoice { Before = null, After = null, Chained = 1, Refusal = refusal };
        var step = RateConversion.OneToOne(request.Delivery.Rate, model.CanvasRate) ? request.Delivery.Rate : model.CanvasRate;
        var usesBefore = request.Kind is JobKind.ExtendTail or JobKind.Fill && request.Before is not null;
        var usesAfter = request.Kind is JobKind.ExtendHead or JobKind.Fill && request.After is not null;
        if (model.Before == ContextSupport.None && wanted > 1) wanted = 1;
        var inSlots = model.Conditioning == Conditioning.CleanLatents && model.After == ContextSupport.BestEffort;
        var wantedAfter = model.Conditioning switch
        {
            // One frame, which must be the window's last: up to four are read for the one that falls there.
            Conditioning.Channels when wanted > 0 => 4,
            // Frames after that take slots lose their first latent: one frame alone would leave nothing.
            _ when inSlots && wanted == 1 => LeastInSlots,
            _ => wanted,
        };
        var before = usesBefore && model.FirstFrame != ContextSupport.None ? Read(request.Before!, wanted, step, backwards: true, "before", warn) : null;
        var after = usesAfter && model.After != ContextSupport.None
            ? model.Conditioning == Conditioning.Channels ? ReadEach(request.After!, wantedAfter, step) : Read(request.After!, wantedAfter, step, backwards: false, "after", warn)
            : null;
        if (inSlots && after is { Frames.Count: < LeastInSlots and var few })
        {
            if (before is null)
            {
                return new ContextChoice
                {
                    Before = null, After = null, Chained = 1,
                    Refusal = new("context_too_short", "after", string.Create(CultureInfo.InvariantCulture,
                        $"The model '{model.Name}' leads up to {LeastInSlots} frames or more, and only {few} can be read of the shot after; choose another model.")),
                };
            }

            warn("context_short", $"The model '{model.Name}' leads up to {LeastInSlots} frames or more, and only {few} can be read of the shot after; the new frames do not lead up to it.");
            after = null;
        }

        if (request.ReferencePicture is { } picture && request.Kind == JobKind.BRoll) before = new ContextRead { Path = picture, Frames = [0] };

        // A model that goes by words alone cannot go on from frames; a source video may hold its windows together.
        var chained = model.Conditioning == Conditioning.Words ? 0 : model.Before == ContextSupport.Trained ? Math.Min(Default, model.MaxContextFrames) : 1;
        if (before is null && after is not null && inSlots) chained = Math.Max(chained, LeastInSlots);
        return new ContextChoice
        {
            Before = before,
            After = after,
            BeforeIsPicture = request.Kind == JobKind.BRoll,
            Chained = Math.Min(chained, FourFold(model.MaxFrames / 2)),
        };
    }

    // Why the model cannot do with what the request has for it, or nothing.
    private static PlanRefusal? Unsupported(JobRequest request, ModelCapabilities model, int wanted)
    {
        var words = request.Kind is JobKind.BRoll or JobKind.Still;
        if (request.Kind is JobKind.Restyle or JobKind.Inpaint or JobKind.Outpaint) return null;
        if (words && request.ReferencePicture is not null && model.FirstFrame == ContextSupport.None)
            return new("reference_unsupported", "reference", $"The model '{model.Name}' takes no reference picture; leave it out or choose another model.");
        if (words && model.NeedsLastFrame && (request.Keyframes.Count == 0 || request.Kind == JobKind.Still))
            return new("picture_missing", "kind", $"The model '{model.Name}' leads from one picture to another and makes nothing from words alone; use it to fill a gap, give it a first and a last picture, or choose another model.");
        if (words && model.NeedsFirstFrame && (request.ReferencePicture is null || request.Kind == JobKind.Still))
        {
            return new("picture_missing", "reference", request.Kind == JobKind.Still
                ? $"The model '{model.Name}' goes on from a picture and makes none from words; choose another model."
                : $"The model '{model.Name}' goes on from a picture and makes nothing from words alone; give it a reference picture, or choose another model.");
        }

        if (request.Kind == JobKind.ExtendHead && model.NeedsFirstFrame)
            return new("context_unsupported", "kind", $"The model '{model.Name}' goes on from a picture and cannot lead up to one alone; choose another model.");
        if (request.Kind == JobKind.ExtendTail && model.NeedsLastFrame)
            return new("context_unsupported", "kind", $"The model '{model.Name}' leads from one picture to another and cannot go on from one alone; use it to fill a gap, or choose another model.");
        if (request.Kind == JobKind.Fill && (model.NeedsFirstFrame && request.Before is null || model.NeedsLastFrame && request.After is null))
            return new("context_unsupported", "kind", $"The model '{model.Name}' needs a shot {(request.Before is null ? "before" : "after")} the gap, which has none; choose another model.");
        if (wanted == 0 && model.NeedsFirstFrame && !words)
            return new("context_unsupported", "context_frames", $"The model '{model.Name}' goes on from a picture; leave the number of context frames out.");
        if (wanted == 0) return null;
        if (request.Kind is JobKind.ExtendTail && model.FirstFrame == ContextSupport.None || request.Kind == JobKind.Fill && request.Before is not null && model.FirstFrame == ContextSupport.None)
            return new("context_unsupported", "kind", $"The model '{model.Name}' cannot go on from given frames; choose another model.");
        if (request.Kind is JobKind.ExtendHead && model.After == ContextSupport.None || request.Kind == JobKind.Fill && request.After is not null && model.After == ContextSupport.None)
            return new("context_unsupported", "kind", $"The model '{model.Name}' cannot lead up to given frames; choose another model{(request.Kind == JobKind.Fill && request.Before is not null ? ", or extend the shot before the gap" : "")}.");
        return null;
    }

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

    // As many of the first frames as there are.
    private static ContextRead? ReadEach(ContextSource source, int wanted, FrameRate step)
    {
        var frames = RateConversion.ContextOffsets(wanted, source.Rate, step).Where(offset => offset < source.Frames.Duration).Select(offset => source.Frames.Start + offset).ToArray();
        return frames.Length > 0 ? new ContextRead { Path = source.Path, Frames = frames } : null;
    }

    /// <summary>The largest 4n+1 up to <paramref name="frames"/>, or 0.</summary>
    private static int FourFold(int frames) => frames < 1 ? 0 : (frames - 1) / 4 * 4 + 1;
}
