using EditorBridge.Timeline;
using EditorBridge.Timeline.Bundles;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Cli.Jobs;

/// <summary>A timeline that lies in a file and stays as it is; the new one goes into another file.</summary>
internal sealed class TimelineOnDisk(JobArguments arguments) : ITimelineHome
{
    private readonly string path = Path.GetFullPath(arguments.Timeline);
    private OutputPaths? target;

    public string Name => path;

    public OutputPaths? Target => target ??= arguments.PlanOnly && arguments.Out is null ? null : OutputPaths.Check(path, arguments.Out, arguments.MediaDirectory);

    public bool CanTrimOut => true;

    public TimelineFile Open() => TimelineFile.Open(path, arguments.Rate);

    public Task<TimelineDocument> AgainAsync(TimelineFile planned, IReadOnlyList<TimelineJob> places, CancellationToken cancellation) => Task.FromResult(planned.Document);

    public Task<string?> WriteAsync(
        TimelineFile planned, TimelineDocument edited, IReadOnlyList<TimelineEdit> edits, IReadOnlyList<(string Name, string File)> media, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (planned.Bundle is { } bundle) WriteBundle(bundle, edited, media);
        else AtomicFile.Write(Target!.Timeline, edited.Bytes.Span);
        using var written = TimelineFile.Open(Target!.Timeline, edited.Index.Rate);
        return written.Document.Bytes.Span.SequenceEqual(edited.Bytes.Span)
            ? Task.FromResult<string?>(Target.Timeline)
            : throw new Refused("CANNOT_WRITE", $"{Target.Timeline} does not read back as it was written: the disk may be failing.");
    }

    public Task<string?> KeepAsync(IReadOnlyList<string> clips) => Task.FromResult<string?>(null);

    private void WriteBundle(TimelineBundle bundle, TimelineDocument document, IReadOnlyList<(string Name, string File)> media)
    {
        try
        {
            bundle.Write(Target!.Timeline, document.Bytes, media);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new Refused("CANNOT_WRITE", $"{Target!.Timeline} cannot be written: {error.Message.TrimEnd('.')}.");
        }
    }
}
