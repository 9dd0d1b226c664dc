using System.Collections.Immutable;
using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>Asks ffprobe what a file is. Frame counts are exact: taken from the header only where it cannot be wrong, counted otherwise.</summary>
public sealed class MediaProbe
{
    /// <summary>What ffprobe is asked of a file first.</summary>
    internal static readonly string[] Description = ["-of", "json", "-show_format", "-show_streams"];

    private readonly FFmpegTools tools;

    /// <summary>A probe that uses these programs.</summary>
    public MediaProbe(FFmpegTools tools) => this.tools = tools ?? throw new ArgumentNullException(nameof(tools));

    /// <summary>Probes that have been started already; asked first where there are any.</summary>
    public ReadyProbes? Ready { get; init; }

    /// <summary>How long ffprobe may go without a word.</summary>
    public TimeSpan StallLimit { get; init; } = FFmpegProcess.DefaultStallLimit;

    /// <summary>The clock of the stall watch.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>What the file is, or one sentence that names it and says why it cannot be used.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; ffprobe has ended.</exception>
    public async Task<Outcome<MediaInfo>> ProbeAsync(string path, CancellationToken cancellation = default)
    {
        if (SafeInput.Check(path) is { } refusal) return refusal;
        var full = Path.GetFullPath(path);
        var text = Ready is null ? null : await Ready.TryAskAsync(full, cancellation).ConfigureAwait(false);
        if (text is null && !(await AskAsync(full, Description, cancellation).ConfigureAwait(false)).TryGet(out text, out refusal)) return refusal;
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            return Unreadable(full, "ffprobe gave no description of it");
        }

