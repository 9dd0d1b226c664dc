using System.CommandLine;
using EditorBridge.Cli.Jobs;
using EditorBridge.Cli.Reports;
using EditorBridge.Timeline;

namespace EditorBridge.Cli.Commands;

/// <summary>timeline show, check and convert: what a document holds, as the job verbs count it, and what of it they could not work with.</summary>
internal static class TimelineCommands
{
    private static readonly Argument<string> File = new("IN") { Description = "The timeline." };

    public static Command Timeline()
    {
        var timeline = new Command("timeline", "Timeline documents.");
        var show = new Command("show", "Show tracks, clips and gaps with their numbers.");
        show.Arguments.Add(File);
        show.Options.Add(FrameRateOption.Rate);
        Session.Run(show, (parsed, report, _) =>
        {
            using var file = TimelineFile.Open(Path.GetFullPath(parsed.GetValue(File)!), parsed.GetValue(FrameRateOption.Rate));
            var index = file.Document.Index;
            report.Say(new TimelineEvent(index.Name, Rate(index.Rate), index.StartFrame, index.Label(0), index.Duration,
                [.. index.Tracks.Select(track => Describe(index, track))]));
            return Task.FromResult(ExitCode.Done);
        });
        timeline.Subcommands.Add(show);
        timeline.Subcommands.Add(Check());
        timeline.Subcommands.Add(ConvertCommand.Convert());
        return timeline;
    }

    private static Command Check()
    {
        var check = new Command("check", "Read a timeline and say what jobs could not work with.");
        check.Arguments.Add(File);
        check.Options.Add(FrameRateOption.Rate);
        Session.Run(check, (parsed, report, _) =>
        {
            using var file = TimelineFile.Open(Path.GetFullPath(parsed.GetValue(File)!), parsed.GetValue(FrameRateOption.Rate));
            var document = file.Document;
            var index = document.Index;
            report.Say(new FindingEvent("format", "ok", $"{document.Format}, {index.Rate} frames per second, {index.Tracks.Count} tracks, {index.Duration} frames."));
            foreach (var track in index.Tracks)
            {
                if (track.Problem is { } problem) report.Say(new FindingEvent(track.Label, "warning", problem.Message));
                foreach (var item in track.Items.Where(item => item.Kind == ItemKind.Clip))
                {
                    if (track.Kind == TrackKind.Video && WhyNotUsable(item, file) is { } why)
                        report.Say(new FindingEvent($"{track.Label} {index.Label(item.RecordRange.Start)}", "warning", why));
                }
            }

            return Task.FromResult(ExitCode.Done);
        });
        return check;
    }

    private static string? WhyNotUsable(TrackItem item, TimelineFile file)
    {
        if (item.ChangesTime) return $"{item.Label} plays at another speed, so nothing can be joined to it.";
        if (!item.Enabled) return $"{item.Label} is disabled.";
        if (item.Media?.Url is { } url && file.Bundle is { } bundle)
        {
            if (bundle.Contains(url)) return null;
            if (bundle.Lacks(url) is { } missing) return missing.Message;
        }

        if (item.Media is { IsImageSequence: true }) return $"{item.Label} is a sequence of picture files, which jobs cannot read yet: make it a movie first.";
        return ClipMedia.Locate(item, file.Folder).Refusal?.Message;
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
