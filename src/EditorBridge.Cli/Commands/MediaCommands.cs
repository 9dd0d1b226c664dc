using System.CommandLine;
using EditorBridge.Cli.Jobs;
using EditorBridge.Cli.Reports;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;

namespace EditorBridge.Cli.Commands;

/// <summary>media show: what the host finds in media files, as jobs use them. The host remembers it, so a job that comes next need not wait for it.</summary>
internal static class MediaCommands
{
    // The host looks into each with a program of its own.
    private const int AtOnce = 4;

    private static readonly Argument<string[]> Files = new("FILE") { Description = "Movies or pictures.", Arity = ArgumentArity.OneOrMore };

    public static Command Media()
    {
        var media = new Command("media", "Media files.");
        var show = new Command("show", "Show what jobs find in media files: size, rate, frames, timecode, colour tags, and what is odd about them.");
        show.Arguments.Add(Files);
        Session.Run(show, ShowAsync);
        media.Subcommands.Add(show);
        return media;
    }

    private static async Task<int> ShowAsync(ParseResult parsed, IReport report, CancellationToken cancellation)
    {
        using var client = await EditorBridgeClient.ConnectAsync(Session.ClientOptions(report), cancellation).ConfigureAwait(false);
        using var turns = new SemaphoreSlim(AtOnce);
        var found = await Task.WhenAll(parsed.GetValue(Files)!.Select(async file =>
        {
            await turns.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                return await LookAsync(client, Path.GetFullPath(file), cancellation).ConfigureAwait(false);
            }
            finally
            {
                turns.Release();
            }
        })).ConfigureAwait(false);
        foreach (var one in found) report.Say(one);
        return found.OfType<ErrorEvent>().Any() ? ExitCode.Failed : ExitCode.Done;
    }

    private static async Task<CliEvent> LookAsync(EditorBridgeClient client, string path, CancellationToken cancellation)
    {
        try
        {
            return Describe(path, await client.ProbeMediaAsync(path, cancellation).ConfigureAwait(false));
        }
        catch (EditorBridgeException error) when (HostMedia.IsHiddenFromHost(error, path))
        {
            return new ErrorEvent("MEDIA_HIDDEN", $"The host cannot read {path} where it lies: a job that needs it uploads it first.") { Path = path };
        }
        catch (EditorBridgeException error) when (error.Reason is not ("HOST_UNREACHABLE" or "FFMPEG_MISSING"))
        {
            return new ErrorEvent(error.Reason, error.Message.Contains(path, StringComparison.Ordinal) ? error.Message : $"{path}: {error.Message}") { Path = path };
        }
    }

    private static MediaEvent Describe(string path, MediaInfo info) => new(
        path, new SizeFigure(info.Size.Width, info.Size.Height), $"{info.Rate.Numerator}/{info.Rate.Denominator}", info.Frames, info.Still, info.VariableRate, info.Interlaced)
    {
        Duration = info.Still ? null : new Timecode(info.Frames, ClipMedia.ToRate(info.Rate)).ToString(),
        StartTimecode = Said(info.StartTimecode),
        Reel = Said(info.ReelName),
        Color = new ColorFigure { Primaries = Said(info.Color.Primaries), Transfer = Said(info.Color.Transfer), Matrix = Said(info.Color.Matrix), Range = Said(info.Color.Range) },
        Notes = [.. info.Notes],
    };

    private static string? Said(string text) => text.Length > 0 ? text : null;
}
