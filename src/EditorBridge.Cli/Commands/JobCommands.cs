using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using EditorBridge.Cli.Jobs;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Cli.Commands;

/// <summary>The verbs that make frames, and plan, which says what they would do.</summary>
internal static class JobCommands
{
    private static readonly Option<string> Timeline = new("--timeline") { Description = "The timeline: .otio, .otioz, .otiod, .fcpxml, .fcpxmld, .xml (FCP7), .edl, .mlt, .kdenlive or .osp. It is only read.", Required = true, HelpName = "IN" };
    internal static readonly Option<string> Out = new("--out") { Description = "The new timeline. Written whole at the end, or not at all.", HelpName = "OUT" };
    private static readonly Option<int?> Track = new("--track") { Description = "Video track, counted from 1, the lowest.", HelpName = "N" };
    private static readonly Option<string> In = new("--in") { Description = "First frame: a timecode of the sequence, or a frame number from the timeline's start.", HelpName = "TC" };
    private static readonly Option<string> OutPoint = new("--out-point") { Description = "First frame after the range, written as --in, or +N for N frames.", HelpName = "TC" };
    private static readonly Option<bool> InclusiveOut = new("--inclusive-out") { Description = "The out point is the last frame in the range." };
    private static readonly Option<string> Clip = new("--clip") { Description = "Name of a clip on the timeline.", HelpName = "NAME" };
    private static readonly Option<bool> Head = new("--head") { Description = "With extend: the clip's start rather than its end." };
    private static readonly Option<long?> Frames = new("--frames") { Description = "How many frames: of a range in place of --out-point, or by which extend and loop lengthen.", HelpName = "N" };
    private static readonly Option<int?> Gap = new("--gap") { Description = "Which gap of the track, counted from 1.", HelpName = "N" };
    private static readonly Option<bool> AllGaps = new("--all-gaps") { Description = "With fill: every gap of the track that lies between two shots." };
    private static readonly Option<string> Prompt = new("--prompt") { Description = "What is to be seen.", HelpName = "TEXT" };
    private static readonly Option<string> Negative = new("--negative") { Description = "What is not to be seen.", HelpName = "TEXT" };
    private static readonly Option<string> Reference = new("--reference") { Description = "A picture that the clip starts from.", HelpName = "PICTURE" };
    private static readonly Option<string[]> Subjects = new("--ref") { Description = "A picture of who or what is seen; may be said several times.", HelpName = "PICTURE", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<PictureAt[]> Keyframes = new("--keyframe") { Description = "A picture that the clip shows at a frame, counted from 0, or at its last; may be said several times.", HelpName = "PICTURE@FRAME|last", Arity = ArgumentArity.OneOrMore, CustomParser = ParseKeyframes };
    private static readonly Option<string> Control = new("--control") { Description = "A video whose structure the clip follows: depth, pose, edges.", HelpName = "VIDEO" };
    private static readonly Option<double?> ControlStrength = new("--control-strength") { Description = "How much it weighs, 0 to 2.", HelpName = "X" };
    private static readonly Option<double?> Strength = new("--strength") { Description = "How far a restyled clip may go from its source, above 0 to 1; 0.8 when not given.", HelpName = "X" };
    private static readonly Option<string> Mask = new("--mask") { Description = "A picture or video that is white where the clip is made anew.", HelpName = "FILE" };
    private static readonly Option<bool> InvertMask = new("--invert-mask") { Description = "The mask is black where the clip is made anew." };
    private static readonly Option<double> Feather = new("--feather") { Description = "Width of the mask's soft edge in pixels.", HelpName = "N" };
    private static readonly Option<Padding?> Pad = new("--pad") { Description = "Pixels to make left of, above, right of and below the clip; what the frame has beside its shape when not given.", HelpName = "L,T,R,B", CustomParser = ParsePadding };
    private static readonly Option<Lora[]> Loras = new("--lora") { Description = "A LoRA to add to the model, with a strength and, for models with two transformers, the one it is for; may be said several times.", HelpName = "FILE[:STRENGTH][@high|@low]", Arity = ArgumentArity.OneOrMore, CustomParser = ParseLoras };
    private static readonly Option<int?> Context = new("--context") { Description = "Real frames given to the model on each side, 4n+1; as many as it works best with when not given.", HelpName = "N" };
    private static readonly Option<double?> Guidance = new("--guidance") { Description = "Weight of the prompt, 1 to 30; the model's own when not given.", HelpName = "X" };
    private static readonly Option<string> Model = new("--model") { Description = "The model; `editorbridge models list` names them.", HelpName = "NAME" };
    private static readonly Option<long?> Seed = new("--seed") { Description = "Seed of the first take. The same seed gives the same frames.", HelpName = "N" };
    private static readonly Option<int> Takes = new("--takes") { Description = "How many clips to make, each with its own seed; the timeline shows the first, and in OpenTimelineIO the clip has the others as further media.", DefaultValueFactory = _ => 1, HelpName = "N" };
    private static readonly Option<string> Place = new("--place") { Description = "Where what extend or loop makes goes: the gap beside the clip if it is free (else above), a track above, or rippling every track." };
    private static readonly Option<bool> Generate = new("--generate") { Description = "With extend: generate even where the clip's own media goes on." };
    private static readonly Option<string> Codec = new("--codec") { Description = "How the clip is compressed.", DefaultValueFactory = _ => "h264" };
    private static readonly Option<string> MediaDir = new("--media-dir") { Description = "Folder for new clips; beside OUT when not given.", HelpName = "DIR" };
    private static readonly Option<(int Width, int Height)?> Size = new("--size") { Description = "Picture size, such as 1920x1080; that of the shots beside or below when not given.", HelpName = "WxH", CustomParser = ParseSize };
    private static readonly Option<int?> Steps = new("--steps") { Description = "Steps of the sampler; the preset's number when not given.", HelpName = "N" };
    private static readonly Option<string> Preset = new("--preset") { Description = "Quality against time; what the other sampling options leave open comes from it.", DefaultValueFactory = _ => "standard", HelpName = "draft|standard|final" };
    private static readonly Option<double?> GuidanceUntil = new("--guidance-until") { Description = "The part of the steps, from the first, in which guidance is applied, 0 to 1; the others take half the time.", HelpName = "X" };
    private static readonly Option<StepCache?> Cache = new("--cache") { Description = "Spare passes where steps hardly differ: none, easycache or, for models it was fitted to, teacache; with a threshold of change, 0.05 when not given.", HelpName = "METHOD[:X]", CustomParser = ParseCache };
    private static readonly Option<string> Sampler = new("--sampler") { Description = "The solver; the model's own when not given. lcm is for models distilled to a few steps." };
    private static readonly Option<double?> Shift = new("--shift") { Description = "Shift of the timesteps; the model's own when not given.", HelpName = "X" };
    private static readonly Option<double[]> Timesteps = new("--timesteps") { Description = "The timesteps that a model was distilled to, before the shift, such as 1000,750,500,250; with --sampler euler or lcm.", HelpName = "T,T,...", Arity = ArgumentArity.ExactlyOne, CustomParser = ParseTimesteps };
    private static readonly Argument<string?> PlanKind = new("KIND") { Description = "broll, extend, fill, still, restyle, inpaint, outpaint or loop; told from the options when not given.", Arity = ArgumentArity.ZeroOrOne };

    static JobCommands()
    {
        Place.AcceptOnlyFromAmong("gap", "above", "ripple");
        Codec.AcceptOnlyFromAmong("h264", "prores", "dnxhr");
        // What they were called first is still taken.
        Preset.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.Tokens[0].Value is not ("draft" or "standard" or "final" or "default" or "fine"))
                result.AddError($"There is no preset '{result.Tokens[0].Value}'; use draft, standard or final.");
        });
        Sampler.AcceptOnlyFromAmong("unipc", "dpm++", "euler", "lcm");
        PlanKind.AcceptOnlyFromAmong(KindWords);
    }

    public static IEnumerable<Command> All()
    {
        yield return Plan();
        yield return Verb("broll", "Make a new clip over a range, on a free track above.", JobSpec.Types.Kind.Broll);
        yield return Verb("extend", "Lengthen a clip at its end or, with --head, at its start.", JobSpec.Types.Kind.Extend);
        yield return Verb("fill", "Fill a gap with frames that lead from the shot before into the shot after.", JobSpec.Types.Kind.Fill);
        yield return Verb("still", "Make one picture and hold it over a range, on a free track above.", JobSpec.Types.Kind.Still);
        yield return Verb("restyle", "Make a clip anew, close to it or freely, on a free track above.", JobSpec.Types.Kind.Restyle);
        yield return Verb("inpaint", "Make the masked part of a clip anew, on a free track above.", JobSpec.Types.Kind.Inpaint);
        yield return Verb("outpaint", "Make picture around a clip, on a free track above.", JobSpec.Types.Kind.Outpaint);
        yield return Verb("loop", "Lengthen a clip so that its end leads back into its start.", JobSpec.Types.Kind.Extend, loop: true);
    }

    private static Command Plan()
    {
        var command = WithOptions(new Command("plan", "Say what a job would do, without doing it."));
        command.Arguments.Add(PlanKind);
        Session.Run(command, (parsed, report, cancellation) =>
            new JobRun(Read(parsed, KindOf(parsed, PlanKind), planOnly: true, loop: parsed.GetValue(PlanKind) == "loop"), Session.ClientOptions(report), report).RunAsync(cancellation));
        return command;
    }

    private static Command Verb(string name, string description, JobSpec.Types.Kind kind, bool loop = false)
    {
        var command = WithOptions(new Command(name, description));
        Session.Run(command, (parsed, report, cancellation) =>
            new JobRun(Read(parsed, kind, planOnly: false, loop), Session.ClientOptions(report), report).RunAsync(cancellation));
        return command;
    }

    private static Command WithOptions(Command command)
    {
        foreach (var option in (Option[])[Timeline, Out, .. JobOptions, FrameRateOption.Rate, Session.Json]) command.Options.Add(option);
        return command;
    }

    /// <summary>What a job verb takes beside the timeline.</summary>
    internal static Option[] JobOptions =>
    [
        Track, In, OutPoint, InclusiveOut, Clip, Head, Frames, Gap, AllGaps, Prompt, Negative, Reference,
        Subjects, Keyframes, Control, ControlStrength, Strength, Mask, InvertMask, Feather, Pad, Loras, Context, Guidance, Model, Seed, Takes,
        Place, Generate, Codec, MediaDir, Size, Preset, Steps, GuidanceUntil, Cache, Sampler, Shift, Timesteps,
    ];

    /// <summary>The words for kinds of jobs.</summary>
    internal static string[] KindWords { get; } = ["broll", "extend", "fill", "still", "restyle", "inpaint", "outpaint", "loop"];

    /// <summary>The kind of a job, from its word or, when there is none, from the places that were named.</summary>
    internal static JobSpec.Types.Kind KindOf(ParseResult parsed, Argument<string?> word) => parsed.GetValue(word) switch
    {
        { } named => KindOf(named),
        _ when parsed.GetValue(Gap) is not null || parsed.GetValue(AllGaps) => JobSpec.Types.Kind.Fill,
        _ when parsed.GetValue(Clip) is not null => JobSpec.Types.Kind.Extend,
        _ when parsed.GetValue(In) is not null => JobSpec.Types.Kind.Broll,
        _ => throw new Refused("KIND_MISSING", $"Say what to {(parsed.CommandResult.Command.Name == "plan" ? "plan" : "make")}: broll, extend, fill, still, restyle, inpaint, outpaint or loop."),
    };

    /// <summary>The kind of a job, from its word.</summary>
    internal static JobSpec.Types.Kind KindOf(string word) => word switch
    {
        "broll" => JobSpec.Types.Kind.Broll,
        "extend" or "loop" => JobSpec.Types.Kind.Extend,
        "fill" => JobSpec.Types.Kind.Fill,
        "still" => JobSpec.Types.Kind.Still,
        "restyle" => JobSpec.Types.Kind.Restyle,
        "inpaint" => JobSpec.Types.Kind.Inpaint,
        "outpaint" => JobSpec.Types.Kind.Outpaint,
        _ => throw new Refused("KIND_MISSING", $"There is no job called '{word}'."),
    };

    /// <summary>What the command line says of a job.</summary>
    internal static JobArguments Read(ParseResult parsed, JobSpec.Types.Kind kind, bool planOnly, bool loop) => new()
    {
        Kind = kind,
        PlanOnly = planOnly,
        Timeline = parsed.GetValue(Timeline)!,
        Out = parsed.GetValue(Out),
        Track = parsed.GetValue(Track),
        In = parsed.GetValue(In),
        OutPoint = parsed.GetValue(OutPoint),
        InclusiveOut = parsed.GetValue(InclusiveOut),
        Clip = parsed.GetValue(Clip),
        Head = parsed.GetValue(Head),
        Frames = parsed.GetValue(Frames),
        Gap = parsed.GetValue(Gap),
        AllGaps = parsed.GetValue(AllGaps),
        Prompt = parsed.GetValue(Prompt) ?? "",
        Negative = parsed.GetValue(Negative) ?? "",
        Reference = parsed.GetValue(Reference),
        Subjects = parsed.GetValue(Subjects) ?? [],
        Keyframes = parsed.GetValue(Keyframes) ?? [],
        Control = parsed.GetValue(Control),
        ControlStrength = parsed.GetValue(ControlStrength),
        Strength = parsed.GetValue(Strength),
        Mask = parsed.GetValue(Mask),
        InvertMask = parsed.GetValue(InvertMask),
        Feather = parsed.GetValue(Feather),
        Padding = parsed.GetValue(Pad),
        Loop = loop,
        Loras = parsed.GetValue(Loras) ?? [],
        Context = parsed.GetValue(Context),
        Guidance = parsed.GetValue(Guidance),
        Model = parsed.GetValue(Model),
        Seed = parsed.GetValue(Seed),
        Takes = parsed.GetValue(Takes),
        Place = parsed.GetValue(Place) switch { "gap" => PlaceRule.Gap, "above" => PlaceRule.Above, "ripple" => PlaceRule.Ripple, _ => null },
        Generate = parsed.GetValue(Generate),
        Codec = parsed.GetValue(Codec) switch
        {
            "prores" => Delivery.Types.Codec.Prores422Hq,
            "dnxhr" => Delivery.Types.Codec.DnxhrHqx,
            _ => Delivery.Types.Codec.H264,
        },
        MediaDirectory = parsed.GetValue(MediaDir),
        Size = parsed.GetValue(Size),
        Rate = parsed.GetValue(FrameRateOption.Rate),
        Steps = parsed.GetValue(Steps),
        Preset = parsed.GetValue(Preset) ?? "",
        GuidanceUntil = parsed.GetValue(GuidanceUntil),
        Cache = parsed.GetValue(Cache),
        Solver = parsed.GetValue(Sampler) switch
        {
            "unipc" => SamplerOptions.Types.Solver.Unipc,
            "dpm++" => SamplerOptions.Types.Solver.DpmPlusPlus,
            "euler" => SamplerOptions.Types.Solver.Euler,
            "lcm" => SamplerOptions.Types.Solver.Lcm,
            _ => SamplerOptions.Types.Solver.Unspecified,
        },
        Shift = parsed.GetValue(Shift),
        Timesteps = parsed.GetValue(Timesteps) ?? [],
    };

    private static StepCache? ParseCache(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var threshold = 0.0;
        var method = (colon < 0 ? text : text[..colon]) switch
        {
            "none" when colon < 0 => StepCache.Types.Method.None,
            "easycache" => StepCache.Types.Method.EasyCache,
            "teacache" => StepCache.Types.Method.TeaCache,
            _ => StepCache.Types.Method.Unspecified,
        };
        if (method == StepCache.Types.Method.Unspecified || (colon > 0 && !double.TryParse(text[(colon + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out threshold)))
        {
            result.AddError($"'{text}' is not a step cache: write none, easycache, teacache, or one of the two with a threshold, such as easycache:0.1.");
            return null;
        }

        var cache = new StepCache { Method = method };
        if (colon > 0) cache.Threshold = threshold;
        return cache;
    }

    private static double[]? ParseTimesteps(ArgumentResult result)
    {
        var timesteps = new List<double>();
        foreach (var text in result.Tokens[0].Value.Split(','))
        {
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var timestep))
            {
                result.AddError($"'{text}' is not a timestep: write them as 1000,750,500,250.");
                return null;
            }

            timesteps.Add(timestep);
        }

        return [.. timesteps];
    }

    private static (int Width, int Height)? ParseSize(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        var parts = text.Split('x', 'X');
        if (parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var width)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var height))
            return (width, height);
        result.AddError($"'{text}' is not a picture size: write it as 1920x1080.");
        return null;
    }

    private static PictureAt[]? ParseKeyframes(ArgumentResult result)
    {
        var keyframes = new List<PictureAt>();
        foreach (var text in result.Tokens.Select(token => token.Value))
        {
            var at = text.LastIndexOf('@');
            var frame = at > 0 ? text[(at + 1)..] : "";
            if (frame == "last") keyframes.Add(new PictureAt(text[..at], null));
            else if (long.TryParse(frame, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) keyframes.Add(new PictureAt(text[..at], number));
            else result.AddError($"'{text}' is not a keyframe: write it as picture.png@12, or picture.png@last.");
        }

        return [.. keyframes];
    }

    private static Padding? ParsePadding(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        int[] sides = [.. text.Split(',').Select(side => int.TryParse(side, NumberStyles.None, CultureInfo.InvariantCulture, out var pixels) ? pixels : -1)];
        if (sides is [>= 0 and var left, >= 0 and var top, >= 0 and var right, >= 0 and var bottom]) return new Padding { Left = left, Top = top, Right = right, Bottom = bottom };
        result.AddError($"'{text}' is not padding: write it as left,top,right,bottom, such as 240,0,240,0.");
        return null;
    }

    private static Lora[]? ParseLoras(ArgumentResult result)
    {
        var loras = new List<Lora>();
        foreach (var token in result.Tokens.Select(token => token.Value))
        {
            var (text, expert) = token.EndsWith("@high", StringComparison.Ordinal) ? (token[..^5], Lora.Types.Expert.HighNoise)
                : token.EndsWith("@low", StringComparison.Ordinal) ? (token[..^4], Lora.Types.Expert.LowNoise) : (token, Lora.Types.Expert.Unspecified);
            // The last colon may be a drive's.
            var colon = text.LastIndexOf(':');
            var strength = 1.0;
            if (colon > 0 && double.TryParse(text[(colon + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out strength)) text = text[..colon];
            else strength = 1;
            loras.Add(new Lora { Path = Path.GetFullPath(text), Strength = strength, Expert = expert });
        }

        return [.. loras];
    }
}
