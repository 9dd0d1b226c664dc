using System.Globalization;
using EditorBridge.Timeline;
using Xabe.FFmpeg;
using Xabe.FFmpeg.Exceptions;

namespace EditorBridge.Media;

/// <summary>
/// Contact sheets and proxies of clips that we made and named ourselves. The only class that uses Xabe.FFmpeg, which passes one string of arguments and
/// escapes nothing, and can end the process when a conversion is cancelled: so it gets no user's file names, and no token. The programs' path is set
/// once, because it is static there and looking it up races.
/// </summary>
public static class ClipPictures
{
    private static readonly Lock PathLock = new();
    private static string? pathIsSet;

    /// <summary>A picture of frames spread evenly over a clip, the first and the last among them.</summary>
    /// <param name="tools">The programs.</param>
    /// <param name="clip">A clip of ours, as probed.</param>
    /// <param name="picture">PNG or JPEG file to write; replaced when there.</param>
    /// <param name="columns">Tiles in a row.</param>
    /// <param name="rows">Rows of tiles.</param>
    /// <param name="tileWidth">Width of a tile in pixels.</param>
    /// <returns>The picture's path, or why there is none.</returns>
    public static async Task<Outcome<string>> ContactSheetAsync(
        FFmpegTools tools, MediaInfo clip, string picture, int columns = 6, int rows = 2, int tileWidth = 288)
    {
        ArgumentNullException.ThrowIfNull(clip);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(columns);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(tileWidth, 2);
        var tiles = (int)Math.Min(clip.FrameCount, columns * rows);
        var chosen = Enumerable.Range(0, tiles)
            .Select(i => tiles == 1 ? 0 : (long)Math.Round((double)i * (clip.FrameCount - 1) / (tiles - 1)))
            .Select(n => string.Create(CultureInfo.InvariantCulture, $"eq(n\\,{n})"));
        var height = Math.Max(2, (int)Math.Round((double)tileWidth * clip.Height / clip.Width));
        var usedColumns = Math.Min(columns, tiles);
        var usedRows = (tiles + usedColumns - 1) / usedColumns;
        var filter = string.Create(
            CultureInfo.InvariantCulture,
            $"select={string.Join('+', chosen)},scale={tileWidth}:{height}:flags=lanczos+accurate_rnd+full_chroma_int:in_color_matrix={clip.ReadAs.Matrix ?? "bt709"},format=rgb24,tile={usedColumns}x{usedRows}:padding=4:margin=4:color=0x202020");
        return await RunAsync(tools, clip.Path, picture, $"-vf \"{filter}\" -frames:v 1 -update 1").ConfigureAwait(false);
    }

    /// <summary>A small H.264 copy of a clip, for panels and web pages.</summary>
    /// <param name="tools">The programs.</param>
    /// <param name="clip">A clip of ours, as probed.</param>
    /// <param name="proxy">MP4 file to write; replaced when there.</param>
    /// <param name="height">Its height in pixels.</param>
    /// <returns>The proxy's path, or why there is none.</returns>
    public static Task<Outcome<string>> ProxyAsync(FFmpegTools tools, MediaInfo clip, string proxy, int height = 360)
    {
        ArgumentNullException.ThrowIfNull(clip);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 2);
        var even = height - height % 2;
        return RunAsync(tools, clip.Path, proxy, string.Create(
            CultureInfo.InvariantCulture,
            $"-vf \"scale=-2:{even}:flags=lanczos\" -c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p -movflags +faststart -an"));
    }

    private static async Task<Outcome<string>> RunAsync(FFmpegTools tools, string input, string output, string options)
    {
        ArgumentNullException.ThrowIfNull(tools);
        ArgumentException.ThrowIfNullOrEmpty(output);
        var (from, to) = (Path.GetFullPath(input), Path.GetFullPath(output));
        foreach (var name in new[] { from, to })
        {
            // Own names hold none of these; a data folder could.
            if (name.Any(c => c is '"' or '%' || char.IsControl(c)))
                return new Refusal(MediaReasons.Unsupported, $"No picture is made of '{SafeInput.Shown(name)}': keep quotes and '%' out of the folder's name.");
        }

        if (SafeInput.Check(from) is { } refusal) return refusal;
        SetPath(tools);
        // The extension chooses the format, so the temporary name keeps it.
        var temporary = Path.Combine(Path.GetDirectoryName(to)!, $".{Guid.NewGuid():N}{Path.GetExtension(to)}");
        try
        {
            await FFmpeg.Conversions.New().Start($"-y -nostdin -loglevel info -i \"{from}\" {options} \"{temporary}\"").ConfigureAwait(false);
            // Its success is a guess from the log: the file is the proof.
            if (!File.Exists(temporary) || new FileInfo(temporary).Length == 0)
                return new Refusal(MediaReasons.EncodeFailed, $"'{SafeInput.Shown(to)}' could not be made from '{SafeInput.Shown(from)}'.");
            AtomicFile.Publish(temporary, to);
            return to;
        }
        catch (ConversionException error)
        {
            var last = error.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "ffmpeg failed";
            return new Refusal(MediaReasons.EncodeFailed, $"'{SafeInput.Shown(to)}' could not be made from '{SafeInput.Shown(from)}': {last}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return AtomicFile.Explain(to, error);
        }
        finally
        {
            AtomicFile.Remove(temporary);
        }
    }

    private static void SetPath(FFmpegTools tools)
    {
        lock (PathLock)
        {
            if (pathIsSet == tools.FFmpegPath) return;
            FFmpeg.SetExecutablesPath(
                Path.GetDirectoryName(tools.FFmpegPath), Path.GetFileNameWithoutExtension(tools.FFmpegPath), "ffprobe", FileNameFilterMethod.Exact);
            pathIsSet = tools.FFmpegPath;
        }
    }
}
