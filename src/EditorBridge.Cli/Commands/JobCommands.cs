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
    private static readonly Option<string> Out = new("--out") { Description = "The new timeline. Written whole at the end, or not at all.", HelpName = "OUT" };
    private static readonly Option<int?> Track = new("--track") { Description = "Video track, counted from 1, the lowest.", HelpName = "N" };
    private static readonly Option<string> In = new("--in") { Description = "First frame: a timecode of the sequence, or a frame number from the timeline's start.", HelpName = "TC" };
    private static readonly Option<string> OutPoint = new("--out-point") { Description = "First frame after the range, written as --in, or +N for N frames.", HelpName = "TC" };
    private static readonly Option<bool> InclusiveOut = new("--inclusive-out") { Description = "The out point is the last frame in the range." };
    private static readonly Option<string> Clip = new("--clip") { Description = "Name of a clip on the timeline.", HelpName = "NAME" };
    private static readonly Option<bool> Head = new("--head") { Description = "Extend the clip's start rather than its end." };
    private static readonly Option<long?> Frames = new("--frames") { Description = "How many frames.", HelpName = "N" };
    private static readonly Option<int?> Gap = new("--gap") { Description = "Which gap of the track, counted from 1.", HelpName = "N" };
    private static readonly Option<bool> AllGaps = new("--all-gaps") { Description = "Every gap of the track that lies between two shots." };
    private static readonly Option<string> Prompt = new("--prompt") { Description = "What is to be seen.", HelpName = "TEXT" };
    private static readonly Option<string> Negative = new("--negative") { Description = "What is not to be seen.", HelpName = "TEXT" };
    private static readonly Option<string> Reference = new("--reference") { Description = "A picture that the clip starts from.", HelpName = "PICTURE" };
    private static readonly Option<string> Model = new("--model") { Description = "The model; `editorbridge models list` names them.", HelpName = "NAME" };
    private static readonly Option<long?> Seed = new("--seed") { Description = "Seed of the first take. The same seed gives the same frames.", HelpName = "N" };
    private static readonly Option<int> Takes = new("--takes") { Description = "How many clips to make, each with its own seed; the first goes on the timeline.", DefaultValueFactory = _ => 1, HelpName = "N" };
    private static readonly Option<string> Place = new("--place") { Description = "Where an extension goes: the gap beside the clip if it is free (else above), a track above, or rippling every track." };
    private static readonly Option<bool> Generate = new("--generate") { Description = "Generate even where the clip's own media goes on." };
    private static readonly Option<string> Codec = new("--codec") { Description = "How the clip is compressed.", DefaultValueFactory = _ => "h264" };
    private static readonly Option<string> MediaDir = new("--media-dir") { Description = "Folder for new clips; beside OUT when not given.", HelpName = "DIR" };
    private static readonly Option<(int Width, int Height)?> Size = new("--size") { Description = "Picture size, such as 1920x1080; that of the shots beside or below when not given.", HelpName = "WxH", CustomParser = ParseSize };
    private static readonly Option<int?> Steps = new("--steps") { Description = "Steps of the sampler; the model's own number when not given.", HelpName = "N" };
    private static readonly Option<string> Preset = new("--preset") { Description = "Quality against time.", DefaultValueFactory = _ => "default" };
    private static readonly Argument<string?> PlanKind = new("KIND") { Description = "broll, extend, fill or still; told from the options when not given.", Arity = ArgumentArity.ZeroOrOne };

    static JobCommands()
    {
        Place.AcceptOnlyFromAmong("gap", "above", "ripple");
        Codec.AcceptOnlyFromAmong("h264", "prores", "dnxhr");
        Preset.AcceptOnlyFromAmong("draft", "default", "fine");
        PlanKind.AcceptOnlyFromAmong("broll", "extend", "fill", "still");
    }

    public static IEnumerable<Command> All()
    {
        yield return Plan();
        yield return Verb("broll", "Make a new clip over a range, on a free track above.", JobSpec.Types.Kind.Broll);
        yield return Verb("extend", "Lengthen a clip at its end or, with --head, at its start.", JobSpec.Types.Kind.Extend);
        yield return Verb("fill", "Fill a gap with frames that lead from the shot before into the shot after.", JobSpec.Types.Kind.Fill);
        yield return Verb("still", "Make one picture and hold it over a range, on a free track above.", JobSpec.Types.Kind.Still);
    }

    private static Command Plan()
    {
        var command = WithOptions(new Command("plan", "Say what a job would do, without doing it."));
        command.Arguments.Add(PlanKind);
        Session.Run(command, (parsed, report, cancellation) =>
            new JobRun(Read(parsed, KindOf(parsed), planOnly: true), Session.ClientOptions(report), report).RunAsync(cancellation));
        return command;
    }

    private static Command Verb(string name, string description, JobSpec.Types.Kind kind)
    {
        var command = WithOptions(new Command(name, description));
        Session.Run(command, (parsed, report, cancellation) =>
            new JobRun(Read(parsed, kind, planOnly: false), Session.ClientOptions(report), report).RunAsync(cancellation));
        return command;
    }

    private static Command WithOptions(Command command)
    {
        foreach (var option in new Option[]
                 {
                     Timeline, Out, Track, In, OutPoint, InclusiveOut, Clip, Head, Frames, Gap, AllGaps, Prompt, Negative, Reference, Model, Seed, Takes,
                     Place, Generate, Codec, MediaDir, Size, FrameRateOption.Rate, Steps, Preset, Session.Json,
                 })
            command.Options.Add(option);
        return command;
    }

    private static JobSpec.Types.Kind KindOf(ParseResult parsed) => parsed.GetValue(PlanKind) switch
    {
        "broll" => JobSpec.Types.Kind.Broll,
        "extend" => JobSpec.Types.Kind.Extend,
        "fill" => JobSpec.Types.Kind.Fill,
        "still" => JobSpec.Types.Kind.Still,
        _ when parsed.GetValue(Gap) is not null || parsed.GetValue(AllGaps) => JobSpec.Types.Kind.Fill,
        _ when parsed.GetValue(Clip) is not null => JobSpec.Types.Kind.Extend,
        _ when parsed.GetValue(In) is not null => JobSpec.Types.Kind.Broll,
        _ => throw new Refused("KIND_MISSING", "Say what to plan: broll, extend, fill or still."),
    };

    private static JobArguments Read(ParseResult parsed, JobSpec.Types.Kind kind, bool planOnly) => new()
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
    };

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
}
