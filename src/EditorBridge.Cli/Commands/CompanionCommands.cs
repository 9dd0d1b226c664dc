using System.CommandLine;
using EditorBridge.Cli.Companion;
using EditorBridge.Cli.Jobs;
using EditorBridge.Cli.Reports;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Mlt;

namespace EditorBridge.Cli.Commands;

/// <summary>companion: jobs for the project that is open in an editor which loads no plugins.</summary>
internal static class CompanionCommands
{
    private static readonly Argument<string?> Kind = new("KIND") { Description = "broll, extend, fill, still, restyle, inpaint, outpaint or loop; told from the options when not given.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string> Project = new("--project") { Description = "The project's file, where it is not found by itself.", HelpName = "FILE" };
    private static readonly Option<bool> Closed = new("--closed") { Description = "The project is not open, or shall not be touched: read its file, and write the new one to --out." };
    private static readonly Option<bool> Ask = new("--ask") { Description = "Ask in windows for what is not said here (kdialog or zenity), and show progress there." };
    private static readonly Option<bool> PlanOnly = new("--plan") { Description = "Say what would be done, without doing it." };

    static CompanionCommands() => Kind.AcceptOnlyFromAmong(JobCommands.KindWords);

    public static Command Companion()
    {
        var companion = new Command("companion", "Jobs for the project that is open in Kdenlive or Shotcut (Linux).");
        companion.Subcommands.Add(For("kdenlive", "Save the project that is open in Kdenlive, make the clip, and have Kdenlive open the project with it. Without a place, its playhead, timeline zone and active track tell it."));
        companion.Subcommands.Add(For("shotcut", "Make a clip for the project that is open in Shotcut, and put it on the clipboard. Without a place, the clip that was copied there (Ctrl+C) tells it."));
        return companion;
    }

    private static Command For(string editor, string description)
    {
        var command = new Command(editor, description);
        command.Arguments.Add(Kind);
        foreach (var option in (Option[])[Project, Closed, JobCommands.Out, PlanOnly, Ask, .. JobCommands.JobOptions]) command.Options.Add(option);
        Session.Run(command, async (parsed, report, cancellation) =>
        {
            if (!OperatingSystem.IsLinux()) throw new Refused("SYSTEM_UNSUPPORTED", "The companions work on Linux; elsewhere `editorbridge broll`, `extend` and `fill` edit the saved project.");
            if (!parsed.GetValue(Ask)) return await RunAsync(editor, parsed, null, report, Session.ClientOptions(report), cancellation).ConfigureAwait(false);
            var dialogs = Dialogs.Find();
            try
            {
                return await RunAsync(editor, parsed, dialogs, report, Session.ClientOptions(report), cancellation).ConfigureAwait(false);
            }
            catch (Exception error) when (error is Refused { Reason: not "CANCELLED" } or EditorBridgeException or IOException or UnauthorizedAccessException)
            {
                await dialogs.SayAsync(error.Message, isError: true, cancellation).ConfigureAwait(false);
                throw;
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(string editor, ParseResult parsed, Dialogs? dialogs, IReport report, ClientOptions options, CancellationToken cancellation)
    {
        var word = parsed.GetValue(Kind);
        if (dialogs is not null && word is null) word = await AskedJob.KindAsync(dialogs, cancellation).ConfigureAwait(false);
        var kind = word is null ? JobCommands.KindOf(parsed, Kind) : JobCommands.KindOf(word);
        var said = JobCommands.Read(parsed, kind, parsed.GetValue(PlanOnly), word == "loop");
        var named = parsed.GetValue(Project) is { } project ? Path.GetFullPath(project) : null;
        if (named is not null && !File.Exists(named)) throw new Refused("TIMELINE_MISSING", $"The project {named} does not exist.");
        if (parsed.GetValue(Closed)) return await ClosedAsync(said, named, dialogs, report, options, cancellation).ConfigureAwait(false);
        if (said.Out is not null) throw new Refused("OUT_UNUSED", "--out names a new project file, which only --closed writes.");
        return editor == "kdenlive"
            ? await KdenliveAsync(said, named, dialogs, report, options, cancellation).ConfigureAwait(false)
            : await ShotcutAsync(said, named, dialogs, report, options, cancellation).ConfigureAwait(false);
    }

    private static async Task<int> KdenliveAsync(JobArguments said, string? named, Dialogs? dialogs, IReport report, ClientOptions options, CancellationToken cancellation)
    {
        using var bus = await SessionBus.ConnectAsync(cancellation).ConfigureAwait(false);
        var project = await KdenliveProject.FindAsync(bus, named, report, cancellation).ConfigureAwait(false)
            ?? throw new Refused("EDITOR_NOT_RUNNING", "Kdenlive does not run: open the project in it, or name a closed one with --closed --project FILE.");
        said = Placed(said, project.Path) with { Timeline = project.Path };
        return await GoAsync(said, dialogs, report, options, (arguments, told) => new JobRun(arguments, Telling(options, told), told, new KdenliveHome(project, arguments, told)), cancellation).ConfigureAwait(false);
    }

    private static async Task<int> ShotcutAsync(JobArguments said, string? named, Dialogs? dialogs, IReport report, ClientOptions options, CancellationToken cancellation)
    {
        if (said.AllGaps || said.Place == PlaceRule.Ripple)
            throw new Refused("NOT_PASTED", $"{(said.AllGaps ? "Several gaps" : "An extension that moves what follows")} cannot be pasted at once: use --closed, which writes a new project file.");
        var project = ShotcutProject.Find(named);
        var clipboard = Clipboard.Find();
        report.Say(new NoticeEvent($"The project is {project.Path}, as it was saved at {File.GetLastWriteTime(project.Path):HH:mm:ss}."));
        if (!CursorPlace.NamesPlace(said))
        {
            using var file = TimelineFile.Open(project.Path, null);
            if (CopiedClip.Find(file, await clipboard.ReadAsync(cancellation).ConfigureAwait(false)) is { } copied) said = CursorPlace.From(said, copied.Track, copied.Item);
            else if (said.Kind != JobSpec.Types.Kind.Fill) throw new Refused("CLIP_NOT_NAMED", "Say where: select a clip on Shotcut's timeline and copy it (Ctrl+C), or give --in or --clip.");
        }

        said = said with { Timeline = project.Path };
        return await GoAsync(said, dialogs, report, options, (arguments, told) => new JobRun(arguments, Telling(options, told), told, new ShotcutHome(project, clipboard, arguments, told)), cancellation).ConfigureAwait(false);
    }

    // The file alone, as every other format is edited.
    private static async Task<int> ClosedAsync(JobArguments said, string? named, Dialogs? dialogs, IReport report, ClientOptions options, CancellationToken cancellation)
    {
        if (named is null) throw new Refused("TIMELINE_MISSING", "Say which project: --closed takes --project FILE.");
        said = Placed(said, named) with { Timeline = named, Out = said.Out ?? FreeName(named) };
        var code = await GoAsync(said, dialogs, report, options, (arguments, told) => new JobRun(arguments, Telling(options, told), told), cancellation, $"Open {said.Out} in the editor.").ConfigureAwait(false);
        return code;
    }

    private static async Task<int> GoAsync(
        JobArguments said, Dialogs? dialogs, IReport report, ClientOptions options, Func<JobArguments, IReport, JobRun> run, CancellationToken cancellation, string? afterwards = null)
    {
        if (dialogs is null) return await run(said, report).RunAsync(cancellation).ConfigureAwait(false);
        var asksFrames = said is { Kind: JobSpec.Types.Kind.Extend, Frames: null, OutPoint: null };
        await using var early = asksFrames || said.Prompt.Length == 0 ? new EarlyLook(said, options) : null;
        if (asksFrames) said = said with { Frames = await AskedJob.FramesAsync(dialogs, SuggestedFrames(said), cancellation).ConfigureAwait(false) };
        if (said.Prompt.Length == 0) said = said with { Prompt = await AskedJob.PromptAsync(dialogs, cancellation).ConfigureAwait(false) };
        int code;
        string sentences;
        using (var shown = new DialogReport(report, dialogs, cancellation))
        {
            try
            {
                code = await run(said, shown).RunAsync(shown.Cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new Refused("CANCELLED", "Cancelled; nothing was written.");
            }

            sentences = shown.Sentences;
        }

        await dialogs.SayAsync(string.Join("\n\n", new[] { sentences, afterwards }.Where(text => !string.IsNullOrEmpty(text))), isError: false, cancellation).ConfigureAwait(false);
        return code;
    }

    private static ClientOptions Telling(ClientOptions options, IReport report) => options with { Notify = sentence => report.Say(new NoticeEvent(sentence)) };

    private static JobArguments Placed(JobArguments said, string path)
    {
        using var file = TimelineFile.Open(path, null);
        return file.Document is MltDocument { Cursor: { } cursor } ? CursorPlace.From(said, file.Document.Index, cursor) : said;
    }

    // Up to the next clip when that is near, else two seconds.
    private static long SuggestedFrames(JobArguments said)
    {
        using var file = TimelineFile.Open(said.Timeline, null);
        var index = file.Document.Index;
        var two = 2L * index.Rate.Nominal;
        if (said.Track is not { } number || !index.FindVideoTrack(number).TryGet(out var track, out _) || !long.TryParse(said.In, out var at) || Gaps.At(track, at) is not { } item) return two;
        var gap = Gaps.Find(track).FirstOrDefault(found => found.Before == item && found.After is not null);
        return gap is not null && gap.Range.Duration <= 10L * index.Rate.Nominal ? gap.Range.Duration : two;
    }

    private static string FreeName(string project)
    {
        var stem = Path.Combine(Path.GetDirectoryName(project)!, Path.GetFileNameWithoutExtension(project));
        for (var i = 2; ; i++)
        {
            if ($"{stem}-{i}{Path.GetExtension(project)}" is var name && !File.Exists(name)) return name;
        }
    }
}
