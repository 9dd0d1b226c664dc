using EditorBridge.Protocol.V1;

namespace EditorBridge.Client;

public sealed partial class EditorBridgeClient
{
    /// <summary>Lets the host lay out a clip's frames as pixels in one file, which <see cref="MappedFrames"/> opens on the same machine.</summary>
    /// <param name="clip">"jobs/{job}/clips/{clip}".</param>
    /// <param name="bits">Bits of each value, 8 or 16.</param>
    /// <param name="progress">Told how many frames are laid out, of how many.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="EditorBridgeException">The clip is gone (CLIP_NOT_FOUND, CLIP_LOST), or its frames do not fit (FRAMES_TOO_LARGE, DISK_FULL).</exception>
    public async Task<FrameFile> PrepareFramesAsync(string clip, int bits = 8, Action<long, long>? progress = null, CancellationToken cancellation = default)
    {
        var request = new PrepareFramesRequest { Name = clip, Bits = bits };
        var last = await LastAsync(o => _connection.Jobs.PrepareFrames(request, o), message => progress?.Invoke(message.FramesDone, message.Frames), cancellation)
            .ConfigureAwait(false);
        return last?.File ?? throw new EditorBridgeException("HOST_UNREACHABLE", "The host ended before the frames were laid out; ask again.");
    }
}
