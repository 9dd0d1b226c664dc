using EditorBridge.Protocol.V1;

namespace EditorBridge.Cli.Jobs;

/// <summary>Finds what a command line says that changes nothing for its verb, beside what else it says.</summary>
internal static class IdleOptions
{
    /// <summary>Names of such options. What the host reads as well is not among them: it says itself what it cannot do.</summary>
    public static IReadOnlyList<string> Of(JobArguments arguments)
    {
        var kind = arguments.Kind;
        var extends = kind == JobSpec.Types.Kind.Extend;
        var fills = kind == JobSpec.Types.Kind.Fill;
        var overRange = kind is JobSpec.Types.Kind.Broll or JobSpec.Types.Kind.Still;
        var byGap = fills && (arguments.AllGaps || arguments.Gap is not null);
        var byClip = overRange && arguments.Clip is not null;
        var byRange = !byGap && !byClip && (extends || arguments.In is not null);
        var found = new List<string>();
        void Note(bool idle, string name)
        {
            if (idle) found.Add(name);
        }

        Note(arguments.In is not null && (byGap || byClip), "--in");
        Note(arguments.OutPoint is not null && (!byRange || (extends && arguments.Frames is not null)), "--out-point");
        Note(arguments.Frames is not null && (!byRange || (!extends && arguments.OutPoint is not null)), "--frames");
        Note(arguments.InclusiveOut && (arguments.OutPoint is null || found.Contains("--out-point")), "--inclusive-out");
        Note(arguments.Clip is not null && fills, "--clip");
        Note(arguments.Gap is not null && !(fills && !arguments.AllGaps) && !(overRange && arguments.In is null && arguments.Clip is null), "--gap");
        Note(arguments.AllGaps && !fills, "--all-gaps");
        Note(arguments.Head && (!extends || arguments.Loop), "--head");
        Note(arguments.Place is { } place && !extends && !(place == PlaceRule.Above && !fills), "--place");
        Note(arguments.Generate && (!extends || arguments.Loop), "--generate");
        Note(arguments.Context is not null && !extends && !fills, "--context");
        Note((arguments.InvertMask || arguments.Feather != 0) && arguments.Mask is null, arguments.InvertMask ? "--invert-mask" : "--feather");
        Note(arguments.ControlStrength is not null && arguments.Control is null, "--control-strength");
        return found;
    }
}
