using System.Security.Cryptography;
using EditorBridge.Host.Security;
using EditorBridge.Media;
using EditorBridge.Models.Lora;
using EditorBridge.Planning;
using EditorBridge.Protocol.V1;
using FrameRange = EditorBridge.Timeline.FrameRange;
using MediaInfo = EditorBridge.Media.MediaInfo;
using Padding = EditorBridge.Planning.Padding;
using SourceVideo = EditorBridge.Planning.SourceVideo;

namespace EditorBridge.Host.Services;

/// <summary>The videos, pictures and LoRAs that a job goes by.</summary>
internal sealed partial class SpecReading
{
    private async Task<(SourceVideo? Source, MaskVideo? Mask, Padding? Padding, SourceVideo? Control)> VideosAsync(JobSpec spec, CancellationToken cancellation)
    {
        var (source, info) = await VideoAsync(spec.SourceVideo?.Segment, spec.SourceVideo is not null, "spec.source_video", cancellation).ConfigureAwait(false);
        var (mask, _) = await VideoAsync(spec.Mask?.Segment, spec.Mask is not null, "spec.mask", cancellation).ConfigureAwait(false);
        var (control, _) = await VideoAsync(spec.ControlVideo?.Segment, spec.ControlVideo is not null, "spec.control_video", cancellation).ConfigureAwait(false);
        var padding = spec.Padding is { } asked ? new Padding(asked.Left, asked.Top, asked.Right, asked.Bottom)
            : spec.Kind == JobSpec.Types.Kind.Outpaint && info is not null ? Beside(info, spec.Delivery?.Size) : (Padding?)null;
        return (source, mask is null ? null : new MaskVideo { Video = mask, Inverted = spec.Mask!.Inverted, Feather = spec.Mask.Feather }, padding, control);
    }

    // What the delivery has beside the source, shown as large as it fits in the middle.
    private static Padding? Beside(MediaInfo info, PixelSize? size)
    {
        if (size is not { Width: > 0, Height: > 0 }) return null;
        var scale = Math.Min((double)size.Width / info.Width, (double)size.Height / info.Height);
        var (across, down) = (size.Width - (int)Math.Round(info.Width * scale), size.Height - (int)Math.Round(info.Height * scale));
        return new Padding(across / 2, down / 2, across - across / 2, down - down / 2);
    }

    private async Task<(SourceVideo? Video, MediaInfo? Info)> VideoAsync(MediaSegment? segment, bool named, string field, CancellationToken cancellation)
    {
        if (!named) return default;
        if (segment?.Media is null)
        {
            Violate($"{field}.segment", "The video is missing; name its media and range.");
            return default;
        }

        if (segment.TimeScalar is not (0 or 1))
            Refuse($"{field}.segment.time_scalar", "NOT_BUILT", "A video that plays at another speed cannot be used by this version yet; render it first.");
        if (await TryProbeAsync(segment.Media, $"{field}.segment.media", cancellation).ConfigureAwait(false) is not { } info) return default;
        if (info.IsStill) return (new SourceVideo { Path = info.Path, Rate = info.Rate, Frames = new FrameRange(0, 1) }, info);
        var rate = segment.Rate is null ? info.Rate : Rate(segment.Rate, $"{field}.segment.rate") ?? info.Rate;
        var there = rate == info.Rate ? info.FrameCount : info.Times.CountAt(rate);
        var (start, duration) = segment.Range is { } asked ? (asked.Start, asked.Duration) : (0, there);
        var range = new FrameRange(start, duration).Intersect(new FrameRange(0, there));
        if (duration <= 0 || start < 0 || range.IsEmpty)
        {
            Violate($"{field}.segment.range",
                $"Frames {start} to {start + duration - 1} were named, but '{info.Path}' has frames 0 to {there - 1} at {rate} frames per second.", MediaReasons.OutOfRange);
            return default;
        }

        return (new SourceVideo { Path = info.Path, Rate = rate, Frames = range }, info);
    }

