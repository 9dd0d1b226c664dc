using EditorBridge.Media;
using EditorBridge.Timeline;

namespace EditorBridge.Host;

/// <summary>ffmpeg as it was found once; looked for again as long as it was not, so that installing it needs no restart.</summary>
internal sealed class FFmpegLocator : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private FFmpegTools? _found;

    /// <summary>The programs, if they were found before.</summary>
    public FFmpegTools? Known => Volatile.Read(ref _found);

    /// <summary>The programs, or what is missing and what to do about it.</summary>
    public async Task<Outcome<FFmpegTools>> FindAsync(CancellationToken cancellation)
    {
        if (Volatile.Read(ref _found) is { } known) return known;
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_found is not null) return _found;
            var outcome = await FFmpegTools.FindAsync(cancellation).ConfigureAwait(false);
            if (outcome.TryGet(out var tools, out _)) Volatile.Write(ref _found, tools);
            return outcome;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();
}
