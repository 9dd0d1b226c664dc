using EditorBridge.Cli.Jobs;
using EditorBridge.Cli.Reports;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Cli.Companion;

/// <summary>
/// A project that is open in Kdenlive: it is saved, edited in its file, and read again by Kdenlive, which is the only way over D-Bus that places every kind of
/// job exactly. Its user goes on working while clips are made; what was changed meanwhile stays.
/// </summary>
internal sealed class KdenliveHome(KdenliveProject project, JobArguments arguments, IReport report) : ITimelineHome
{
    /// <summary>The project as it was before the last clip was placed.</summary>
    private string Before => Path.Combine(Path.GetDirectoryName(project.Path)!, Path.GetFileNameWithoutExtension(project.Path) + ".before-editorbridge.kdenlive");

    public string Name => project.Path;

    public OutputPaths Target { get; } = new(project.Path, arguments.MediaDirectory is { } folder ? Path.GetFullPath(folder)
        : Path.Combine(Path.GetDirectoryName(project.Path)!, Path.GetFileNameWithoutExtension(project.Path) + "-media"));

    OutputPaths? ITimelineHome.Target => Target;

    public bool CanTrimOut => true;

    public TimelineFile Open() => TimelineFile.Open(project.Path, null);

    public async Task<TimelineDocument> AgainAsync(TimelineFile planned, IReadOnlyList<TimelineJob> places, CancellationToken cancellation)
    {
        if (await project.Kdenlive.IsModifiedAsync(cancellation).ConfigureAwait(false)) await project.SaveAsync(report, cancellation).ConfigureAwait(false);
        using var now = Open();
        if (!now.Document.Bytes.Span.SequenceEqual(planned.Document.Bytes.Span) && SamePlaces.Difference(planned.Document.Index, now.Document.Index, places) is { } difference)
            throw new Refused("TIMELINE_CHANGED", $"The clip is made, but cannot be placed where it was meant to be: {difference}.");
        return now.Document;
    }

    public async Task<string?> WriteAsync(
        TimelineFile planned, TimelineDocument edited, IReadOnlyList<TimelineEdit> edits, IReadOnlyList<(string Name, string File)> media, CancellationToken cancellation)
    {
        if (await project.Kdenlive.IsModifiedAsync(cancellation).ConfigureAwait(false))
            throw new Refused("TIMELINE_CHANGED", "The clip is made, but the project was changed just as it was to be placed.");
        var file = new FileInfo(project.Path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? project.Path;
        AtomicFile.Write(Before, await File.ReadAllBytesAsync(file, cancellation).ConfigureAwait(false));
        cancellation.ThrowIfCancellationRequested();
        AtomicFile.Write(file, edited.Bytes.Span);
        // From here on the clip is in the project: nothing takes its file away any more.
        try
        {
            await project.Kdenlive.RevertAsync(CancellationToken.None).ConfigureAwait(false);
            await project.SaveAsync(report, CancellationToken.None).ConfigureAwait(false);
            using var loaded = Open();
            report.Say(new NoticeEvent(SamePlaces.Difference(edited.Index, loaded.Document.Index) is { } difference
                ? $"Kdenlive has opened the project with the clip, but shows it otherwise than it was written: {difference}. {Before} is the project as it was."
                : $"Kdenlive has opened the project with the clip. Its own undo starts anew: {Before} is the project as it was."));
        }
        catch (Refused refused)
        {
            report.Say(new NoticeEvent($"The clip is in {project.Path}, but Kdenlive has not opened it again ({refused.Message.TrimEnd('.')}): use File > Revert there. {Before} is the project as it was."));
        }

        return project.Path;
    }

    public async Task<string?> KeepAsync(IReadOnlyList<string> clips)
    {
        if (clips.Count == 0) return null;
        try
        {
            foreach (var clip in clips) await project.Kdenlive.AddToBinAsync(clip, CancellationToken.None).ConfigureAwait(false);
            return $"It is in Kdenlive's project bin, ready to be dragged to the timeline: {string.Join(", ", clips)}.";
        }
        catch (Refused)
        {
            return $"It stays in {string.Join(", ", clips)}.";
        }
    }
}
