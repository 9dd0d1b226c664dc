using EditorBridge.Cli.Reports;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Bundles;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Cli.Jobs;

/// <summary>Carries a job verb out: place, plan, generate, fetch, check, and only then write the new timeline.</summary>
/// <param name="arguments">What the command line says.</param>
/// <param name="options">How the host is found.</param>
/// <param name="report">Told everything.</param>
/// <param name="home">Where the timeline is; the file that the arguments name when null.</param>
internal sealed class JobRun(JobArguments arguments, ClientOptions options, IReport report, ITimelineHome? home = null)
{
    // With --all-gaps there may be hundreds; the first ones are waited for.
    private const int MostFirstMedia = 4;

    private readonly ITimelineHome home = home ?? new TimelineOnDisk(arguments);
    private readonly List<string> fetched = [];
    private readonly List<string> submitted = [];
    private string documentFolder = "";

    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var target = home.Target;
        if (!arguments.PlanOnly) target!.CheckWritable();
        PromptCheck();
        if (arguments.Takes < 1) throw new Refused("TAKES_OUT_OF_RANGE", "--takes must be 1 or more.");
        if (IdleOptions.Of(arguments) is { Count: > 0 } idle)
            report.Say(new NoticeEvent($"{string.Join(", ", idle)} {(idle.Count == 1 ? "changes" : "change")} nothing here: `editorbridge {PlanEvents.Word(arguments)} --help` says what each is for."));
        using var file = home.Open();
        var document = file.Document;
        documentFolder = file.Folder;
        var jobs = TimelineJobs.Find(document.Index, arguments).OrRefuse();
        file.Unpack(jobs.SelectMany(job => job.Shown(document.Index)));
        var shown = EarlyMediaCheck(file.Bundle, jobs);
        var first = shown.Count > 0 || arguments.Size is not null ? shown : SequenceSize.Candidates(document.Index, jobs[0], documentFolder).Take(1);

