using EditorBridge.Cli.Jobs;
using EditorBridge.Cli.Reports;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Edits;
using EditorBridge.Timeline.Mlt;

namespace EditorBridge.Cli.Companion;

/// <summary>A project that is open in Shotcut: its file is only read, and the new clip goes onto the clipboard, from which its user pastes it.</summary>
internal sealed class ShotcutHome(ShotcutProject project, Clipboard clipboard, JobArguments arguments, IReport report) : ITimelineHome
{
    public string Name => project.Path;

    public OutputPaths Target { get; } = new(project.Path, arguments.MediaDirectory is { } folder ? Path.GetFullPath(folder)
        : Path.Combine(Path.GetDirectoryName(project.Path)!, Path.GetFileNameWithoutExtension(project.Path) + "-media"));

    OutputPaths? ITimelineHome.Target => Target;

    public bool CanTrimOut => false;

    public TimelineFile Open() => TimelineFile.Open(project.Path, null);

    public Task<TimelineDocument> AgainAsync(TimelineFile planned, IReadOnlyList<TimelineJob> places, CancellationToken cancellation)
    {
        using var now = Open();
        return SamePlaces.Difference(planned.Document.Index, now.Document.Index, places) is { } difference
            ? throw new Refused("TIMELINE_CHANGED", $"The clip is made, but the place it was meant for has changed: {difference}.")
            : Task.FromResult(now.Document);
    }

    public async Task<string?> WriteAsync(
        TimelineFile planned, TimelineDocument edited, IReadOnlyList<TimelineEdit> edits, IReadOnlyList<(string Name, string File)> media, CancellationToken cancellation)
    {
        var edit = edits.Single();
        var clip = edit.Changes.SelectMany(change => change.Pieces).OfType<ClipPiece>().Single().Clip;
        var index = edited.Index;
        if (MediaPath.Resolve(clip.MediaUrl, planned.Folder).TryGet(out var path, out _)) clip = clip with { MediaUrl = path };
        await clipboard.WriteAsync(MltClip.Write(clip, index.Rate, arguments.Prompt), cancellation).ConfigureAwait(false);
        var track = index.Tracks[edit.TrackIndex];
        var name = track.Name.Length > 0 ? track.Name : track.Label;
        report.Say(new NoticeEvent($"The clip of {edit.RecordRange.Duration} frames is on the clipboard. In Shotcut {(edit.AddsTrack ? "add a video track (Ctrl+I) and click its head" : $"click the head of track {name}")}, "
            + $"put the playhead at {index.Label(edit.RecordRange.Start)} and press B (overwrite)."));
        return null;
    }

    public Task<string?> KeepAsync(IReadOnlyList<string> clips) => Task.FromResult(clips.Count == 0 ? null : $"It stays in {string.Join(", ", clips)}.");
}