    private async Task<(string? First, IReadOnlyList<string> Subjects, IReadOnlyList<KeyframePicture> Keyframes)> PicturesAsync(JobSpec spec, CancellationToken cancellation)
    {
        string? first = null;
        var subjects = new List<string>();
        var keyframes = new List<KeyframePicture>();
        for (var i = 0; i < spec.References.Count; i++)
        {
            var (reference, field) = (spec.References[i], $"spec.references[{i}]");
            if (reference.Role == Reference.Types.Role.Style) continue;
            if (reference.HasStrength && reference.Strength != 1)
                Refuse($"{field}.strength", "NOT_BUILT", "The strength of a reference cannot be changed in this version; leave it out.");
            var last = reference.Role == Reference.Types.Role.LastFrame;
            if (reference.Frame != 0 && !last)
                Refuse($"{field}.frame", "NOT_BUILT", "Only the first frame of a reference can be used by this version; save the frame as a picture.");
            if (await TryProbeAsync(reference.Media, $"{field}.media", cancellation).ConfigureAwait(false) is not { } info) continue;
            if (last) keyframes.Add(new KeyframePicture(info.Path, reference.Frame, (int)(spec.Delivery?.Frames ?? 1) - 1));
            else if (reference.Role == Reference.Types.Role.Subject) subjects.Add(info.Path);
            else if (first is null) first = info.Path;
            else Violate(field, "There is one picture that a clip can begin with; give the others the role SUBJECT.");
        }

        for (var i = 0; i < spec.Keyframes.Count; i++)
        {
            var (keyframe, field) = (spec.Keyframes[i], $"spec.keyframes[{i}]");
            if (keyframe.HasStrength && keyframe.Strength != 1)
                Refuse($"{field}.strength", "NOT_BUILT", "The strength of a keyframe cannot be changed in this version; leave it out.");
            if (await TryProbeAsync(keyframe.Media, $"{field}.media", cancellation).ConfigureAwait(false) is not { } info) continue;
            if (keyframe.Frame < 0 || keyframe.Frame >= info.FrameCount)
                Violate($"{field}.frame", $"Frame {keyframe.Frame} was named, but '{info.Path}' has frames 0 to {info.FrameCount - 1}.", MediaReasons.OutOfRange);
            keyframes.Add(new KeyframePicture(info.Path, keyframe.Frame, (int)Math.Clamp(keyframe.Position, int.MinValue, int.MaxValue)));
        }

        return (first, subjects, keyframes);
    }

    private async Task<IReadOnlyList<LoraRequest>> LorasAsync(JobSpec spec, CancellationToken cancellation)
    {
        var loras = new List<LoraRequest>();
        for (var i = 0; i < spec.Loras.Count; i++)
        {
            var (lora, field) = (spec.Loras[i], $"spec.loras[{i}].path");
            if (!Path.IsPathFullyQualified(lora.Path))
            {
                Violate(field, lora.Path.Length == 0 ? "The LoRA's file is missing; give its full path." : $"'{lora.Path}' is not a full path; give one that begins at the root.");
                continue;
            }

            if (AllowedFolders.Refusal(options, lora.Path) is { } outside)
            {
                Violate(field, outside, "PATH_NOT_ALLOWED");
                continue;
            }

            var opened = LoraFile.Open(lora.Path);
            if (!opened.Ok)
            {
                Violate(field, opened.Problem, "LORA_UNUSABLE");
                continue;
            }

            opened.Value.Dispose();
            await using var stream = File.OpenRead(lora.Path);
            loras.Add(new LoraRequest
            {
                Path = lora.Path,
                Sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false)),
                Strength = lora.HasStrength ? lora.Strength : 1,
                Expert = lora.Expert switch { Lora.Types.Expert.HighNoise => LoraExpert.HighNoise, Lora.Types.Expert.LowNoise => LoraExpert.LowNoise, _ => LoraExpert.Both },
            });
        }

        return loras;
    }
}
