using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.OpenFx;

internal sealed unsafe partial class Effect
{
    /// <summary>Frames of context a side that are fetched; the plan may use fewer.</summary>
    private const int ContextFrames = 9;

    /// <summary>The frames the effect covers, [first, end), in its own time.</summary>
    private (long First, long End) Range()
    {
        Clip("Output"u8, out var output);
        if (Bounds(output) is { } own) return own;
        if (_context is EffectContext.Filter or EffectContext.General && Clip("Source"u8, out var input) != 0 && Bounds(input) is { } source) return source;
        double first = 0, last = 0;
        if (Suites.TimeLine is not null && Suites.TimeLine->GetTimeBounds(_handle, &first, &last) == (int)OfxStatus.Ok && last > first)
            return ((long)Math.Round(first), (long)Math.Round(last) + 1);
        var duration = _properties.Double("OfxImageEffectInstancePropEffectDuration"u8) ?? 0;
        return (0, Math.Max(1, (long)Math.Round(duration)));
    }

    private static (long First, long End)? Bounds(PropertySet clip) =>
        clip.Double("OfxImageEffectPropFrameRange"u8, 0) is { } first && clip.Double("OfxImageEffectPropFrameRange"u8, 1) is { } last && last > first && last - first < 1e7
            ? ((long)Math.Round(first), (long)Math.Round(last) + 1) : null;

    /// <summary>The first frame that is generated: a filter may begin anywhere in its clip.</summary>
    private long FirstGenerated((long First, long End) range)
    {
        if (_context is EffectContext.Generator or EffectContext.Transition) return range.First;
        var start = _parameters.Int(Description.Start);
        return Math.Clamp(start < 0 ? range.End + start : range.First + start, range.First, range.End - 1);
    }

    // Reads the parameters and takes the frames around the place out of the clips. Null, with the reason, when it cannot be asked for.
    private GenerationWish? Gather(out string problem)
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

        var rate = ExactRate(Rate());
        FrameGrab? before = null, after = null;
        if (_context != EffectContext.Generator)
        {
            var isTransition = _context == EffectContext.Transition;
            var hasSource = Clip(isTransition ? "SourceFrom"u8 : "Source"u8, out var from) != 0 && (isTransition || from.Int("OfxImageClipPropConnected"u8) != 0);
            var needsOthers = isTransition || first > range.First || end < range.End;
            if (hasSource && needsOthers && !HasTemporalAccess())
            {
                problem = "This program hands a plugin only the frame at the playhead, so the frames beside the new ones cannot be read here; use `editorbridge extend` or `fill` with the project's file instead.";
                return null;
            }

            if (hasSource) before = Grab(isTransition ? "SourceFrom"u8 : "Source"u8, Times(first, -1, isTransition ? Bounds(from) : range), rate);
            if (hasSource && end < range.End || isTransition)
            {
                var to = Clip(isTransition ? "SourceTo"u8 : "Source"u8, out var properties) != 0 ? Bounds(properties) : null;
                after = Grab(isTransition ? "SourceTo"u8 : "Source"u8, Times(end, 1, isTransition ? to : range), rate);
            }

            problem = before is { Problem.Length: > 0 } ? before.Problem : after?.Problem ?? "";
            if (problem.Length == 0 && before is { Count: > 0 } && after is { Count: > 0 } && (before.Width, before.Height) != (after.Width, after.Height))
                problem = $"The clips have different sizes ({before.Width} x {before.Height} and {after.Width} x {after.Height}); conform them to the timeline first.";
            if (problem.Length > 0)
            {
                foreach (var grab in (FrameGrab?[])[before, after])
                    if (grab?.Path is { } path) Handover.Remove(path);
                return null;
            }
        }

        var (width, height) = before is { Count: > 0 } ? (before.Width, before.Height) : after is { Count: > 0 } ? (after.Width, after.Height) : OutputSize();
        return new GenerationWish
        {
            Prompt = prompt, Negative = _parameters.Text(Description.Negative).Trim(), Model = _parameters.Text(Description.Model).Trim(),
            Seed = _parameters.Int(Description.Seed, -1) is >= 0 and var seed ? seed : null,
            Takes = Math.Clamp(_parameters.Int(Description.Takes, 1), 1, Description.MostTakes), Take = Math.Clamp(_parameters.Int(Description.Take, 1), 1, Description.MostTakes),
            Frames = end - first, Width = width & ~1, Height = height & ~1, Rate = rate,
            Before = before is { Count: > 0 } ? before : null, After = after is { Count: > 0 } ? after : null,
            First = first, Application = Suites.Host.Text("OfxPropLabel"u8) ?? Suites.Host.Text("OfxPropName"u8) ?? "OpenFX",
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

    private FrameGrab Grab(ReadOnlySpan<byte> clipName, List<double> times, FrameRate rate)
    {
        var clip = Clip(clipName, out _);
        return FrameGrab.Take(clip, times, rate);
    }

    // The standard's default is that there is none, so a host that says nothing has none.
    private static bool HasTemporalAccess() => Suites.Host.Int("OfxImageEffectPropTemporalClipAccess"u8) is not (null or 0);

    private double Rate()
    {
        Clip("Output"u8, out var output);
        return output.Double("OfxImageEffectPropFrameRate"u8) is > 0 and var own ? own : _properties.Double("OfxImageEffectPropFrameRate"u8) is > 0 and var rate ? rate : 24;
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
}
