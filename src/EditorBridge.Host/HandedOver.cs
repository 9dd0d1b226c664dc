using EditorBridge.Protocol.V1;
using MediaInfo = EditorBridge.Media.MediaInfo;

namespace EditorBridge.Host;

/// <summary>Frames that a plugin on this machine handed over. Their file says what it is, so that nobody waits for ffprobe who has just pressed a button.</summary>
internal static class HandedOver
{
    // Plugins write into the one in the data folder. A file elsewhere that is one of theirs to the last byte is the same file.
    private const string Folder = "handover";

    /// <summary>What the file is; null for any other file, and for one that is not whole.</summary>
    /// <param name="path">The file's full path.</param>
    public static MediaInfo? Describe(string path)
    {
        if (!path.EndsWith(".mov", StringComparison.Ordinal) || Path.GetFileName(Path.GetDirectoryName(path)) != Folder) return null;
        try
        {
            // A named pipe, which would be waited for, has no length.
            if (new FileInfo(path).Length <= RawMovie.HeaderBytes) return null;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 0);
            if (RawMovie.Read(file) is not { } movie) return null;
            var rate = new Timeline.FrameRate(movie.RateNumerator, movie.RateDenominator);
            return MediaInfo.OfUncompressed(path, movie.Width, movie.Height, movie.Bits, movie.Frames, rate, movie.RateNumerator, file.Length);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null; // The probe says what is wrong with it.
        }
    }
}
