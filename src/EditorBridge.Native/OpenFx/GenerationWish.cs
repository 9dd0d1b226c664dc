using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.OpenFx;

/// <summary>What a press of Generate asks for.</summary>
internal sealed record GenerationWish
{
    public required string Prompt { get; init; }

    public required string Negative { get; init; }

    /// <summary>Name of a model, with or without "models/"; empty for the host's default.</summary>
    public required string Model { get; init; }

    /// <summary>Null draws one.</summary>
    public required int? Seed { get; init; }

    /// <summary>Takes to make.</summary>
    public required int Takes { get; init; }

    /// <summary>The take that is shown, counted from 1.</summary>
    public required int Take { get; init; }

    public required long Frames { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    public required FrameRate Rate { get; init; }

    /// <summary>Frames just before the new ones; null where there are none.</summary>
    public required FrameGrab? Before { get; init; }

    /// <summary>Frames just after the new ones; null where there are none.</summary>
    public required FrameGrab? After { get; init; }

    /// <summary>What to tell who asked, beside the result; empty for nothing. A host may declare that it gives frames by time and not do it.</summary>
    public string Warning => Before is { IsStill: true } || After is { IsStill: true }
        ? "The frames beside the new ones are all the same: right for a still; if the shot moves, this program ignores the time it is asked for, and `editorbridge extend` or `fill` with the project's file is the way."
        : Missing.Length > 0 ? $"This program gave no picture of the frames {Missing} the new ones, which therefore do not join them." : "";

    /// <summary>"before" or "after" where the editor has a clip and gave no picture of it; empty else.</summary>
    public string Missing { get; init; } = "";

    /// <summary>The first new frame in the effect's own time.</summary>
    public required long First { get; init; }

    /// <summary>The editor.</summary>
    public required string Application { get; init; }

    /// <summary>The job, with the frames around it as files.</summary>
    public Job ToJob()
    {
        var spec = new JobSpec
        {
            Kind = (Before, After) switch
            {
                (null, null) => JobSpec.Types.Kind.Broll,
                (not null, not null) => JobSpec.Types.Kind.Fill,
                _ => JobSpec.Types.Kind.Extend,
            },
            Prompt = Prompt, NegativePrompt = Negative, Takes = Takes,
            Delivery = new Delivery { Size = new PixelSize { Width = Width, Height = Height }, Rate = Rate, Frames = Frames, Codec = Delivery.Types.Codec.Prores422Hq },
            Placement = new Placement { Application = Application, RecordRange = new FrameRange { Start = First, Duration = Frames } },
        };
        if (Seed is { } seed) spec.Seed = seed;
        if (Model.Length > 0) spec.Model = Model.StartsWith("models/", StringComparison.Ordinal) ? Model : "models/" + Model;
        if (Before is not null) spec.ContextBefore = Context(Before);
        if (After is not null) spec.ContextAfter = Context(After);
        // Both sides get the same number.
        if (Before is not null && After is not null && Before.Count != After.Count)
            spec.ContextBefore.Frames = spec.ContextAfter.Frames = Math.Min(Before.Count, After.Count);
        return new Job { Spec = spec };
    }

    private ContextFrames Context(FrameGrab grab) => new()
    {
        Segment = new MediaSegment { Media = new MediaSource { Path = grab.File!.Path }, Range = new FrameRange { Start = 0, Duration = grab.Count }, Rate = Rate },
    };
}
