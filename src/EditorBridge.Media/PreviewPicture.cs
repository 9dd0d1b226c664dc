using System.ComponentModel;
using System.Globalization;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>Small JPEG pictures of a frame, for progress events.</summary>
public static class PreviewPicture
{
    /// <summary>Makes a JPEG whose longer side is at most <paramref name="longestSide"/> pixels.</summary>
    /// <param name="tools">The programs.</param>
    /// <param name="frame">The frame; stays the caller's.</param>
    /// <param name="longestSide">Pixels.</param>
    /// <param name="cancellation">Ends ffmpeg.</param>
    /// <returns>The file's bytes, or why there are none.</returns>
    public static async Task<Outcome<byte[]>> JpegAsync(FFmpegTools tools, VideoFrame frame, int longestSide = 320, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(tools);
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentOutOfRangeException.ThrowIfLessThan(longestSide, 2);
        var scale = Math.Min(1.0, (double)longestSide / Math.Max(frame.Width, frame.Height));
        var (width, height) = (Math.Max(2, (int)Math.Round(frame.Width * scale)), Math.Max(2, (int)Math.Round(frame.Height * scale)));
        using var small = new PictureScaler(frame.Width, frame.Height, width, height).Scale(frame);
        var rgb = new byte[width * height * 3];
        for (var i = 0; i < rgb.Length; i++) rgb[i] = (byte)((small.Pixels[i] * 255 + 32767) / 65535);

        string[] arguments =
        [
            "-hide_banner", "-nostats", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
            "-video_size", string.Create(CultureInfo.InvariantCulture, $"{width}x{height}"), "-i", "pipe:0",
            // JPEG is BT.601 of full range by its own definition.
            "-vf", "scale=flags=accurate_rnd:out_color_matrix=smpte170m:out_range=pc,format=yuvj420p",
            "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-threads", "1", "-f", "image2pipe", "pipe:1",
        ];
        try
        {
            await using var process = FFmpegProcess.Start(tools.FFmpegPath, arguments, "preview", FFmpegProcess.DefaultStallLimit, TimeProvider.System, cancellation);
            await process.WriteAsync(rgb).ConfigureAwait(false);
            process.StandardInput.Close();
            // A JPEG is smaller than its pixels; a header comes on top of tiny ones.
            var file = new byte[rgb.Length + 4096];
            var length = await process.ReadFullyAsync(file).ConfigureAwait(false);
            var exit = await process.WaitAsync().ConfigureAwait(false);
            return exit.Code == 0 && !exit.Stalled && length > 0
                ? file[..length]
                : new Refusal(MediaReasons.EncodeFailed, $"A preview picture could not be made: {exit.Explanation.TrimEnd('.')}.");
        }
        catch (Exception error) when (error is Win32Exception or IOException)
        {
            return new Refusal(MediaReasons.EncodeFailed, $"A preview picture could not be made: {error.Message.Trim()}");
        }
    }
}
