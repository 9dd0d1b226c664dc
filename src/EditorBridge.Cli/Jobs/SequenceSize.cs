using EditorBridge.Client;
using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;

namespace EditorBridge.Cli.Jobs;

/// <summary>Finds the picture size of a sequence, which OpenTimelineIO does not tell: that of the shots beside, below, or first on the timeline.</summary>
internal static class SequenceSize
{
    // Media that nobody asked about are looked into only as far as it takes.
    private const int MostTries = 12;

    /// <summary>Finds it.</summary>
    /// <returns>The size, and the file that has it.</returns>
    /// <exception cref="Refused">Nothing on the timeline tells.</exception>
    public static async Task<(PixelSize Size, string File)> FindAsync(
        EditorBridgeClient client, TimelineIndex index, TimelineJob job, IEnumerable<ClipMedia> neighbours, string documentFolder, CancellationToken cancellation)
    {
        if (neighbours.FirstOrDefault() is { } neighbour) return (neighbour.Info.Size, neighbour.Path);
        foreach (var path in Candidates(index, job, documentFolder))
        {
            try
            {
                return ((await client.ProbeMediaAsync(path, cancellation).ConfigureAwait(false)).Size, path);
            }
            catch (EditorBridgeException error) when (error.Reason is not ("HOST_UNREACHABLE" or "FFMPEG_MISSING" or "NOT_BUILT"))
            {
                // Another clip's media may tell.
            }
        }

        throw new Refused("SIZE_UNKNOWN", "The picture size is unknown, because the timeline has no picture of it that can be read: give it with --size, such as --size 1920x1080.");
    }

    /// <summary>The files of the sequence that may tell its size, likely ones first.</summary>
    public static IEnumerable<string> Candidates(TimelineIndex index, TimelineJob job, string documentFolder) =>
        index.VideoTracks.SelectMany(track => track.Items).Where(item => item.Kind == ItemKind.Clip && item.Media is { IsImageSequence: false, Url: not null })
            .OrderByDescending(item => item.RecordRange.Overlaps(job.RecordRange)).ThenBy(item => item.RecordRange.Start)
            .Select(clip => ClipMedia.Locate(clip, documentFolder).TryGet(out var path, out _) ? path : null).OfType<string>().Distinct().Take(MostTries);
}
