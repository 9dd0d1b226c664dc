using System.Buffers;
using System.ComponentModel;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>
/// Reads frames of a file by their timestamps, at the size they are shown at (upright, square pixels), deinterlaced, as RGB of 16 bits by the
/// file's own matrix and range. Frames stream out of ffmpeg one by one; no picture files are made. Every frame's timestamp is compared with the
/// one that was asked for, so that a frame is the right one or an error.
/// </summary>
public sealed class FrameReader
{
    private readonly FFmpegTools tools;

    /// <summary>A reader that uses these programs.</summary>
    public FrameReader(FFmpegTools tools) => this.tools = tools ?? throw new ArgumentNullException(nameof(tools));

    /// <summary>How long ffmpeg may take for a single step.</summary>
    public TimeSpan StallLimit { get; init; } = FFmpegProcess.DefaultStallLimit;

    /// <summary>The clock of the stall watch.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    // Tests look at the processes to see that a cancel ends them.
    internal Action<FFmpegProcess>? Started { get; init; }

    /// <summary>Reads consecutive frames as a sequence shows them.</summary>
    /// <param name="media">The file, as probed.</param>
    /// <param name="frames">Which frames, counted from the file's first at <paramref name="rate"/>.</param>
    /// <param name="rate">The sequence's rate; null counts the file's own frames.</param>
    /// <param name="cancellation">Ends ffmpeg.</param>
    /// <returns>As many frames as asked for, in order; each is the receiver's to dispose.</returns>
    /// <exception cref="MediaException">The file does not have these frames, or cannot be decoded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; ffmpeg has ended.</exception>
    public IAsyncEnumerable<VideoFrame> ReadAsync(MediaInfo media, FrameRange frames, FrameRate? rate = null, CancellationToken cancellation = default)
    {
        var wanted = new List<long>();
        for (var n = frames.Start; n < frames.End; n++) wanted.Add(n);
        return ReadFramesAsync(media, wanted, rate, cancellation);
    }

    /// <summary>Reads single frames as a sequence shows them.</summary>
    /// <param name="media">The file, as probed.</param>
    /// <param name="frames">Which frames, not decreasing, counted from the file's first at <paramref name="rate"/>.</param>
    /// <param name="rate">The sequence's rate; null counts the file's own frames.</param>
    /// <param name="cancellation">Ends ffmpeg.</param>
    /// <returns>One frame for each number, in order; each is the receiver's to dispose.</returns>
    /// <exception cref="ArgumentException">The numbers go backwards.</exception>
    /// <exception cref="MediaException">The file does not have these frames, or cannot be decoded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; ffmpeg has ended.</exception>
    public IAsyncEnumerable<VideoFrame> ReadFramesAsync(
        MediaInfo media, IReadOnlyList<long> frames, FrameRate? rate = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(media);
        ArgumentNullException.ThrowIfNull(frames);
        var count = rate is { } r ? media.Times.CountAt(r) : media.FrameCount;
        var indices = new List<long>(frames.Count);
        foreach (var n in frames)
        {
            if (media.IsStill)
            {
                indices.Add(0);
                continue;
            }

            if (n < 0 || n >= count) throw new MediaException(OutOfRange(media, $"frame {n}", rate));
            var index = rate is null ? n : media.Times.FrameAt(MediaTime.OfFrame(n, rate.Value));
            if (indices.Count > 0 && index < indices[^1]) throw new ArgumentException("The frame numbers go backwards.", nameof(frames));
            indices.Add(index);
        }

        return ReadIndicesAsync(media, indices, cancellation);
    }

