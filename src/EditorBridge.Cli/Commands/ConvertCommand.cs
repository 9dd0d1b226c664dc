using System.CommandLine;
using EditorBridge.Cli.Jobs;
using EditorBridge.Cli.Reports;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Conversion;

namespace EditorBridge.Cli.Commands;

/// <summary>timeline convert: says a timeline in another format, and what that format cannot say.</summary>
internal static class ConvertCommand
{
    private static readonly Argument<string> Source = new("IN") { Description = "The timeline. It is only read." };

    private static readonly Argument<string> Target = new("OUT") { Description = $"The new one; its ending says the format: {string.Join(", ", TimelineConversion.Endings)}." };

    private static readonly Option<bool> Lossy = new("--lossy") { Description = "Convert even where something is lost." };

    public static Command Convert()
    {
        var convert = new Command("convert", "Say a timeline in another format; what would be lost is said, and refused without --lossy.");
        convert.Arguments.Add(Source);
        convert.Arguments.Add(Target);
        convert.Options.Add(FrameRateOption.Rate);
        convert.Options.Add(Lossy);
        Session.Run(convert, (parsed, report, _) =>
        {
            var path = Path.GetFullPath(parsed.GetValue(Source)!);
            var target = Path.GetFullPath(parsed.GetValue(Target)!);
            using var file = TimelineFile.Open(path, parsed.GetValue(FrameRateOption.Rate));
            var ending = Path.GetExtension(target).ToLowerInvariant();
            if (path == target || ending == Path.GetExtension(path).ToLowerInvariant())
                throw new Refused("OUT_ENDING", $"{path} is of that format already: give OUT the ending of another, one of {string.Join(", ", TimelineConversion.Endings)}.");
            if (Directory.Exists(target) || !Directory.Exists(Path.GetDirectoryName(target)!)) throw new Refused("CANNOT_WRITE", $"{target} is no file in a folder that exists: give another name.");
            var converted = TimelineConversion.Convert(file.Document, ending, url => Locate(url, file)).OrRefuse();
            List<string> lost = [.. converted.Lost];
            if (file.Bundle is { IsFolder: false }) lost.Add("The media in the bundle stay there: unpack it (it is a zip file) beside the new timeline.");
            foreach (var each in lost) report.Say(new FindingEvent("lost", "warning", each));
            report.Say(new FindingEvent("format", "ok", TimelineConversion.NeverCarried));
            if (lost.Count > 0 && !parsed.GetValue(Lossy))
                throw new Refused("LOSSY", $"{(lost.Count == 1 ? "One thing" : $"{lost.Count} things")} would be lost in {converted.Document.Format}, as said above; nothing was written: add --lossy to convert all the same.");
            AtomicFile.Write(target, converted.Document.Bytes.Span);
            report.Say(new FindingEvent("timeline", "ok", $"{target}: {converted.Document.Format}, {converted.Document.Index.Tracks.Count} tracks, {converted.Document.Index.Duration} frames."));
            return Task.FromResult(ExitCode.Done);
        });
        return convert;
    }

    private static string Locate(string url, TimelineFile file) =>
        file.Bundle is not { IsFolder: false } && MediaPath.Resolve(url, file.Folder).TryGet(out var path, out _) ? MediaPath.ToUrl(path) : url;
}
