using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;
using FrameRange = EditorBridge.Protocol.V1.FrameRange;
using FrameRate = EditorBridge.Timeline.FrameRate;

namespace EditorBridge.Cli.Jobs;

/// <summary>The videos, pictures and LoRAs that the command line names, as they stand in a job.</summary>
internal sealed class JobMedia(HostMedia media, JobArguments arguments)
{
    /// <summary>Adds them to a job.</summary>
    public async Task AddAsync(JobSpec spec, TimelineIndex timeline, TimelineJob job, ClipMedia? source, CancellationToken cancellation)
    {
        if (source is not null)
        {
            spec.SourceVideo = new SourceVideo { Segment = Part(source, timeline.Rate, job) };
            if (arguments.Strength is { } strength) spec.SourceVideo.Strength = strength;
        }
        else if (arguments.Strength is not null)
        {
            throw new Refused("STRENGTH_UNUSED", "--strength is for restyle: leave it out of other jobs.");
        }

        if (arguments.Mask is { } mask)
            spec.Mask = new Mask { Segment = await WholeAsync(mask, cancellation).ConfigureAwait(false), Inverted = arguments.InvertMask, Feather = arguments.Feather };
        if (arguments.Padding is { } padding) spec.Padding = padding;
        if (arguments.Control is { } control)
        {
            spec.ControlVideo = new ControlVideo { Segment = await WholeAsync(control, cancellation).ConfigureAwait(false) };
            if (arguments.ControlStrength is { } weight) spec.ControlVideo.Strength = weight;
        }

        if (arguments.Reference is { } reference) spec.References.Add(new Reference { Media = await OpenAsync(reference, cancellation).ConfigureAwait(false) });
        foreach (var subject in arguments.Subjects)
            spec.References.Add(new Reference { Media = await OpenAsync(subject, cancellation).ConfigureAwait(false), Role = Reference.Types.Role.Subject });
        foreach (var keyframe in arguments.Keyframes)
            spec.Keyframes.Add(new Keyframe { Media = await OpenAsync(keyframe.Path, cancellation).ConfigureAwait(false), Position = keyframe.Frame ?? spec.Delivery.Frames - 1 });
        spec.Loras.Add(arguments.Loras);
    }

    // The frames of the medium under the range.
    private static MediaSegment Part(ClipMedia source, FrameRate timeline, TimelineJob job)
    {
        if (FrameConversion.Floor(job.SourceOffset, timeline, source.Rate) is not { } offset || FrameConversion.Floor(job.RecordRange.Duration, timeline, source.Rate) is not { } shown)
            throw new Refused("OFF_GRID", $"{source.Item.Label} runs at {source.Rate}, at which the range has more frames than can be counted: relink the clip.");
        var start = source.Used.Start + offset;
        var frames = Math.Max(1, Math.Min(source.Used.End - start, shown + 1));
        return new MediaSegment { Media = source.Source, Range = new FrameRange { Start = start, Duration = frames }, Rate = ClipMedia.FromRate(source.Rate) };
    }

    private async Task<MediaSegment> WholeAsync(string path, CancellationToken cancellation)
    {
        var (source, info) = await media.OpenAsync(Path.GetFullPath(path), cancellation).ConfigureAwait(false);
        return new MediaSegment { Media = source, Range = new FrameRange { Start = 0, Duration = Math.Max(1, info.Frames) } };
    }

    private async Task<MediaSource> OpenAsync(string path, CancellationToken cancellation) =>
        (await media.OpenAsync(Path.GetFullPath(path), cancellation).ConfigureAwait(false)).Source;
}