    /// <summary>Reads the frames that are shown at arbitrary times.</summary>
    /// <param name="media">The file, as probed.</param>
    /// <param name="times">Seconds from the file's first frame, not decreasing; a time within the last frame's duration still shows it.</param>
    /// <param name="cancellation">Ends ffmpeg.</param>
    /// <returns>One frame a time, in order; each is the receiver's to dispose.</returns>
    /// <exception cref="ArgumentException">The times go backwards.</exception>
    /// <exception cref="MediaException">The file does not have these frames, or cannot be decoded.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; ffmpeg has ended.</exception>
    public IAsyncEnumerable<VideoFrame> ReadAtAsync(MediaInfo media, IReadOnlyList<MediaTime> times, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(media);
        ArgumentNullException.ThrowIfNull(times);
        var end = media.IsStill ? default : media.Times.TimeOf(media.FrameCount - 1) + MediaTime.OfFrame(1, media.Rate);
        var indices = new List<long>(times.Count);
        for (var i = 0; i < times.Count; i++)
        {
            if (i > 0 && times[i] < times[i - 1]) throw new ArgumentException("The times go backwards.", nameof(times));
            if (!media.IsStill && (times[i] < default(MediaTime) || times[i] >= end))
                throw new MediaException(OutOfRange(media, $"the time {times[i].Seconds.ToString("0.###", CultureInfo.InvariantCulture)} s", null));
            indices.Add(media.IsStill ? 0 : media.Times.FrameAt(times[i]));
        }

        return ReadIndicesAsync(media, indices, cancellation);
    }

    private async IAsyncEnumerable<VideoFrame> ReadIndicesAsync(
        MediaInfo media, List<long> indices, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (indices.Count == 0) yield break;
        if (SafeInput.Check(media.Path) is { } refusal) throw new MediaException(refusal);

        // Seeking is an optimisation that some files mislead: what arrives is checked, and read again from the start if it is not what was meant.
        var seek = media.Times.TicksOf(indices[0]) > 0;
        var next = 0;
        while (true)
        {
            var wrongPlace = false;
            VideoFrame? held = null;
            var heldIndex = -1L;
            try
            {
                await foreach (var (index, frame) in DecodeAsync(media, indices[next], indices[^1], seek, () => wrongPlace = true, cancellation).ConfigureAwait(false))
                {
                    held?.Dispose();
                    (held, heldIndex) = (frame, index);
                    while (next < indices.Count && indices[next] == index)
                    {
                        next++;
                        yield return next < indices.Count && indices[next] == index ? frame.Clone() : Take(ref held);
                    }
                }
            }
            finally
            {
                held?.Dispose();
            }

            if (next == indices.Count) yield break;
            if (!(wrongPlace && seek)) throw new MediaException(Damaged(media, indices[next], null));
            seek = false;
        }

        static VideoFrame Take(ref VideoFrame? frame)
        {
            var taken = frame!;
            frame = null;
            return taken;
        }
    }

    // Decodes the file's own frames first…last. Calls wrongPlace and ends when another frame arrives than was to come.
    private async IAsyncEnumerable<(long Index, VideoFrame Frame)> DecodeAsync(
        MediaInfo media, long first, long last, bool seek, Action wrongPlace, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // A deinterlacer looks at both neighbours, so they are decoded too and dropped here.
        var margin = media.IsInterlaced ? 1 : 0;
        var (decodeFirst, decodeLast) = (Math.Max(0, first - margin), Math.Min(media.FrameCount - 1, last + margin));
        var times = media.Times;
        var (lowest, highest) = (times.TicksOf(decodeFirst) - times.Tolerance, times.TicksOf(decodeLast) + times.Tolerance);
        var uprightWidth = media.Width;
        var uprightHeight = media.Height;
        var samples = checked(uprightWidth * uprightHeight * 3);
        var eightBitRgb = media.IsRgb && media.BitDepth == 8;
        var bytes = samples * (eightBitRgb ? 1 : 2);

        var arguments = new List<string> { "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info" };
        arguments.AddRange(SafeInput.Limits(media.Path));
        if (!media.IsStill)
        {
            arguments.AddRange(["-copyts", "-noaccurate_seek"]);
            var seekTo = lowest * ((double)times.TimeBase.Numerator / times.TimeBase.Denominator) - 1;
            if (seek && seekTo > 0) arguments.AddRange(["-seek_timestamp", "1", "-ss", seekTo.ToString("0.######", CultureInfo.InvariantCulture)]);
        }

        var filters = new List<string>();
        if (!media.IsStill) filters.Add(string.Create(CultureInfo.InvariantCulture, $"select='between(pts,{lowest},{highest})'"));
        filters.Add("showinfo=checksum=0");
        if (media.IsInterlaced) filters.Add("bwdif=mode=send_frame:parity=auto:deint=all");
        // Equal ranges on both sides leave the codes as they are; the matrix is applied here, exactly, rather than by swscale (which makes 65283 of white).
        filters.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"scale={uprightWidth}:{uprightHeight}:flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp{(media.IsRgb ? "" : $":in_range={media.ReadAs.Range}:out_range={media.ReadAs.Range}{Siting(media)}")}"));
        filters.Add(eightBitRgb ? "format=gbrp" : media.IsRgb ? "format=gbrp16le" : "format=yuv444p16le");
        arguments.AddRange(["-i", SafeInput.File(media.Path), "-map", $"0:{media.StreamIndex}", "-an", "-sn", "-dn", "-vf", string.Join(',', filters)]);
        arguments.AddRange(tools.PassTimesThrough);
        arguments.AddRange(["-frames:v", (decodeLast - decodeFirst + 1).ToString(CultureInfo.InvariantCulture), "-f", "rawvideo", "pipe:1"]);

        var arrivals = Channel.CreateUnbounded<long>();
        await using var process = Start(arguments, media, line => TakeTimestamp(line, arrivals.Writer), cancellation);
        process.StandardInput.Close();
        Started?.Invoke(process);
        var raw = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            for (var index = decodeFirst; index <= decodeLast; index++)
            {
                var read = await process.ReadFullyAsync(raw.AsMemory(0, bytes)).ConfigureAwait(false);
                if (read < bytes)
                {
                    var exit = await process.WaitAsync().ConfigureAwait(false);
                    if (exit.Stalled || exit.Code != 0 || !seek) throw new MediaException(Damaged(media, index, exit));
                    wrongPlace();
                    yield break;
                }

                if (!media.IsStill)
                {
                    // The line was written before the picture, but comes through another pipe.
                    var ticks = await arrivals.Reader.ReadAsync(cancellation).AsTask().WaitAsync(StallLimit, Time, cancellation).ConfigureAwait(false);
                    if (Math.Abs(ticks - times.TicksOf(index)) > times.Tolerance)
                    {
                        wrongPlace();
                        yield break;
                    }
                }

                if (index < first || index > last) continue;
                var frame = VideoFrame.Rent(uprightWidth, uprightHeight);
                Convert(media, raw.AsSpan(0, bytes), frame, eightBitRgb);
                yield return (index, frame);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(raw);
        }
    }

