using System.Globalization;

namespace EditorBridge.Cli.Reports;

/// <summary>Sentences for people on standard output, the error on standard error, a progress bar where a terminal is.</summary>
internal sealed class TextReport : IReport
{
    private readonly Lock gate = new();
    private readonly ProgressBar? bar = Console.IsErrorRedirected ? null : new ProgressBar();

    public void Say(CliEvent happened)
    {
        lock (gate)
        {
            if (happened is ProgressEvent progress)
            {
                bar?.Show(progress);
                return;
            }

            if (happened is TransferEvent transfer)
            {
                bar?.Show(transfer);
                return;
            }

            bar?.Clear();
            switch (happened)
            {
                case ErrorEvent error: Console.Error.WriteLine(error.Message); break;
                case StateEvent { Kind: null } state: bar?.Label(state); break;
                default:
                    foreach (var line in Lines(happened)) Console.Out.WriteLine(line);
                    break;
            }
        }
    }

    public void Dispose()
    {
        lock (gate) bar?.Clear();
    }

    private static IEnumerable<string> Lines(CliEvent happened) => happened switch
    {
        NoticeEvent notice => [notice.Message],
        PlanEvent plan => Plan(plan),
        StateEvent state => [Text($"{state.Job,-28} {state.State,-10} {state.Kind,-8} {state.Frames,6} frames  {state.Created,-20} {state.Message ?? state.Prompt}"),
            .. (state.Clips ?? []).Select(clip => "    " + clip)],
        ClipEvent clip => [Text($"{clip.Path}: {clip.Frames} frames at {clip.Rate}, {clip.Width}x{clip.Height}, seed {clip.Seed}")],
        DoneEvent done => done.Timeline is null ? [] : [$"{done.Timeline} is written."],
        ModelEvent { Ready: false } model => [Text($"{model.Name}{(model.Default ? " (default)" : "")}: {(model.Title == model.Name ? "" : model.Title + ", ")}{model.SizeBytes / 1e6:0.#} MB in {model.Path}, cannot be used: {model.Problem}")],
        ModelEvent model => [Text($"{model.Name}{(model.Default ? " (default)" : "")}: {model.Title}, {model.Family}, {model.Parameters / 1e6:0.#} M parameters, {model.SizeBytes / 1e6:0.#} MB{(model.License is null ? "" : ", " + model.License)}, ready")],
        CatalogueEvent entry => [Text($"{entry.Name,-22} {entry.Title,-24} {entry.License,-11} {(entry.Installed ? "on this machine" : entry.Repository)}{(entry.Supported ? "" : "; this version cannot run it yet")}")],
        InspectionEvent inspection => Inspection(inspection),
        VerificationEvent { Problems.Count: > 0 } verification => verification.Problems,
        VerificationEvent { HashedFiles: 0 } verification => [$"{verification.Name}: no hashes are known for it; the headers of its files are sound."],
        VerificationEvent verification => [Text($"{verification.Name}: all {verification.HashedFiles} files have the content they should have.")],
        RemovedEvent removed => [removed.FilesDeleted ? $"{removed.Name} is removed from {removed.Path}." : $"{removed.Name} is forgotten; its files stay in {removed.Path}."],
        FindingEvent finding => [Text($"{finding.Severity,-8} {finding.Subject}: {finding.Message}{(finding.Remedy is { Length: > 0 } remedy ? $" {remedy}" : "")}")],
        PluginEvent plugin => [Text($"{plugin.Name,-8} {plugin.Title}: {(plugin.Targets.Count == 0 ? "not found" : string.Join(", ", plugin.Targets.Select(target => target.Folder)))}{(plugin.Installed ? " (installed)" : "")}")],
        PluginFileEvent file => [Text($"{(file.DryRun ? "would " : "")}{file.Action} {file.Path}{(file.Message is null ? "" : $", {file.Message}")}")],
        TimelineEvent timeline => Timeline(timeline),
        MediaEvent media => Media(media),
        _ => [],
    };

    private static IEnumerable<string> Inspection(InspectionEvent found)
    {
        yield return $"{found.Path}: {found.Variant ?? "not recognised"}{(found.Layout is null ? "" : $", {found.Layout} layout")}, {(found.Ready ? "can be run" : "cannot be run")}";
        foreach (var network in found.Networks)
            yield return Text($"  {(network.Kind.Length > 0 ? network.Kind : "unknown"),-14} {network.Tensors,5} tensors, {network.Parameters / 1e6,9:0.0} M parameters, {network.SizeBytes / 1e6,9:0.0} MB, {string.Join(" ", network.Types)}  {network.Path}");
        if (found.Problem is not null) yield return "  " + found.Problem;
    }

