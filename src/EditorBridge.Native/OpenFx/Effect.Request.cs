using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.OpenFx;

internal sealed unsafe partial class Effect
{
    private static readonly TimeSpan WithdrawingPatience = TimeSpan.FromSeconds(1);

    /// <summary>Frames of context a side that are fetched; the plan may use fewer.</summary>
    private const int ContextFrames = 9;

    /// <summary>The frames the effect covers, [first, end), in its own time.</summary>
    private (long First, long End) Range()
    {
        Clip("Output"u8, out var output);
        if (Bounds(output) is { } own) return own;
        if (_context is EffectContext.Filter or EffectContext.General && Clip("Source"u8, out var input) != 0 && Bounds(input) is { } source) return source;
        double first = 0, last = 0;
        if (Suites.TimeLine is not null && Suites.TimeLine->GetTimeBounds(_handle, &first, &last) == (int)OfxStatus.Ok && Frames(first, last) is { } whole) return whole;
        return (0, _properties.Double("OfxImageEffectInstancePropEffectDuration"u8) is >= 1 and < 1e7 and var duration ? (long)Math.Round(duration) : 1);
    }

    private static (long First, long End)? Bounds(PropertySet clip) =>
        clip.Double("OfxImageEffectPropFrameRange"u8, 0) is { } first && clip.Double("OfxImageEffectPropFrameRange"u8, 1) is { } last ? Frames(first, last) : null;

    // Hosts say of what has no end that it ends very far away.
    private static (long First, long End)? Frames(double first, double last) =>
        last > first && last - first < 1e7 && Math.Abs(first) < 1e9 ? ((long)Math.Round(first), (long)Math.Round(last) + 1) : null;

    /// <summary>The first frame that is generated: a filter may begin anywhere in its clip.</summary>
    private long FirstGenerated((long First, long End) range)
    {
        if (_context is EffectContext.Generator or EffectContext.Transition) return range.First;
        var start = _parameters.Int(Description.Start);
        return Math.Clamp(start < 0 ? range.End + start : range.First + start, range.First, range.End - 1);
    }

    // Reads the parameters. Null, with the reason, when it cannot be asked for.
    private Asked? Ask(out string problem)
    {
        problem = "";
        var prompt = _parameters.Text(Description.Prompt).Trim();
        if (prompt.Length == 0)
        {
            problem = "The prompt is empty; say in a few words what is to be seen.";
            return null;
        }

        var range = Range();
        var first = FirstGenerated(range);
        var wanted = _parameters.Int(Description.Frames);
        var end = _context is EffectContext.Filter or EffectContext.General
            ? Math.Min(range.End, wanted > 0 ? first + wanted : range.End) : wanted > 0 ? first + wanted : range.End;
        if (_context == EffectContext.Transition) end = range.End;
        // Kept as a number of its own, so that a clip that is cut shorter afterwards still shows each frame in its place.
        if (_parameters.Int(Description.Start) < 0) _parameters.Set(Description.Start, (int)(first - range.First));

        var asked = new Asked(prompt, first, end, ExactRate(Rate()));
        if (_context == EffectContext.Generator) return asked;
        var isTransition = _context == EffectContext.Transition;
        var from = Clip(isTransition ? "SourceFrom"u8 : "Source"u8, out var fromProperties);
        if (from == 0 || !isTransition && fromProperties.Int("OfxImageClipPropConnected"u8) is 0) from = 0;
        if (from != 0 && (isTransition || first > range.First || end < range.End) && !HasTemporalAccess())
        {
            problem = "This program hands a plugin only the frame at the playhead, so the frames beside the new ones cannot be read here; use `editorbridge extend` or `fill` with the project's file instead.";
            return null;
        }

        if (from != 0) asked = asked with { Before = new Side(from, Times(first, -1, isTransition ? Bounds(fromProperties) : range)) };
        if (isTransition)
        {
            if (Clip("SourceTo"u8, out var toProperties) is var to and not 0) asked = asked with { After = new Side(to, Times(end, 1, Bounds(toProperties))) };
        }
        else if (from != 0 && end < range.End)
        {
            asked = asked with { After = new Side(from, Times(end, 1, range)) };
        }

        return asked;
    }