        using (document)
        {
            return await DescribeAsync(full, document.RootElement, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="ProbeAsync"/>, and the number of frames that come out when the whole file is decoded.</summary>
    internal async Task<Outcome<(MediaInfo Info, long Decoded)>> DecodeCountAsync(string path, CancellationToken cancellation)
    {
        var probed = await ProbeAsync(path, cancellation).ConfigureAwait(false);
        if (!probed.TryGet(out var info, out var refusal)) return refusal;
        long count = -1;
        refusal = await LinesAsync(
            info.Path,
            ["-count_frames", "-select_streams", info.StreamIndex.ToString(CultureInfo.InvariantCulture), "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"],
            line =>
            {
                if (long.TryParse(line.Trim().TrimEnd(','), NumberStyles.None, CultureInfo.InvariantCulture, out var frames)) count = frames;
            },
            cancellation).ConfigureAwait(false);
        return refusal is not null ? refusal : (info, count);
    }

    private async Task<Outcome<MediaInfo>> DescribeAsync(string path, JsonElement root, CancellationToken cancellation)
    {
        var streams = root.TryGetProperty("streams", out var list) ? list.EnumerateArray().ToArray() : [];
        var video = streams.FirstOrDefault(s => Text(s, "codec_type") == "video" && !IsCoverPicture(s));
        if (video.ValueKind != JsonValueKind.Object) return Unreadable(path, "it has no picture in it");
        var container = root.TryGetProperty("format", out var format) ? Text(format, "format_name") ?? "" : "";
        var (codedWidth, codedHeight) = ((int)(Integer(video, "width") ?? 0), (int)(Integer(video, "height") ?? 0));
        var pixelFormat = Text(video, "pix_fmt");
        if (codedWidth <= 0 || codedHeight <= 0 || pixelFormat is null)
            return Unreadable(path, $"ffmpeg cannot decode its picture ({Text(video, "codec_name") ?? "unknown codec"})");

        var notes = ImmutableArray.CreateBuilder<string>();
        var name = $"'{SafeInput.Shown(System.IO.Path.GetFileName(path))}'";
        var isStill = container.EndsWith("_pipe", StringComparison.Ordinal) || container == "image2";
        var index = (int)(Integer(video, "index") ?? 0);

        var timesOutcome = isStill
            ? FrameTimes.Regular(new MediaTime(1, 25), 0, 1, new FrameRate(25))
            : await TimesAsync(path, container, index, video, cancellation).ConfigureAwait(false);
        if (!timesOutcome.TryGet(out var times, out var refusal)) return refusal;
        if (!times.IsRegular)
            notes.Add($"{name} has a variable frame rate: each frame is taken as what is shown at its time at {times.Rate} frames per second or the sequence's rate.");

        var rotation = Rotation(video, name, notes);
        var sampleAspect = SampleAspect(video);
        var (width, height) = ShownSize(codedWidth, codedHeight, sampleAspect, rotation);
        var isRgb = IsRgbFormat(pixelFormat);
        var bitDepth = Depth(pixelFormat, Integer(video, "bits_per_raw_sample"));
        var interlaced = !isStill && await IsInterlacedAsync(path, index, video, cancellation).ConfigureAwait(false);
        if (interlaced) notes.Add($"{name} is interlaced: its frames are deinterlaced for the model, and the new clip is progressive.");
        var tags = new ColourTags(Tag(video, "color_range"), Tag(video, "color_space"), Tag(video, "color_primaries"), Tag(video, "color_transfer"));
        var readAs = Resolve(tags, pixelFormat, isRgb, codedWidth, codedHeight, name, notes);
        var hasAlpha = pixelFormat.Contains('a', StringComparison.Ordinal)
            && (pixelFormat.StartsWith("yuva", StringComparison.Ordinal) || pixelFormat.StartsWith("gbrap", StringComparison.Ordinal)
                || pixelFormat.StartsWith("rgba", StringComparison.Ordinal) || pixelFormat.StartsWith("bgra", StringComparison.Ordinal)
                || pixelFormat.StartsWith("argb", StringComparison.Ordinal) || pixelFormat.StartsWith("abgr", StringComparison.Ordinal)
                || pixelFormat.StartsWith("ya", StringComparison.Ordinal));
        if (hasAlpha) notes.Add($"{name} has an alpha channel, which is not used.");

        return new MediaInfo
        {
            Path = path,
            Container = container,
            Codec = Text(video, "codec_name") ?? "unknown",
            StreamIndex = index,
            CodedWidth = codedWidth,
            CodedHeight = codedHeight,
            Width = width,
            Height = height,
            Rotation = rotation,
            SampleAspect = sampleAspect,
            PixelFormat = pixelFormat,
            BitDepth = bitDepth,
            IsRgb = isRgb,
            HasAlpha = hasAlpha,
            Times = times,
            IsInterlaced = interlaced,
            Colour = tags,
            ReadAs = readAs,
            ChromaLocation = Tag(video, "chroma_location"),
            Timecode = AnyTag(streams, video, format, "timecode"),
            Reel = AnyTag(streams, video, format, "reel_name"),
            IsStill = isStill,
            HasAudio = streams.Any(s => Text(s, "codec_type") == "audio"),
            ByteLength = new FileInfo(path).Length,
            Notes = notes.ToImmutable(),
        };
    }

    private async Task<Outcome<FrameTimes>> TimesAsync(string path, string container, int index, JsonElement video, CancellationToken cancellation)
    {
        if (!TryTimeBase(Text(video, "time_base"), out var timeBase)) return Unreadable(path, "its stream has no time base");
        var real = Rate(video, "r_frame_rate");
        var average = Rate(video, "avg_frame_rate");
        if (container.Contains("mov", StringComparison.Ordinal) && real is { } rate && real == average
            && Integer(video, "nb_frames") is > 0 and var count && Integer(video, "duration_ts") is { } duration
            && MediaTime.Scale(duration, timeBase) == MediaTime.OfFrame(count, rate)
            && Integer(video, "start_pts") is { } start)
        {
            // Every sample of a QuickTime file is in its tables; one edit or one odd duration and the products would differ.
            return FrameTimes.Regular(timeBase, start, count, rate);
        }

        var candidates = new[] { real, average }.OfType<FrameRate>().ToArray();
        var ticks = await PacketTicksAsync(path, index, cancellation).ConfigureAwait(false);
        if (!ticks.TryGet(out var found, out var refusal)) return refusal;
        if (found.Ticks is null)
        {
            // Old AVI: packets carry no times, so the rate is a rule and only the decoder knows where it starts to count.
            if ((real ?? average) is not { } ruled || found.Count == 0) return Unreadable(path, "its frames have neither times nor a rate");
            var begins = await FirstTickAsync(path, index, cancellation).ConfigureAwait(false);
            if (!begins.TryGet(out var first, out refusal)) return refusal;
            return FrameTimes.Regular(timeBase, first, found.Count, average ?? ruled);
        }

        return found.Ticks.Length > 0
            ? FrameTimes.FromTicks(timeBase, found.Ticks, candidates)
            : Unreadable(path, "it holds no frame");
    }

    // Ticks are null when packets lack presentation times.
    private async Task<Outcome<(int Count, long[]? Ticks)>> PacketTicksAsync(string path, int index, CancellationToken cancellation)
    {
        var ticks = new List<long>();
        var without = 0;
        var refusal = await LinesAsync(
            path,
            ["-select_streams", index.ToString(CultureInfo.InvariantCulture), "-show_entries", "packet=pts,flags", "-of", "csv=p=0"],
            line =>
            {
                var comma = line.IndexOf(',', StringComparison.Ordinal);
                if (comma < 0) return;
                // D: decoded for others' sake, never shown (edit lists).
                if (line.AsSpan(comma + 1).Contains('D')) return;
                if (long.TryParse(line.AsSpan(0, comma), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var pts)) ticks.Add(pts);
                else without++;
            },
            cancellation).ConfigureAwait(false);
        if (refusal is not null) return refusal;
        var distinct = ticks.Distinct().ToArray();
        return without > 0 ? (ticks.Count + without, (long[]?)null) : (distinct.Length, distinct);
    }

    private async Task<Outcome<long>> FirstTickAsync(string path, int index, CancellationToken cancellation)
    {
        long? first = null;
        var refusal = await LinesAsync(
            path,
            ["-select_streams", index.ToString(CultureInfo.InvariantCulture), "-read_intervals", "%+#20", "-show_entries", "frame=best_effort_timestamp", "-of", "csv=p=0"],
            line =>
            {
                if (long.TryParse(line.TrimEnd(',', ' '), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var pts)) first ??= pts;
            },
            cancellation).ConfigureAwait(false);
        return refusal is not null ? refusal : first is { } tick ? tick : Unreadable(path, "its frames have no times");
    }

    private async Task<bool> IsInterlacedAsync(string path, int index, JsonElement video, CancellationToken cancellation)
    {
        var order = Text(video, "field_order");
        if (order is "tt" or "bb" or "tb" or "bt") return true;
        if (order == "progressive") return false;
        var flagged = false;
        await LinesAsync(
            path,
            ["-select_streams", index.ToString(CultureInfo.InvariantCulture), "-read_intervals", "%+#3", "-show_entries", "frame=interlaced_frame", "-of", "csv=p=0"],
            line => flagged |= line.StartsWith('1'),
            cancellation).ConfigureAwait(false);
        return flagged;
    }

    private async Task<Outcome<string>> AskAsync(string path, IEnumerable<string> wishes, CancellationToken cancellation)
    {
        var lines = new List<string>();
        var refusal = await LinesAsync(path, wishes, lines.Add, cancellation).ConfigureAwait(false);
        return refusal is not null ? refusal : string.Join('\n', lines);
    }

    private async Task<Refusal?> LinesAsync(string path, IEnumerable<string> wishes, Action<string> onLine, CancellationToken cancellation)
    {
        string[] arguments = ["-hide_banner", "-v", "error", .. SafeInput.Limits(path), .. wishes, SafeInput.File(path)];
        try
        {
            await using var process = FFmpegProcess.Start(tools.FFprobePath, arguments, path, StallLimit, Time, cancellation);
            process.StandardInput.Close();
            await foreach (var line in process.ReadLinesAsync().ConfigureAwait(false)) onLine(line);
            var exit = await process.WaitAsync().ConfigureAwait(false);
            return exit.Code == 0 && !exit.Stalled ? null : Unreadable(path, exit.Explanation);
        }
        catch (Win32Exception error)
        {
            return new Refusal(MediaReasons.ToolMissing, $"ffprobe ('{tools.FFprobePath}') does not start: {error.Message}.");
        }
    }

    private static ColourTags Resolve(
        ColourTags tags, string pixelFormat, bool isRgb, int width, int height, string name, ImmutableArray<string>.Builder notes)
    {
        if (tags.IsHighDynamicRange)
            notes.Add($"{name} is high dynamic range ({tags.Transfer}): the model works in standard range, so its values are used as they are, without tone mapping.");
        if (isRgb) return new ColourTags("pc", "gbr", tags.Primaries ?? "bt709", tags.Transfer ?? "iec61966-2-1");
        var range = tags.Range ?? (pixelFormat.StartsWith("yuvj", StringComparison.Ordinal) ? "pc" : "tv");
        var matrix = tags.Matrix;
        if (YuvMatrix.Named(matrix) is null)
        {
            var assumed = width >= 1280 || height >= 720 ? "bt709" : "smpte170m";
            if (!pixelFormat.StartsWith("gray", StringComparison.Ordinal))
            {
                notes.Add(matrix is null
                    ? $"{name} does not say its colour matrix: {(assumed == "bt709" ? "BT.709, as for high definition," : "BT.601, as for standard definition,")} is assumed."
                    : $"{name} uses the colour matrix {matrix}, which is not known here: {(assumed == "bt709" ? "BT.709" : "BT.601")} is assumed.");
            }

            matrix = assumed;
        }

        return new ColourTags(range, matrix, tags.Primaries ?? (matrix == "bt709" ? "bt709" : matrix), tags.Transfer ?? (matrix == "bt709" ? "bt709" : "smpte170m"));
    }

    private static (int Width, int Height) ShownSize(int width, int height, (int Numerator, int Denominator) aspect, int rotation)
    {
        // The shorter side of a pixel is stretched, so that nothing that was recorded is lost.
        var (shownWidth, shownHeight) = aspect.Numerator > aspect.Denominator
            ? ((int)Math.Round((double)width * aspect.Numerator / aspect.Denominator), height)
            : (width, (int)Math.Round((double)height * aspect.Denominator / aspect.Numerator));
        return rotation is 90 or 270 ? (shownHeight, shownWidth) : (shownWidth, shownHeight);
    }

    private static int Rotation(JsonElement video, string name, ImmutableArray<string>.Builder notes)
    {
        double? degrees = null;
        if (video.TryGetProperty("side_data_list", out var sideData))
        {
            foreach (var item in sideData.EnumerateArray())
            {
                // The display matrix counts anticlockwise.
                if (item.TryGetProperty("rotation", out var rotation) && rotation.ValueKind == JsonValueKind.Number) degrees = -rotation.GetDouble();
            }
        }

        if (degrees is null && video.TryGetProperty("tags", out var tags) && Text(tags, "rotate") is { } text
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var tagged))
            degrees = tagged;
        if (degrees is not { } clockwise || !double.IsFinite(clockwise)) return 0;
        var quarters = (int)Math.Round(clockwise / 90);
        if (Math.Abs(clockwise - quarters * 90) > 1)
            notes.Add($"{name} is turned by {clockwise.ToString("0.#", CultureInfo.InvariantCulture)} degrees, which is not a quarter turn: the picture may not stand as the editor shows it.");
        return ((quarters % 4) + 4) % 4 * 90;
    }

    private static (int Numerator, int Denominator) SampleAspect(JsonElement video)
    {
        var parts = Text(video, "sample_aspect_ratio")?.Split(':');
        return parts is { Length: 2 }
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var d)
            && n > 0 && d > 0 && n <= 10L * d && d <= 10L * n
            ? (n, d)
            : (1, 1);
    }

    private static bool IsRgbFormat(string format) =>
        format.StartsWith("rgb", StringComparison.Ordinal) || format.StartsWith("bgr", StringComparison.Ordinal)
        || format.StartsWith("gbr", StringComparison.Ordinal) || format.StartsWith("argb", StringComparison.Ordinal)
        || format.StartsWith("abgr", StringComparison.Ordinal) || format.StartsWith("0rgb", StringComparison.Ordinal)
        || format.StartsWith("0bgr", StringComparison.Ordinal) || format.StartsWith("x2", StringComparison.Ordinal) || format == "pal8";

    private static int Depth(string format, long? rawBits)
    {
        if (format.StartsWith("rgb48", StringComparison.Ordinal) || format.StartsWith("bgr48", StringComparison.Ordinal)
            || format.StartsWith("rgba64", StringComparison.Ordinal) || format.StartsWith("bgra64", StringComparison.Ordinal)
            || format.Contains("f32", StringComparison.Ordinal) || format.Contains("f16", StringComparison.Ordinal) || format.StartsWith("ya16", StringComparison.Ordinal))
            return 16;
        if (format.StartsWith("p010", StringComparison.Ordinal) || format.StartsWith("p210", StringComparison.Ordinal)
            || format.StartsWith("p410", StringComparison.Ordinal) || format.StartsWith("y210", StringComparison.Ordinal) || format.StartsWith("x2", StringComparison.Ordinal))
            return 10;
        var trimmed = format.EndsWith("le", StringComparison.Ordinal) || format.EndsWith("be", StringComparison.Ordinal) ? format[..^2] : format;
        if (trimmed.Length == format.Length) return 8;
        foreach (var depth in (int[])[16, 14, 12, 10, 9])
        {
            if (trimmed.EndsWith(depth.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)) return depth;
        }

        return rawBits is >= 8 and <= 16 ? (int)rawBits.Value : 8;
    }

    private static string? AnyTag(JsonElement[] streams, JsonElement video, JsonElement format, string key)
    {
        foreach (var holder in new[] { video }.Concat(streams).Append(format))
        {
            if (holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty("tags", out var tags)
                && Text(tags, key) is { Length: > 0 } value)
                return value;
        }

        return null;
    }

    private static bool IsCoverPicture(JsonElement stream) =>
        stream.TryGetProperty("disposition", out var disposition) && Integer(disposition, "attached_pic") == 1;

    private static FrameRate? Rate(JsonElement stream, string key) => FrameRate.TryParse(Text(stream, key), out var rate) ? rate : null;

    private static bool TryTimeBase(string? text, out MediaTime timeBase) => MediaTime.TryParse(text, out timeBase) && timeBase.Numerator > 0;

    private static string? Tag(JsonElement stream, string key) => Text(stream, key) is { } value and not ("unknown" or "unspecified" or "reserved") ? value : null;

    private static string? Text(JsonElement element, string key) =>
        element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Integer(JsonElement element, string key)
    {
        if (!element.TryGetProperty(key, out var value)) return null;
        return value.ValueKind switch
        {
            JsonValueKind.Number when value.TryGetInt64(out var number) => number,
            JsonValueKind.String when long.TryParse(value.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
            _ => null,
        };
    }

    private static Refusal Unreadable(string path, string why) =>
        new(MediaReasons.Unreadable, $"The media file '{SafeInput.Shown(path)}' cannot be read: {Without(path, why)}. Render or copy it again, or relink the clip.");

    private static string Without(string path, string why) =>
        why.Replace($"file:{path}: ", "", StringComparison.Ordinal).Trim().TrimEnd('.');
}
