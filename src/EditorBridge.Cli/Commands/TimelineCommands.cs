using System.CommandLine;
using EditorBridge.Cli.Jobs;
using EditorBridge.Cli.Reports;
using EditorBridge.Timeline;

namespace EditorBridge.Cli.Commands;

/// <summary>timeline show and check: what a document holds, as the job verbs count it, and what of it they could not work with.</summary>
internal static class TimelineCommands
{
    private static readonly Argument<string> File = new("IN") { Description = "The timeline." };

    public static Command Timeline()
    {
        var timeline = new Command("timeline", "Timeline documents.");
        var show = new Command("show", "Show tracks, clips and gaps with their numbers.");
        show.Arguments.Add(File);
        Session.Run(show, (parsed, report, _) =>
        {
            var index = TimelineFile.Read(Path.GetFullPath(parsed.GetValue(File)!), rate: null).Index;
            report.Say(new TimelineEvent(index.Name, Rate(index.Rate), index.StartFrame, index.Label(0), index.Duration,
                [.. index.Tracks.Select(track => Describe(index, track))]));
            return Task.FromResult(ExitCode.Done);
        });
        timeline.Subcommands.Add(show);
        timeline.Subcommands.Add(Check());
        return timeline;
    }

    private static Command Check()
    {
        var check = new Command("check", "Read a timeline and say what jobs could not work with.");
        check.Arguments.Add(File);
        Session.Run(check, (parsed, report, _) =>
        {
            var path = Path.GetFullPath(parsed.GetValue(File)!);
            var document = TimelineFile.Read(path, rate: null);
            var index = document.Index;
            report.Say(new FindingEvent("format", "ok", $"{document.Format}, {index.Rate} frames per second, {index.Tracks.Count} tracks, {index.Duration} frames."));
            foreach (var track in index.Tracks)
            {
                if (track.Problem is { } problem) report.Say(new FindingEvent(track.Label, "warning", problem.Message));
                foreach (var item in track.Items.Where(item => item.Kind == ItemKind.Clip))
                {
                    if (track.Kind == TrackKind.Video && WhyNotUsable(item, Path.GetDirectoryName(path)!) is { } why)
                        report.Say(new FindingEvent($"{track.Label} {index.Label(item.RecordRange.Start)}", "warning", why));
                }
            }

            return Task.FromResult(ExitCode.Done);
        });
        return check;
    }

    private static string? WhyNotUsable(TrackItem item, string folder)
    {
        if (item.ChangesTime) return $"{item.Label} plays at another speed, so nothing can be joined to it.";
        if (!item.Enabled) return $"{item.Label} is disabled.";
        return item.Media is not { IsImageSequence: true } && ClipMedia.Locate(item, folder).Refusal is { } offline ? offline.Message : null;
    }

    private static TrackFigure Describe(TimelineIndex index, Track track) => new(
        track.Kind.ToString().ToLowerInvariant(), track.Number, track.Name, track.Duration,
        [.. track.Items.Select(item => Describe(index, item))],
        [.. Gaps.Find(track).Select(gap => new GapFigure(gap.Number, gap.Range.Start, gap.Range.Duration, index.Label(gap.Range.Start), gap.Before?.Name, gap.After?.Name))])
    {
        Problem = track.Problem?.Message,
    };

    private static ItemFigure Describe(TimelineIndex index, TrackItem item)
    {
        var handles = item.Kind == ItemKind.Clip ? Handles.Of(item, index.Rate) : null;
        return new ItemFigure(item.Kind.ToString().ToLowerInvariant(), item.Name, item.RecordRange.Start, item.RecordRange.Duration, index.Label(item.RecordRange.Start), item.Enabled)
        {
            Media = item.Media?.Url,
            SourceRate = item.SourceRange is { } source ? Rate(source.Rate) : null,
            SourceStart = item.SourceRange?.Start,
            HeadHandle = handles?.Head,
            TailHandle = handles?.Tail,
            Effects = item.Effects.Count == 0 ? null : [.. item.Effects.Select(effect => effect.Name.Length > 0 ? effect.Name : effect.Schema)],
        };
    }

    private static string Rate(FrameRate rate) => $"{rate.Numerator}/{rate.Denominator}";
}
