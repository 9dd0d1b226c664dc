using System.Collections.Concurrent;
using EditorBridge.Media;
using EditorBridge.Timeline;

namespace EditorBridge.Host;

/// <summary>
/// What ffprobe said of media files, kept while they stay as they are: a client asks for a file's size, then for a plan, then for the job, and
/// ffprobe takes longer than all the rest. A file that changed is probed again. Who asks while a file is being probed waits for that probe.
/// </summary>
/// <param name="clock">Tells how long a file has been left alone.</param>
internal sealed class KnownMedia(TimeProvider clock)
{
    private const int Most = 256;

    // Writes within one tick of the file system's clock leave the same time, so a file that was just written is not known yet.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, (Stamp Stamp, MediaInfo Info)> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Path, Stamp Stamp), SharedProbe> _running = [];

    /// <summary>ffprobes that were started ahead; null for none.</summary>
    public ReadyProbes? Ready { get; set; }

    /// <summary>What the file is, or why it cannot be used.</summary>
    /// <param name="tools">Used when the file is not known.</param>
    /// <param name="path">The file's full path.</param>
    /// <param name="cancellation">Ends the wait, and ffprobe unless others wait for it too.</param>
    public async Task<Outcome<MediaInfo>> ProbeAsync(FFmpegTools tools, string path, CancellationToken cancellation)
    {
        if (HandedOver.Describe(path) is { } handedOver) return handedOver;
        var stamp = Stamp.Of(path);
        if (stamp is not null && _known.TryGetValue(path, out var known) && known.Stamp == stamp) return known.Info;
        var probe = new MediaProbe(tools) { Ready = Ready };
        if (stamp is null || clock.GetUtcNow() - stamp.Written < Settled) return await probe.ProbeAsync(path, cancellation).ConfigureAwait(false);
        SharedProbe? running;
        lock (_running)
        {
            if (!_running.TryGetValue((path, stamp), out running))
                _running[(path, stamp)] = running = new SharedProbe(token => ProbeAndKeepAsync(probe, path, stamp, token));
            running.Waiting++;
        }

        try
        {
            return await running.Result.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            var isLast = false;
            lock (_running)
            {
                isLast = --running.Waiting == 0;
                if (isLast) _running.Remove((path, stamp));
            }

            if (isLast) running.Stop();
        }
    }

    private async Task<Outcome<MediaInfo>> ProbeAndKeepAsync(MediaProbe probe, string path, Stamp stamp, CancellationToken cancellation)
    {
        var probed = await probe.ProbeAsync(path, cancellation).ConfigureAwait(false);
        if (!probed.TryGet(out var info, out _) || Stamp.Of(path) != stamp) return probed;
        if (_known.Count >= Most) _known.Clear();
        _known[path] = (stamp, info);
        return probed;
    }

    // Begins at once, and ends early when nobody waits for it any more.
    private sealed class SharedProbe
    {
        private readonly CancellationTokenSource _abandoned = new();

        public SharedProbe(Func<CancellationToken, Task<Outcome<MediaInfo>>> probe) => Result = Task.Run(() => probe(_abandoned.Token));

        public Task<Outcome<MediaInfo>> Result { get; }

        public int Waiting { get; set; }

        public void Stop()
        {
            if (!Result.IsCompleted) _abandoned.Cancel();
        }
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
