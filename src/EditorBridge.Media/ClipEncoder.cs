using System.ComponentModel;
using System.Globalization;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>A clip that was written and looked at.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Sha256">Of the file, in small hexadecimal letters.</param>
/// <param name="ByteLength">Of the file.</param>
/// <param name="FrameCount">As decoded again.</param>
/// <param name="Rate">As ffprobe reports it.</param>
/// <param name="Colour">As ffprobe reports it.</param>
/// <param name="Timecode">As ffprobe reports it.</param>
public sealed record ClipFile(string Path, string Sha256, long ByteLength, long FrameCount, FrameRate Rate, ColourTags Colour, string? Timecode);

/// <summary>
/// Writes one clip frame by frame into ffmpeg, then decodes the result, compares it with what was asked for and only then gives it its name:
/// a clip is complete and right, or absent. The same frames and settings give the same bytes with the same ffmpeg.
/// </summary>
public sealed class ClipEncoder : IAsyncDisposable, IDisposable
{
    // Fixed, because the number of threads goes into some encoders' bits.
    private const string Threads = "2";

    private readonly FFmpegTools tools;
    private readonly ClipSettings settings;
    private readonly string path;
    private readonly string temporary;
    private readonly FFmpegProcess process;
    private readonly YuvEncoding encoding;
    private readonly byte[] planes;
    private readonly CancellationToken cancellation;
    private readonly Task progress;
    private bool finished;

    private ClipEncoder(
        FFmpegTools tools, ClipSettings settings, string path, string temporary, FFmpegProcess process, YuvEncoding encoding, CancellationToken cancellation)
    {
        (this.tools, this.settings, this.path, this.temporary) = (tools, settings, path, temporary);
        (this.process, this.encoding, this.cancellation) = (process, encoding, cancellation);
        planes = new byte[encoding.ByteCount];
        progress = FollowAsync();
    }

    /// <summary>Frames written so far.</summary>
    public int FramesWritten { get; private set; }

    /// <summary>Frames that ffmpeg says it has encoded so far.</summary>
    public int FramesEncoded { get; private set; }

    /// <summary>Starts ffmpeg.</summary>
    /// <param name="tools">The programs.</param>
    /// <param name="settings">What the clip is to be.</param>
    /// <param name="path">Where it is to be, in an existing folder; replaced when there. The extension (.mov, or .mp4 for H.264) chooses the container.</param>
    /// <param name="cancellation">Ends ffmpeg; nothing is left behind once the encoder is disposed.</param>
    public static Outcome<ClipEncoder> Start(FFmpegTools tools, ClipSettings settings, string path, CancellationToken cancellation = default) =>
        Start(tools, settings, path, FFmpegProcess.DefaultStallLimit, TimeProvider.System, cancellation);

    internal static Outcome<ClipEncoder> Start(
        FFmpegTools tools, ClipSettings settings, string path, TimeSpan stallLimit, TimeProvider time, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(tools);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (settings.Check() is { } refusal) return refusal;
        var full = System.IO.Path.GetFullPath(path);
        var extension = System.IO.Path.GetExtension(full).ToUpperInvariant();
        var container = extension switch
        {
            ".MOV" => "mov",
            ".MP4" when settings.Codec == ClipCodec.H264 => "mp4",
            _ => null,
        };
        if (container is null)
            return new Refusal(MediaReasons.Unsupported, $"'{SafeInput.Shown(System.IO.Path.GetFileName(full))}' cannot hold {ClipSettings.NameOf(settings.Codec)}: name the clip .mov{(settings.Codec == ClipCodec.H264 ? " or .mp4" : "")}.");
        if (!Directory.Exists(System.IO.Path.GetDirectoryName(full)))
            return AtomicFile.Explain(full, new DirectoryNotFoundException());

        var temporary = $"{full}.{Guid.NewGuid():N}.tmp";
        var encoding = new YuvEncoding(settings.Width, settings.Height, settings.Codec == ClipCodec.H264, BitsOf(settings.Codec));
        try
        {
            var process = FFmpegProcess.Start(tools.FFmpegPath, Arguments(settings, container, temporary), full, stallLimit, time, cancellation);
            return new ClipEncoder(tools, settings, full, temporary, process, encoding, cancellation);
        }
        catch (Win32Exception error)
        {
            return new Refusal(MediaReasons.ToolMissing, $"ffmpeg ('{tools.FFmpegPath}') does not start: {error.Message}.");
        }
    }

