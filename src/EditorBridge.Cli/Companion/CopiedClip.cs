using EditorBridge.Cli.Jobs;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Mlt;

namespace EditorBridge.Cli.Companion;

/// <summary>Finds the clip that a user has copied in Shotcut on the timeline of its project.</summary>
internal static class CopiedClip
{
    /// <summary>Finds it.</summary>
    /// <param name="file">The project as it was saved.</param>
    /// <param name="copied">The clipboard's text.</param>
    /// <returns>Null when no clip is on the clipboard.</returns>
    /// <exception cref="Refused">The project does not hold it, or holds it several times.</exception>
    public static (Track Track, TrackItem Item)? Find(TimelineFile file, string copied)
    {
        var index = file.Document.Index;
        if (MltClip.Read(copied, index.Rate) is not { } clip || !MediaPath.Resolve(clip.Resource, file.Folder).TryGet(out var path, out _)) return null;
        var found = index.VideoTracks.SelectMany(track => track.Items.Select(item => (Track: track, Item: item)))
            .Where(one => one.Item is { Kind: ItemKind.Clip, Media.Url: { } url, SourceRange: { } source } && source.Start == clip.Start && source.Duration == clip.Frames
                && MediaPath.Resolve(url, file.Folder).TryGet(out var own, out _) && own == path).ToList();
        var name = clip.Name.Length > 0 ? clip.Name : Path.GetFileName(clip.Resource);
        return found.Count switch
        {
            1 => found[0],
            0 => throw new Refused("CLIP_NOT_FOUND", $"The clip that was copied ('{name}') is not on the timeline as it was saved: save the project in Shotcut (Ctrl+S), copy the clip again and try again."),
            _ => throw new Refused("CLIP_AMBIGUOUS", $"The clip that was copied ('{name}') is on the timeline {found.Count} times ({string.Join(", ", found.Take(5).Select(one => $"{one.Track.Label} at {index.Label(one.Item.RecordRange.Start)}"))}): say which with --track and --in."),
        };
    }
}