    // Takes the frames around the place out of the clips. Null when there are none to be had, with the reason, or when the user has stopped it, without one.
    private GenerationWish? Gather(Asked asked, ProgressBar bar, out string problem)
    {
        problem = "";
        var all = asked.Before.Times.Count + asked.After.Times.Count;
        var buffers = new RowBuffers();
        FrameGrab? Grab(Side side, int done) =>
            side.Times.Count == 0 ? null : FrameGrab.Take(side.Clip, side.Times, asked.Rate, buffers, part => bar.GoesOn(FetchingShare * (done + part * side.Times.Count) / all));

        var before = Grab(asked.Before, 0);
        // Nothing more is asked of a host whose user has had enough.
        var after = before is { IsStopped: true } or { Problem.Length: > 0 } or { File.Written.IsFaulted: true } ? null : Grab(asked.After, asked.Before.Times.Count);
        var isStopped = before is { IsStopped: true } || after is { IsStopped: true };
        problem = isStopped ? "" : before is { Problem.Length: > 0 } ? before.Problem : after?.Problem ?? "";
        if (!isStopped && problem.Length == 0)
        {
            if (all > 0 && before?.File is null && after?.File is null)
                problem = "This program gave no picture of the frames beside the new ones; move the place to where the clip has frames, or use it as a generator.";
            else if (before is { File: not null } && after is { File: not null } && (before.Width, before.Height) != (after.Width, after.Height))
                problem = $"The clips have different sizes ({before.Width} x {before.Height} and {after.Width} x {after.Height}); conform them to the timeline first.";
        }

        if (isStopped || problem.Length > 0)
        {
            // On a disk that does not answer they go when it does.
            Task.WaitAll([.. ((FrameGrab?[])[before, after]).Select(grab => grab?.File?.WithdrawAsync()).OfType<Task>()], WithdrawingPatience);
            return null;
        }

        var taken = before is { File: not null } ? before : after is { File: not null } ? after : null;
        var (width, height) = taken is not null ? (taken.Width, taken.Height) : OutputSize();
        return new GenerationWish
        {
            Prompt = asked.Prompt, Negative = _parameters.Text(Description.Negative).Trim(), Model = _parameters.Text(Description.Model).Trim(),
            Seed = _parameters.Int(Description.Seed, -1) is >= 0 and var seed ? seed : null,
            Takes = Math.Clamp(_parameters.Int(Description.Takes, 1), 1, Description.MostTakes), Take = Math.Clamp(_parameters.Int(Description.Take, 1), 1, Description.MostTakes),
            Frames = asked.End - asked.First, Width = width & ~1, Height = height & ~1, Rate = asked.Rate,
            Before = before is { File: not null } ? before : null, After = after is { File: not null } ? after : null,
            Missing = before is { File: null } ? "before" : after is { File: null } ? "after" : "",
            First = asked.First, Application = Suites.Host.Text("OfxPropLabel"u8) ?? Suites.Host.Text("OfxPropName"u8) ?? "OpenFX",
        };
    }

    // Times from the cut outwards, within what the clip has.
    private static List<double> Times(long cut, int direction, (long First, long End)? bounds)
    {
        var times = new List<double>();
        for (var i = 0; i < ContextFrames; i++)
        {
            var time = direction < 0 ? cut - 1 - i : cut + i;
            if (bounds is { } b && (time < b.First || time >= b.End)) break;
            times.Add(time);
        }

        return times;
    }

    // The standard's default is that there is none, so a host that says nothing has none.
    private static bool HasTemporalAccess() => Suites.Host.Int("OfxImageEffectPropTemporalClipAccess"u8) is not (null or 0);

    private double Rate()
    {
        Clip("Output"u8, out var output);
        return output.Double("OfxImageEffectPropFrameRate"u8) is > 0 and <= 1000 and var own ? own : _properties.Double("OfxImageEffectPropFrameRate"u8) is > 0 and <= 1000 and var rate ? rate : 24;
    }

    private (int Width, int Height) OutputSize()
    {
        var aspect = _properties.Double("OfxImageEffectPropProjectPixelAspectRatio"u8) is > 0 and var ratio ? ratio : 1;
        var width = _properties.Double("OfxImageEffectPropProjectSize"u8, 0) ?? _properties.Double("OfxImageEffectPropProjectExtent"u8, 0) ?? 0;
        var height = _properties.Double("OfxImageEffectPropProjectSize"u8, 1) ?? _properties.Double("OfxImageEffectPropProjectExtent"u8, 1) ?? 0;
        return width >= 16 && height >= 16 ? ((int)Math.Round(width / aspect), (int)Math.Round(height)) : (1920, 1080);
    }

    // 23.976 is 24000/1001: whoever writes a rate as a decimal number means that.
    private static FrameRate ExactRate(double rate)
    {
        var whole = Math.Round(rate);
        if (Math.Abs(rate - whole) < 0.002) return new FrameRate { Numerator = (long)whole, Denominator = 1 };
        var ntsc = Math.Round(rate * 1.001);
        if (Math.Abs(rate - ntsc / 1.001) < 0.01) return new FrameRate { Numerator = (long)ntsc * 1000, Denominator = 1001 };
        return new FrameRate { Numerator = (long)Math.Round(rate * 1000), Denominator = 1000 };
    }

    // What a press asks for, before any frame is fetched: [First, End) are new.
    private sealed record Asked(string Prompt, long First, long End, FrameRate Rate)
    {
        public Side Before { get; init; } = new(0, []);

        public Side After { get; init; } = new(0, []);
    }

    private readonly record struct Side(nint Clip, IReadOnlyList<double> Times);
}