    private static IEnumerable<string> Plan(PlanEvent plan)
    {
        yield return Text($"{(plan.Of > 1 ? $"Job {plan.Index + 1} of {plan.Of}: " : "")}{plan.Kind}, {plan.Frames} frames at {plan.Rate}. {plan.Placement}");
        if (plan.Model is not null && (plan.Before is not null || plan.After is not null))
            yield return Text($"  real frames    {(plan.Before is null ? "none before" : $"before: {plan.Before} ({plan.ContextBefore})")}, {(plan.After is null ? "none after" : $"after: {plan.After} ({plan.ContextAfter})")}");
        if (plan.Source is not null) yield return Text($"  source         {plan.Source}");
        if (plan.Model is not null)
            yield return Text($"  model          {plan.Model}, canvas {plan.Canvas?.Width}x{plan.Canvas?.Height} at {plan.CanvasRate}, {plan.Windows} window{(plan.Windows == 1 ? "" : "s")}, {plan.Mechanism.Replace('_', ' ')}");
        if (plan.Preset is not null && plan.Windows > 0) yield return Sampling(plan);
        if (plan.Size is not null) yield return Text($"  delivery       {plan.Size.Width}x{plan.Size.Height}{(plan.RateConversion is { Length: > 0 } rate ? $", {rate}" : "")}");
        if (plan.EstimatedSeconds is { } seconds)
            yield return Text($"  time           about {Seconds(seconds)} ({plan.EstimateBasis}), at most {plan.PeakMemoryBytes / (double)(1 << 30):0.0} GiB of memory{(plan.PeakDeviceMemoryBytes is { } device ? Text($" and {device / (double)(1 << 30):0.0} GiB of the GPU's") : "")}");
        foreach (var warning in plan.Warnings) yield return "  note           " + warning;
    }

    private static string Sampling(PlanEvent plan)
    {
        var walked = plan.Timesteps is { } timesteps ? Text($" ({string.Join(' ', timesteps.Select(t => t.ToString(CultureInfo.InvariantCulture)))})") : "";
        var weight = plan.LowNoiseGuidance is { } low ? Text($"{plan.Guidance} in high noise and {low} in low noise") : Text($"{plan.Guidance}");
        var guided = plan.GuidanceUntil < 1 && plan.Passes > plan.Steps ? Text($" in {plan.Passes - plan.Steps} of them") : "";
        var cache = plan.StepCache is { } spared ? Text($", {spared.Method} {spared.Threshold} after {spared.FirstSteps} steps") : "";
        return Text($"  sampling       preset {plan.Preset}: {plan.Steps} steps of {plan.Sampler}{walked}, guidance {weight}{guided}; {(cache.Length > 0 ? "at most " : "")}{plan.Passes} passes{cache}");
    }

    private static IEnumerable<string> Timeline(TimelineEvent timeline)
    {
        yield return Text($"{(timeline.Name.Length > 0 ? timeline.Name : "(unnamed)")}: {timeline.Frames} frames at {(timeline.Rate.EndsWith("/1", StringComparison.Ordinal) ? timeline.Rate[..^2] : timeline.Rate)} per second, from {timeline.Start}");
        foreach (var track in timeline.Tracks)
        {
            yield return Text($"{track.Kind} {track.Number}{(track.Name.Length > 0 ? $" \"{track.Name}\"" : "")}, {track.Frames} frames{(track.Problem is null ? "" : $" (not editable: {track.Problem})")}");
            foreach (var item in track.Items)
            {
                var handles = item.TailHandle is null ? "" : $"  handles {item.HeadHandle}/{item.TailHandle}";
                var gap = item.Kind == "gap" ? track.Gaps.FirstOrDefault(found => found.RecordStart == item.RecordStart) : null;
                // A clip without a name is known by its file.
                var name = gap is not null ? Text($"number {gap.Number}") : item.Name.Length > 0 ? item.Name : item.Media is { } url ? url[(url.LastIndexOfAny(['/', '\\']) + 1)..] : "";
                var effects = item.Effects is { } list ? $"  effects: {string.Join(", ", list)}" : "";
                yield return Text($"  {item.In}  {item.Frames,6}  {item.Kind,-10} {name}{handles}{effects}{(item.Enabled ? "" : "  disabled")}").TrimEnd();
            }
        }
    }

    private static IEnumerable<string> Media(MediaEvent media)
    {
        var frames = media.Still ? "one picture" : Text($"{media.Frames} frames at {media.Rate} ({media.Duration}){(media.VariableRate ? ", variable rate" : "")}{(media.Interlaced ? ", interlaced" : "")}");
        var colour = new[] { ("primaries", media.Color.Primaries), ("transfer", media.Color.Transfer), ("matrix", media.Color.Matrix), ("range", media.Color.Range) }
            .Where(tag => tag.Item2 is not null).Select(tag => $"{tag.Item1} {tag.Item2}").ToList();
        yield return Text($"{media.Path}: {media.Size.Width}x{media.Size.Height}, {frames}");
        if (media.StartTimecode is not null || media.Reel is not null)
            yield return $"  starts at      {media.StartTimecode ?? "no timecode"}{(media.Reel is null ? "" : $", reel {media.Reel}")}";
        yield return $"  colour         {(colour.Count > 0 ? string.Join(", ", colour) : "no tags")}";
        foreach (var note in media.Notes) yield return "  note           " + note;
    }

    internal static string Seconds(double seconds) => seconds switch
    {
        < 90 => Text($"{Math.Max(1, Math.Round(seconds)):0} s"),
        < 5400 => Text($"{seconds / 60:0} min"),
        _ => Text($"{seconds / 3600:0.0} h"),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
