using EditorBridge.Client;
using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;
using FrameRange = EditorBridge.Protocol.V1.FrameRange;
using FrameRate = EditorBridge.Timeline.FrameRate;

namespace EditorBridge.Cli.Jobs;

/// <summary>A clip's medium, found on disk and looked into by the host.</summary>
/// <param name="Item">The clip.</param>
/// <param name="Path">The file.</param>
/// <param name="Source">The file as the host knows it.</param>
/// <param name="Info">What the host found in it.</param>
/// <param name="Used">The frames that the timeline shows, counted from the file's first frame at <paramref name="Rate"/>.</param>
/// <param name="Held">How many frames the file has at that rate.</param>
/// <param name="Rate">The rate the document counts the medium at.</param>
internal sealed record ClipMedia(TrackItem Item, string Path, MediaSource Source, MediaInfo Info, Timeline.FrameRange Used, long Held, FrameRate Rate)
{
    /// <summary>Finds a clip's file and asks the host about it.</summary>
    /// <exception cref="Refused">The clip has no file that can be read, or is none.</exception>
    public static async Task<ClipMedia> OpenAsync(HostMedia media, TrackItem item, string documentFolder, CancellationToken cancellation)
    {
        if (item.Kind == ItemKind.Nested)
            throw new Refused("NESTED_ITEM", $"{item.Label} is a nested sequence, whose pictures cannot be read: render it to a file first.");
        if (!item.Enabled)
            throw new Refused("CLIP_DISABLED", $"{item.Label} is disabled on the timeline: enable it, or remove it to make room.");
        if (item.ChangesTime)
            throw new Refused("CLIP_RETIMED", $"{item.Label} plays at another speed, which cannot be joined yet: render it to a file first.");
        if (item.Media is { IsImageSequence: true })
            throw new Refused("NOT_BUILT", $"{item.Label} is a sequence of picture files, which cannot be read yet: make it a movie first.");
        var path = Locate(item, documentFolder).OrRefuse();
        var (known, info) = await GiveAsync(media, item, path, cancellation).ConfigureAwait(false);
        if (item.SourceRange is not { } source)
            throw new Refused("OFF_GRID", $"The timeline does not say in whole frames which part of its media {item.Label} shows.");
        var fileRate = ToRate(info.Rate);
        var held = info.Still ? long.MaxValue / 4 : FrameConversion.Floor(info.Frames, fileRate, source.Rate) ?? 0;
        if (FirstFrame(item, source, info, fileRate, held) is not { } first)
        {
            throw new Refused("MEDIA_TOO_SHORT",
                $"{item.Label} shows frames {source.Start} to {source.End} of its media, but {path} has {info.Frames} frames at {fileRate}: relink the clip.");
        }

        return new ClipMedia(item, path, known, info, new Timeline.FrameRange(source.Start - first, source.Duration), held, source.Rate);
    }

    /// <summary>The file that a clip points at, if it is there.</summary>
    public static Outcome<string> Locate(TrackItem item, string documentFolder)
    {
        if (item.Media?.Url is not { } url)
            return new Timeline.Refusal("MEDIA_OFFLINE", $"The media of {item.Label} is offline: the timeline names no file for it (it may be a title or a generator), so relink it in the editor, or render it to a file.");
        if (!MediaPath.Resolve(url, documentFolder).TryGet(out var path, out var refusal)) return refusal;
        if (File.Exists(path)) return path;
        // A relative name is a path in some documents and a URL with escapes in others: what is there is what was meant.
        if (url.Contains('%', StringComparison.Ordinal) && MediaPath.Resolve(Uri.UnescapeDataString(url), documentFolder).TryGet(out var unescaped, out _) && File.Exists(unescaped))
            return unescaped;
        return Directory.Exists(path)
            ? new Timeline.Refusal("MEDIA_OFFLINE", $"The media of {item.Label} is a folder, {path}: relink the clip to a file.")
            : new Timeline.Refusal("MEDIA_OFFLINE", $"The media of {item.Label} is offline: there is no file {path}; relink the clip or mount its drive.");
    }

    /// <summary>The shot as context for frames that join it.</summary>
    public ContextFrames ToContext(long handleFrames) => new()
    {
        Segment = new MediaSegment
        {
            Media = Source,
            Range = new FrameRange { Start = Used.Start, Duration = Used.Duration },
            Rate = FromRate(Rate),
        },
        HandleFrames = handleFrames,
    };

    /// <summary>Real frames beyond the clip's ends, at the sequence rate: no more than the file has, nor than the document says.</summary>
    public Handles Handles(FrameRate sequenceRate)
    {
        if (Info.Still) return default;
        var head = FrameConversion.Floor(Used.Start, Rate, sequenceRate) ?? 0;
        var tail = Math.Max(0, FrameConversion.Floor(Held - Used.End, Rate, sequenceRate) ?? 0);
        return Timeline.Handles.Of(Item, sequenceRate) is { } said
            ? new Handles(Math.Min(head, said.Head), Math.Min(tail, said.Tail))
            : new Handles(head, tail);
    }

    /// <summary>The shot with so many more of its real frames at the tail, or at the head; null where they are no whole frames of the medium.</summary>
    public ClipMedia? With(long handleFrames, FrameRate sequenceRate, bool head) =>
        FrameConversion.Exactly(handleFrames, sequenceRate, Rate) is { } more
            ? this with { Used = head ? new Timeline.FrameRange(Used.Start - more, Used.Duration + more) : new Timeline.FrameRange(Used.Start, Used.Duration + more) }
            : null;

    public static FrameRate ToRate(Protocol.V1.FrameRate rate) => new(Math.Max(1, rate.Numerator), Math.Max(1, rate.Denominator));

    public static Protocol.V1.FrameRate FromRate(FrameRate rate) => new() { Numerator = rate.Numerator, Denominator = rate.Denominator };

    // Documents count a medium from its start timecode. They may not say what that is, and then the file does; some count from 0 all the same.
    private static long? FirstFrame(TrackItem item, MediaRange source, MediaInfo info, FrameRate fileRate, long held)
    {
        var starts = new List<long?>();
        if (item.Media?.AvailableRange is { } available) starts.Add(FrameConversion.Floor(available.Start, available.Rate, source.Rate));
        if (info.StartTimecode.Length > 0 && Timecode.Parse(info.StartTimecode, fileRate).TryGet(out var timecode, out _))
            starts.Add(FrameConversion.Floor(timecode.Frame, fileRate, source.Rate));
        starts.Add(0);
        foreach (var start in starts)
        {
            if (start is { } first && source.Start >= first && source.End - first <= held) return first;
        }

        return null;
    }

    private static async Task<(MediaSource Source, MediaInfo Info)> GiveAsync(HostMedia media, TrackItem item, string path, CancellationToken cancellation)
    {
        try
        {
            return await media.OpenAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (EditorBridgeException error) when (error.Reason is not ("HOST_UNREACHABLE" or "FFMPEG_MISSING"))
        {
            // The host names the file; people know it by the clip.
            throw new Refused(error.Reason, error.Message.Contains(path, StringComparison.Ordinal) ? error.Message : $"{item.Label}: {error.Message}");
        }
    }
}
