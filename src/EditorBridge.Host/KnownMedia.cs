using System.Collections.Concurrent;
using EditorBridge.Media;
using EditorBridge.Timeline;

namespace EditorBridge.Host;

/// <summary>
/// What ffprobe said of media files, kept while they stay as they are: a client asks for a file's size, then for a plan, then for the job, and
/// ffprobe takes longer than all the rest. A file that changed is probed again.
/// </summary>
/// <param name="clock">Tells how long a file has been left alone.</param>
internal sealed class KnownMedia(TimeProvider clock)
{
    private const int Most = 256;

    // Writes within one tick of the file system's clock leave the same time, so a file that was just written is not known yet.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, (Stamp Stamp, MediaInfo Info)> _known = new(StringComparer.Ordinal);

    /// <summary>What the file is, or why it cannot be used.</summary>
    /// <param name="tools">Used when the file is not known.</param>
    /// <param name="path">The file's full path.</param>
    /// <param name="cancellation">Ends ffprobe.</param>
    public async Task<Outcome<MediaInfo>> ProbeAsync(FFmpegTools tools, string path, CancellationToken cancellation)
    {
        var before = Stamp.Of(path);
        if (before is not null && _known.TryGetValue(path, out var known) && known.Stamp == before) return known.Info;
        var probed = await new MediaProbe(tools).ProbeAsync(path, cancellation).ConfigureAwait(false);
        if (before is null || !probed.TryGet(out var info, out _)) return probed;
        if (Stamp.Of(path) != before || clock.GetUtcNow() - before.Written < Settled) return probed;
        if (_known.Count >= Most) _known.Clear();
        _known[path] = (before, info);
        return probed;
    }

    // Of the file itself where the path is a link. The time of creation tells a file that another one replaced with its times kept.
    private sealed record Stamp(long Length, DateTimeOffset Written, DateTime Created)
    {
        public static Stamp? Of(string path)
        {
            try
            {
                // Nothing is opened: a named pipe would wait for somebody to write into it.
                var file = new FileInfo(path);
                file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
                return new Stamp(file.Length, file.LastWriteTimeUtc, file.CreationTimeUtc);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                return null; // The probe says what is wrong with it.
            }
        }
    }
}