    private FFmpegProcess Start(List<string> arguments, MediaInfo media, Func<string, bool> takeLine, CancellationToken cancellation)
    {
        try
        {
            return FFmpegProcess.Start(tools.FFmpegPath, arguments, media.Path, StallLimit, Time, cancellation, takeLine);
        }
        catch (Win32Exception error)
        {
            throw new MediaException(new Refusal(MediaReasons.ToolMissing, $"ffmpeg ('{tools.FFmpegPath}') does not start: {error.Message}."), error);
        }
    }

    // Takes "[Parsed_showinfo_1 @ 0x…] [info] n: 0 pts: 20020 …"; keeps chatter out of the ring, so that it holds errors only.
    private static bool TakeTimestamp(string line, ChannelWriter<long> arrivals)
    {
        if (!line.Contains("[info]", StringComparison.Ordinal)) return false;
        var at = line.IndexOf(" pts:", StringComparison.Ordinal);
        if (at < 0 || !line.Contains("showinfo", StringComparison.Ordinal)) return true;
        var rest = line.AsSpan(at + 5).TrimStart();
        var end = rest.IndexOf(' ');
        if (long.TryParse(end < 0 ? rest : rest[..end], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var pts)) arrivals.TryWrite(pts);
        return true;
    }

    // Where chroma samples lie, in 1/256 of a luma pixel: swscale takes them for centred when nobody says, but video puts them on the left pixel.
    private static string Siting(MediaInfo media)
    {
        var format = media.PixelFormat;
        var halfHeight = format.Contains("420", StringComparison.Ordinal) || format is "nv12" or "nv21" or "p010le" or "p016le";
        var halfWidth = halfHeight || format.Contains("422", StringComparison.Ordinal) || format.StartsWith("p21", StringComparison.Ordinal);
        if (!halfWidth) return "";
        var centred = media.ChromaLocation == "center" || (media.ChromaLocation is null && format.StartsWith("yuvj", StringComparison.Ordinal) && media.IsStill);
        var top = media.ChromaLocation is "topleft" or "top";
        return $":in_h_chr_pos={(centred ? 128 : 0)}{(halfHeight ? $":in_v_chr_pos={(top ? 0 : 128)}" : "")}";
    }

    private static void Convert(MediaInfo media, ReadOnlySpan<byte> raw, VideoFrame frame, bool eightBitRgb)
    {
        var rgb = frame.Pixels;
        var area = rgb.Length / 3;
        if (eightBitRgb)
        {
            // gbrp: planes of green, blue, red.
            for (int i = 0, p = 0; i < area; i++, p += 3)
            {
                rgb[p] = (ushort)(raw[2 * area + i] * 257);
                rgb[p + 1] = (ushort)(raw[i] * 257);
                rgb[p + 2] = (ushort)(raw[area + i] * 257);
            }

            return;
        }

        var planes = MemoryMarshal.Cast<byte, ushort>(raw);
        if (media.IsRgb)
        {
            // Codes of fewer than 16 bits come shifted to the top.
            var scale = 65535f / (((1 << media.BitDepth) - 1) << (16 - media.BitDepth));
            for (int i = 0, p = 0; i < area; i++, p += 3)
            {
                rgb[p] = Widen(planes[2 * area + i], scale);
                rgb[p + 1] = Widen(planes[i], scale);
                rgb[p + 2] = Widen(planes[area + i], scale);
            }

            return;
        }

        (YuvMatrix.Named(media.ReadAs.Matrix) ?? YuvMatrix.Bt709).ToRgb(planes, rgb, media.ReadAs.Range == "pc", media.BitDepth);
    }

    private static ushort Widen(ushort value, float scale) => (ushort)Math.Min(65535f, value * scale + 0.5f);

    private static Refusal OutOfRange(MediaInfo media, string wish, FrameRate? rate) =>
        new(MediaReasons.OutOfRange, $"'{SafeInput.Shown(media.Path)}' does not have {wish}: it has {(rate is { } r ? media.Times.CountAt(r) : media.FrameCount)} frames at {rate ?? media.Rate} frames per second, counted from 0. Shorten the clip in the editor or relink it.");

    private static Refusal Damaged(MediaInfo media, long frame, FFmpegExit? exit)
    {
        var why = exit is null or { Code: 0, Stalled: false, LastLine: null } ? "the picture data ends early" : exit.Explanation;
        return new(MediaReasons.Unreadable, $"Frame {frame} of '{SafeInput.Shown(media.Path)}' cannot be decoded ({why}): the file is damaged or incomplete, copy or render it again.");
    }
}