    /// <summary>Writes the next frame; it stays the caller's.</summary>
    /// <param name="frame">Of the clip's size.</param>
    /// <exception cref="ArgumentException">The frame has another size.</exception>
    /// <exception cref="InvalidOperationException">The clip has all its frames already.</exception>
    /// <exception cref="MediaException">ffmpeg failed; the message says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Write(VideoFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        cancellation.ThrowIfCancellationRequested();
        if (frame.Width != settings.Width || frame.Height != settings.Height)
            throw new ArgumentException($"The frame is {frame.Width} x {frame.Height}, the clip {settings.Width} x {settings.Height}.", nameof(frame));
        if (FramesWritten == settings.FrameCount) throw new InvalidOperationException($"The clip has its {settings.FrameCount} frames already.");
        encoding.Convert(frame, planes);
        try
        {
            process.Write(planes);
        }
        catch (IOException error)
        {
            var exit = process.WaitAsync().GetAwaiter().GetResult();
            throw new MediaException(Failed(exit.Explanation), error);
        }

        FramesWritten++;
    }

    /// <summary>Ends the clip, checks it and gives it its name.</summary>
    /// <returns>The clip, or why there is none (nothing is left behind then).</returns>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is left behind.</exception>
    public async Task<Outcome<ClipFile>> FinishAsync()
    {
        if (finished) throw new InvalidOperationException("The clip was finished before.");
        finished = true;
        try
        {
            if (FramesWritten != settings.FrameCount)
                return Failed($"{FramesWritten} of {settings.FrameCount} frames were made");
            try
            {
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // ffmpeg has gone; its exit says why.
            }

            var exit = await process.WaitAsync().ConfigureAwait(false);
            await progress.ConfigureAwait(false);
            if (exit.Code != 0 || exit.Stalled) return Failed(exit.Explanation);
            XmpBox.Append(temporary, settings.DigitalSourceType);
            var verified = await VerifyAsync().ConfigureAwait(false);
            if (!verified.TryGet(out var clip, out var refusal)) return refusal;
            cancellation.ThrowIfCancellationRequested();
            AtomicFile.Publish(temporary, path);
            return clip with { Path = path };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return AtomicFile.Explain(path, error);
        }
        finally
        {
            await process.DisposeAsync().ConfigureAwait(false);
            AtomicFile.Remove(temporary);
        }
    }

    /// <summary>Ends ffmpeg and removes what was not finished.</summary>
    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync().ConfigureAwait(false);
        if (!finished) AtomicFile.Remove(temporary);
        finished = true;
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose()
    {
        process.Dispose();
        if (!finished) AtomicFile.Remove(temporary);
        finished = true;
    }

    private static int BitsOf(ClipCodec codec) => codec is ClipCodec.H264 or ClipCodec.DnxHrHq ? 8 : 10;

    private static string PixelFormatOf(ClipCodec codec) => codec switch
    {
        ClipCodec.H264 => "yuv420p",
        ClipCodec.DnxHrHq => "yuv422p",
        _ => "yuv422p10le",
    };

    private static List<string> Arguments(ClipSettings settings, string container, string temporary)
    {
        string[] tags = ["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"];
        var rate = settings.Rate;
        // One tick grid for the rate: 24000 for 24000/1001, 24000 for 24.
        var timescale = rate.Denominator == 1 && rate.Numerator < 1000 ? rate.Numerator * 1000 : rate.Numerator;
        List<string> arguments =
        [
            "-hide_banner", "-y", "-nostats", "-loglevel", "error", "-progress", "pipe:1",
            "-protocol_whitelist", "file,pipe,fd",
            "-f", "rawvideo", "-pix_fmt", PixelFormatOf(settings.Codec),
            "-video_size", string.Create(CultureInfo.InvariantCulture, $"{settings.Width}x{settings.Height}"),
            "-framerate", rate.ToString(), .. tags, "-i", "pipe:0",
            "-map", "0:v:0", "-map_metadata", "-1",
            // prores_ks takes its tags from the frames, not from the options.
            "-vf", "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709:field_mode=prog,setsar=1",
        ];
        arguments.AddRange(settings.Codec switch
        {
            ClipCodec.H264 => ["-c:v", "libx264", "-preset", "medium", "-profile:v", "high", "-g", "1", "-crf", "10", "-tag:v", "avc1"],
            ClipCodec.ProRes422Hq => ["-c:v", "prores_ks", "-profile:v", "3", "-vendor", "apl0"],
            ClipCodec.DnxHrHq => ["-c:v", "dnxhd", "-profile:v", "dnxhr_hq"],
            ClipCodec.DnxHrHqx => ["-c:v", "dnxhd", "-profile:v", "dnxhr_hqx"],
            _ => throw new ArgumentOutOfRangeException(nameof(settings)),
        });
        arguments.AddRange(["-threads", Threads, .. tags, "-fflags", "+bitexact", "-flags:v", "+bitexact"]);
        arguments.AddRange(["-timecode", settings.StartTimecode]);
        if (settings.ReelName is { } reel) arguments.AddRange(["-metadata:s:v:0", "reel_name=" + reel]);
        foreach (var (key, value) in settings.Metadata.Append(new("digital_source_type", XmpBox.Address(settings.DigitalSourceType))))
        {
            if (key.Length == 0 || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.'))
                throw new ArgumentException($"'{key}' is not a key of letters, digits, '_' and '.'.", nameof(settings));
            arguments.AddRange(["-metadata", $"com.editorbridge.{key}={value.Replace("\0", "", StringComparison.Ordinal)}"]);
        }

        arguments.AddRange([
            "-video_track_timescale", timescale.ToString(CultureInfo.InvariantCulture),
            "-movflags", "+write_colr+use_metadata_tags",
            "-f", container, SafeInput.File(temporary),
        ]);
        return arguments;
    }

    private async Task FollowAsync()
    {
        await Task.Yield();
        try
        {
            using var reader = new StreamReader(process.StandardOutput, leaveOpen: true);
            while (await reader.ReadLineAsync(CancellationToken.None).ConfigureAwait(false) is { } line)
            {
                if (line.StartsWith("frame=", StringComparison.Ordinal)
                    && int.TryParse(line.AsSpan(6).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var frames) && frames > FramesEncoded)
                {
                    FramesEncoded = frames;
                    if (finished) process.Touch();
                }
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The pipe went with the process.
        }
    }

    private async Task<Outcome<ClipFile>> VerifyAsync()
    {
        var probed = await new MediaProbe(tools).DecodeCountAsync(temporary, cancellation).ConfigureAwait(false);
        if (!probed.TryGet(out var found, out var refusal)) return Failed($"the finished file does not open again ({refusal.Message.TrimEnd('.')})");
        var (info, frames) = found;
        if (frames != settings.FrameCount) return Failed($"the finished file has {frames} frames instead of {settings.FrameCount}");
        if (info.FrameCount != settings.FrameCount) return Failed($"the finished file claims {info.FrameCount} frames instead of {settings.FrameCount}");
        if (info.Rate != settings.Rate && settings.FrameCount > 1) return Failed($"the finished file runs at {info.Rate} instead of {settings.Rate}");
        // ProRes has no place for the range, which is always the limited one: ffmpeg 5 says "tv" of it, ffmpeg 6 leaves it open.
        var tagged = info.Colour.Range is null && settings.Codec == ClipCodec.ProRes422Hq ? info.Colour with { Range = ColourTags.Bt709.Range } : info.Colour;
        if (tagged != ColourTags.Bt709) return Failed($"the finished file is tagged {info.Colour} instead of BT.709");
        if ((info.CodedWidth, info.CodedHeight, info.Rotation) != (settings.Width, settings.Height, 0))
            return Failed($"the finished file is {info.CodedWidth} x {info.CodedHeight} instead of {settings.Width} x {settings.Height}");
        if (info.Timecode != settings.StartTimecode) return Failed($"the finished file starts at timecode {info.Timecode ?? "none"} instead of {settings.StartTimecode}");
        var sha256 = await FrozenFrames.HashAsync(temporary, cancellation).ConfigureAwait(false);
        return new ClipFile(temporary, sha256, info.ByteLength, frames, settings.Rate, info.Colour, info.Timecode);
    }

    private Refusal Failed(string why) =>
        why.Contains("No space left", StringComparison.OrdinalIgnoreCase)
            ? AtomicFile.DiskFull(path)
            : new Refusal(MediaReasons.EncodeFailed, $"The clip '{SafeInput.Shown(path)}' could not be encoded: {why.TrimEnd('.')}.");
}
