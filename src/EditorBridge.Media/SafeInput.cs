using System.Globalization;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>
/// The arguments with which ffmpeg and ffprobe open a file of the user's: as a file and nothing else (no network, no playlist that opens other
/// files), with a limit on the size of the picture.
/// </summary>
internal static class SafeInput
{
    /// <summary>The most pixels a picture may have: 8K UHD.</summary>
    public const long MaxPixels = 7680L * 4320;

    // Demuxers that read one file of pictures. Playlists (hls, dash, concat, sdp) and text (tty) are left out on purpose, image2 because it
    // takes a '%' in a name as a pattern.
    private const string Formats =
        "mov,mp4,matroska,webm,avi,mpegts,mpeg,mxf,nut,ogg,flv,asf,dv,gif,apng,yuv4mpegpipe,ivf,mpegvideo,"
        + "png_pipe,jpeg_pipe,jpegls_pipe,tiff_pipe,webp_pipe,bmp_pipe,dpx_pipe,exr_pipe,j2k_pipe,qoi_pipe,psd_pipe,sgi_pipe,pam_pipe,ppm_pipe";

    /// <summary>What must stand before the input.</summary>
    public static IEnumerable<string> Limits(string path)
    {
        string[] limits =
        [
            "-protocol_whitelist", "file,pipe,fd",
            "-format_whitelist", Formats,
            "-max_pixels", MaxPixels.ToString(CultureInfo.InvariantCulture),
        ];
        // With a '%' in its name a picture would go to the sequence reader; its own reader is named instead.
        return path.Contains('%', StringComparison.Ordinal) && PictureReader(Path.GetExtension(path).ToUpperInvariant()) is { } reader
            ? [.. limits, "-f", reader]
            : limits;
    }

    private static string? PictureReader(string extension) => extension switch
    {
        ".PNG" => "png_pipe",
        ".JPG" or ".JPEG" => "jpeg_pipe",
        ".TIF" or ".TIFF" => "tiff_pipe",
        ".WEBP" => "webp_pipe",
        ".BMP" => "bmp_pipe",
        ".DPX" => "dpx_pipe",
        ".EXR" => "exr_pipe",
        _ => null,
    };

    /// <summary>The file as an ffmpeg argument that can only be this file.</summary>
    public static string File(string path) => "file:" + path;

    /// <summary>Whether the file is there and may be opened, said before ffmpeg says it less clearly.</summary>
    public static Refusal? Check(string path)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
            return new Refusal(MediaReasons.Offline, "A media file without a name was asked for: relink the clip in the editor.");
        if (Directory.Exists(path))
            return new Refusal(MediaReasons.Unreadable, $"'{Shown(path)}' is a folder, not a media file: relink the clip in the editor.");
        try
        {
            var file = new FileInfo(path);
            // Opening a named pipe would wait for somebody to write into it; like a device it has no length.
            if ((file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).Length == 0)
                return new Refusal(MediaReasons.Unreadable, $"The media file '{Shown(path)}' is empty, or no ordinary file: copy or render it again.");
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            return null;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return new Refusal(MediaReasons.Offline, $"The media file '{Shown(path)}' does not exist: bring it back or relink the clip in the editor.");
        }
        catch (UnauthorizedAccessException)
        {
            return new Refusal(MediaReasons.Offline, $"The media file '{Shown(path)}' may not be read by this user: change its permissions.");
        }
        catch (Exception error) when (error is IOException or ArgumentException or NotSupportedException)
        {
            return new Refusal(MediaReasons.Unreadable, $"The media file '{Shown(path)}' cannot be opened ({error.Message.Trim()}): check the disk it lies on.");
        }
    }

    /// <summary>A name as it can stand in one line.</summary>
    public static string Shown(string path) => path.ReplaceLineEndings("?");
}