        using var client = await EditorBridgeClient.ConnectAsync(options with { FirstMedia = [.. first.Distinct().Take(MostFirstMedia)] }, cancellation).ConfigureAwait(false);
        var prepared = new List<Prepared>();
        foreach (var job in jobs) prepared.AddRange(await PrepareAsync(client, document, job, prepared.Count, jobs.Count, cancellation).ConfigureAwait(false));
        if (arguments.PlanOnly) return ExitCode.Done;
        try
        {
            await GenerateAsync(client, prepared, cancellation).ConfigureAwait(false);
            await FetchAsync(client, prepared, target!, cancellation).ConfigureAwait(false);
            var (written, placed) = await PlaceAsync(file, prepared, target!, cancellation).ConfigureAwait(false);
            fetched.Clear();
            report.Say(new DoneEvent(written, placed));
            return ExitCode.Done;
        }
        catch (Refused refused) when (fetched.Count > 0)
        {
            // The work of minutes is not thrown away because a user went on editing meanwhile.
            var kept = await home.KeepAsync([.. prepared.SelectMany(one => one.Clips).Select(clip => clip.Path)]).ConfigureAwait(false);
            if (kept is null)
            {
                TakeAway(target!.MediaDirectory);
                throw;
            }

            throw new Refused(refused.Reason, $"{refused.Message} {kept}");
        }
        catch
        {
            TakeAway(target!.MediaDirectory);
            throw;
        }
    }

    // Clips of a timeline that was not written are of no use; the host keeps its own.
    private void TakeAway(string folder)
    {
        try
        {
            foreach (var file in fetched.Where(File.Exists)) File.Delete(file);
            if (fetched.Count == 0) return;
            foreach (var empty in new[] { folder, Path.GetExtension(Path.GetDirectoryName(folder)) == ".otiod" ? Path.GetDirectoryName(folder)! : folder })
            {
                if (Directory.Exists(empty) && !Directory.EnumerateFileSystemEntries(empty).Any()) Directory.Delete(empty);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            report.Say(new NoticeEvent($"Clips that are of no use now stay in {folder}: {error.Message}"));
        }
    }

    private void PromptCheck()
    {
        if (string.IsNullOrWhiteSpace(arguments.Prompt))
            throw new Refused("PROMPT_EMPTY", "The prompt is empty: say in a few words what is to be seen, with --prompt.");
        if (arguments.Reference is { } reference && !File.Exists(reference))
            throw new Refused("REFERENCE_MISSING", $"The reference picture {Path.GetFullPath(reference)} does not exist.");
        foreach (var (what, path) in arguments.Subjects.Select(path => ("reference picture", path))
                     .Concat(arguments.Keyframes.Select(keyframe => ("keyframe", keyframe.Path))).Concat(arguments.Loras.Select(lora => ("LoRA", lora.Path)))
                     .Concat(new[] { ("mask", arguments.Mask), ("control video", arguments.Control) }.Where(pair => pair.Item2 is not null).Select(pair => (pair.Item1, pair.Item2!))))
        {
            if (!File.Exists(path)) throw new Refused("FILE_MISSING", $"The {what} {Path.GetFullPath(path)} does not exist.");
        }
    }

    // Before a host is started for it: a neighbour whose file is not there. Gives the files that are.
    private List<string> EarlyMediaCheck(TimelineBundle? bundle, IReadOnlyList<TimelineJob> jobs)
    {
        var found = new List<string>();
        foreach (var neighbour in jobs.SelectMany(job => new[] { job.Before, job.After, job.Source }).OfType<TrackItem>())
        {
            if (neighbour.Kind != ItemKind.Clip || neighbour.Media is { IsImageSequence: true }) continue;
            if (neighbour.Media?.Url is { } url && bundle?.Lacks(url) is { } refusal) throw new Refused(refusal.Reason, refusal.Message);
            found.Add(ClipMedia.Locate(neighbour, documentFolder).OrRefuse());
        }

        return found;
    }

    // Paths relative to the folder of the timeline that was read mean other files in that of the new one.
    private TimelineDocument InNewFolder(TimelineDocument document, OutputPaths target, IReadOnlySet<string> spelledAlready)
    {
        var folder = Path.GetDirectoryName(target.Timeline)!;
        if (folder == documentFolder || TimelineBundle.IsBundle(arguments.Timeline)) return document;
        if (!document.Index.Tracks.SelectMany(track => track.Items).Any(item => item.Media?.Url is { } url && MediaPath.IsRelative(url) && !spelledAlready.Contains(url))) return document;
        if (document.RespellMedia(url => spelledAlready.Contains(url) ? url : MediaPath.Rebase(url, documentFolder, folder)) is { } edited) return edited.Document;
        report.Say(new NoticeEvent("The timeline names media by paths relative to its folder; written to another folder it will look for them there."));
        return document;
    }

    private async Task<IReadOnlyList<Prepared>> PrepareAsync(EditorBridgeClient client, TimelineDocument document, TimelineJob job, int index, int of, CancellationToken cancellation)
    {
        var media = new HostMedia(client, report);
        // Side by side: the host looks into each file with a program of its own.
        var opened = await Task.WhenAll(new[] { job.Before, job.After, job.Source }
            .Select(async item => item is null ? null : await ClipMedia.OpenAsync(media, item, documentFolder, cancellation).ConfigureAwait(false))).ConfigureAwait(false);
        var (before, after, source) = (opened[0], opened[1], opened[2]);
        var timeline = document.Index;
        string[] notes = [.. new[] { before, after, source }.OfType<ClipMedia>().SelectMany(shot => shot.Info.Notes).Distinct()];
        var handles = before?.Handles(timeline.Rate).Tail ?? after?.Handles(timeline.Rate).Head ?? 0;
        if (handles > 0 && job.TrimOut is not null && !home.CanTrimOut)
        {
            throw new Refused("HANDLES_LEFT", $"{(before ?? after)!.Item.Label} still has {handles} frames of its own {(before is null ? "before its start" : "beyond its end")}: "
                + "drag its edge in the editor to use them, or say --generate to make frames in their place.");
        }

        if (job.TrimOut is { } trimOut && handles >= job.RecordRange.Duration)
        {
            var known = new Handles(after is null ? 0 : handles, before is null ? 0 : handles);
            if (trimOut(timeline, known).TryGet(out var trimmed, out var why))
            {
                report.Say(PlanEvents.Of(timeline, job, trimmed, "handles", index, of) with { Warnings = notes });
                return [new Prepared(job, trimmed, null, now => trimOut(now, known))];
            }

            report.Say(new NoticeEvent($"The media goes on beyond the cut, but cannot be used: {why.Message}"));
        }
        else if (job.Split is { } split && handles > 0 && (before ?? after)!.With(handles, timeline.Rate, head: before is null) is { } longer)
        {
            // Real frames come before invented ones: those there are, then the rest, which goes on from them.
            var (held, rest) = split(handles);
            var known = new Handles(after is null ? 0 : handles, before is null ? 0 : handles);
            if (held.TrimOut!(timeline, known).TryGet(out var trimmed, out var why) && document.Apply(trimmed).TryGet(out var applied, out why))
            {
                report.Say(PlanEvents.Of(timeline, held, trimmed, "handles", index, of + 1) with { Warnings = notes });
                var generated = await GeneratedAsync(client, applied.Document.Index, rest, before is null ? null : longer, after is null ? null : longer, null, 0, [], index + 1, of + 1, cancellation)
                    .ConfigureAwait(false);
                return [new Prepared(held, trimmed, null, now => held.TrimOut(now, known)), generated];
            }

            report.Say(new NoticeEvent($"The media goes on beyond the cut, but cannot be used: {why.Message}"));
        }

        return [await GeneratedAsync(client, timeline, job, before, after, source, handles, notes, index, of, cancellation).ConfigureAwait(false)];
    }

    private async Task<Prepared> GeneratedAsync(
        EditorBridgeClient client, TimelineIndex timeline, TimelineJob job, ClipMedia? before, ClipMedia? after, ClipMedia? source, long handles, string[] notes, int index, int of,
        CancellationToken cancellation)
    {
        var preview = job.Place(timeline, TimelineJobs.StandIn(timeline, job.RecordRange)).OrRefuse();
        var (size, sizedBy) = arguments.Size is { } given
            ? (new PixelSize { Width = given.Width, Height = given.Height }, null)
            : await SequenceSize.FindAsync(client, timeline, job, new[] { before, after, source }.OfType<ClipMedia>(), documentFolder, cancellation).ConfigureAwait(false);
        var spec = await SpecAsync(client, timeline, job, before, after, source, preview, handles, size, cancellation).ConfigureAwait(false);
        var plan = await client.PlanAsync(spec, cancellation).ConfigureAwait(false);
        if (plan.Refusals.Count > 0)
        {
            var (reason, message) = (plan.Refusals[0].Reason.ToUpperInvariant(), plan.Refusals[0].Message);
            // Nobody asked for that size: it is the media's.
            throw new Refused(reason, reason == "SIZE_ODD" && sizedBy is not null
                ? $"{message.TrimEnd('.')} ({sizedBy} has that size): give one with --size, such as --size {size.Width & ~1}x{size.Height & ~1}."
                : message);
        }

        var planned = PlanEvents.Of(timeline, job, preview, plan, index, of);
        report.Say(planned with { Warnings = [.. notes, .. planned.Warnings] });
        foreach (var notice in job.Notices) report.Say(new NoticeEvent(notice));
        return new Prepared(job, preview, spec, null);
    }

    private async Task<JobSpec> SpecAsync(
        EditorBridgeClient client, TimelineIndex timeline, TimelineJob job, ClipMedia? before, ClipMedia? after, ClipMedia? source, TimelineEdit preview, long handles, PixelSize size, CancellationToken cancellation)
    {
        var spec = new JobSpec
        {
            Kind = job.Kind,
            Prompt = arguments.Prompt,
            NegativePrompt = arguments.Negative,
            Takes = arguments.Takes,
            GenerateOverHandles = arguments.Generate || job.Loop,
            Loop = job.Loop,
            Sampler = new SamplerOptions { Preset = arguments.Preset, Solver = arguments.Solver, StepCache = arguments.Cache, Timesteps = { arguments.Timesteps } },
            Delivery = new Delivery
            {
                Size = size,
                Rate = ClipMedia.FromRate(timeline.Rate),
                Frames = job.RecordRange.Duration,
                Codec = arguments.Codec,
                StartTimecode = StartTimecode(timeline, job),
                ReelName = $"GEN{Guid.NewGuid().ToString("N")[..5].ToUpperInvariant()}",
            },
            Placement = new Placement
            {
                Application = "editorbridge",
                Timeline = home.Name,
                Track = $"V{preview.TrackNumber}",
                RecordRange = new Protocol.V1.FrameRange { Start = job.RecordRange.Start, Duration = job.RecordRange.Duration },
            },
        };
        if (arguments.Seed is { } seed) spec.Seed = seed;
        if (arguments.Steps is { } steps) spec.Sampler.Steps = steps;
        if (arguments.Guidance is { } guidance) spec.Sampler.Guidance = guidance;
        if (arguments.GuidanceUntil is { } until) spec.Sampler.GuidanceUntil = until;
        if (arguments.Shift is { } shift) spec.Sampler.Shift = shift;
        if (arguments.Model is { } model) spec.Model = model.StartsWith("models/", StringComparison.Ordinal) ? model : "models/" + model;
        var handleFrames = job.Kind == JobSpec.Types.Kind.Extend && job.TrimOut is not null ? Math.Min(handles, job.RecordRange.Duration - 1) : 0;
        // Handles that are too short to trim out whole are no reason to stop: the plan says what it does with them.
        if (before is not null) spec.ContextBefore = before.ToContext(handleFrames);
        if (after is not null) spec.ContextAfter = after.ToContext(handleFrames);
        if (arguments.Context is { } context)
        {
            if (spec.ContextBefore is { } earlier) earlier.Frames = context;
            if (spec.ContextAfter is { } later) later.Frames = context;
        }

        await new JobMedia(new HostMedia(client, report), arguments).AddAsync(spec, timeline, job, source, cancellation).ConfigureAwait(false);
        return spec;
    }

    private async Task GenerateAsync(EditorBridgeClient client, List<Prepared> prepared, CancellationToken cancellation)
    {
        var watch = new JobWatch(client, report);
        try
        {
            foreach (var one in prepared.Where(one => one.Spec is not null))
            {
                var job = await client.SubmitAsync(new Job { Spec = one.Spec }, cancellation: cancellation).ConfigureAwait(false);
                submitted.Add(job.Name);
                one.Job = job;
                report.Say(JobWatch.Event(job, prepared.IndexOf(one)));
            }

            for (var i = 0; i < prepared.Count; i++)
            {
                if (prepared[i].Job is not { } job) continue;
                var ended = await watch.ToEndAsync(job.Name, i, cancellation, said: job).ConfigureAwait(false);
                if (ended.State == Job.Types.State.Cancelled) throw new Refused("CANCELLED", $"{ended.Name} was cancelled; the timeline is as it was.");
                if (ended.State != Job.Types.State.Succeeded) throw EditorBridgeException.From(ended.Error);
                prepared[i].Job = ended;
            }
        }
        catch
        {
            await CancelAsync(client).ConfigureAwait(false);
            throw;
        }
    }

    // What was asked for is wanted whole or not at all: nothing goes on running for a command that has ended.
    private async Task CancelAsync(EditorBridgeClient client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        foreach (var name in submitted)
        {
            try
            {
                var job = await client.CancelAsync(name, limit.Token).ConfigureAwait(false);
                while (!EditorBridgeClient.IsFinal(job.State))
                {
                    await Task.Delay(100, limit.Token).ConfigureAwait(false);
                    job = await client.GetAsync(name, limit.Token).ConfigureAwait(false);
                }

                report.Say(JobWatch.Event(job));
            }
            catch (Exception error) when (error is EditorBridgeException or OperationCanceledException)
            {
                report.Say(new NoticeEvent($"{name} may still be running: `editorbridge jobs cancel {name}` ends it."));
            }
        }
    }

    private async Task FetchAsync(EditorBridgeClient client, List<Prepared> prepared, OutputPaths target, CancellationToken cancellation)
    {
        foreach (var one in prepared)
        {
            if (one.Job is not null) one.Clips = await ClipFetch.FetchAsync(client, one.Job, one.Place, target.MediaDirectory, fetched, report, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<(string? Written, List<PlacedClip> Placed)> PlaceAsync(TimelineFile source, List<Prepared> prepared, OutputPaths target, CancellationToken cancellation)
    {
        var placed = new List<PlacedClip>();
        var edits = new List<TimelineEdit>();
        var media = new List<(string Name, string File)>();
        var spelled = new HashSet<string>();
        var now = await home.AgainAsync(source, [.. prepared.Select(one => one.Place)], cancellation).ConfigureAwait(false);
        foreach (var one in prepared)
        {
            TimelineEdit edit;
            PlacedClip clip;
            if (one.Job is null)
            {
                edit = one.TrimOut!(now.Index).OrRefuse();
                clip = Placed(now.Index, one, edit);
            }
            else
            {
                var index = now.Index;
                var made = NewClips.Make(index, one, one.Clips, path =>
                {
                    if (source.Bundle is { HoldsMedia: true }) media.Add(("media/" + Path.GetFileName(path), path));
                    var url = source.Bundle is { HoldsMedia: true } ? media[^1].Name : NewClips.Url(index, path, target);
                    spelled.Add(url);
                    return url;
                });
                edit = one.Place.Place(now.Index, made).OrRefuse();
                clip = Placed(now.Index, one, edit) with
                {
                    Name = made.Name,
                    Path = one.Clips[0].Path,
                    Sidecar = one.Clips[0].Sidecar,
                    Job = one.Job.Name,
                    Seed = one.Clips[0].Seed,
                    OtherTakes = one.Clips.Count > 1 ? [.. one.Clips.Skip(1).Select(file => file.Path)] : null,
                };
            }

            now = now.Apply(edit).OrRefuse().Document;
            edits.Add(edit);
            placed.Add(clip);
        }

        now = InNewFolder(now, target, spelled);
        return (await home.WriteAsync(source, now, edits, media, cancellation).ConfigureAwait(false), placed);
    }

    private static PlacedClip Placed(TimelineIndex index, Prepared one, TimelineEdit edit) => new()
    {
        Kind = one.Job is null ? "handles" : PlanEvents.Word(one.Place),
        Track = edit.TrackNumber,
        RecordStart = edit.RecordRange.Start,
        Frames = edit.RecordRange.Duration,
        Rate = $"{index.Rate.Numerator}/{index.Rate.Denominator}",
        In = index.Label(edit.RecordRange.Start),
    };

    // The clip carries the timecode of its place; a day's labels are all there are.
    private static string StartTimecode(TimelineIndex timeline, TimelineJob job)
    {
        var frame = timeline.StartFrame + job.RecordRange.Start;
        return frame >= 0 && frame + job.RecordRange.Duration < timeline.Rate.Nominal * 86400L ? new Timecode(frame, timeline.Rate, timeline.DropFrame && Timecode.CanDropFrames(timeline.Rate)).ToString() : "";
    }
}

/// <summary>A place with all that is needed to fill it.</summary>
/// <param name="Place">The place.</param>
/// <param name="Preview">The edit, with a stand-in.</param>
/// <param name="Spec">What the host is asked for; null where the media's own frames are used.</param>
/// <param name="TrimOut">Uses those.</param>
internal sealed record Prepared(TimelineJob Place, TimelineEdit Preview, JobSpec? Spec, Func<TimelineIndex, Outcome<TimelineEdit>>? TrimOut)
{
    public Job? Job { get; set; }

    /// <summary>Its clips, fetched.</summary>
    public IReadOnlyList<FetchedClip> Clips { get; set; } = [];
}
