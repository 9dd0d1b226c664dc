using EditorBridge.Host.Assets;
using EditorBridge.Host.Security;
using EditorBridge.Media;
using EditorBridge.Planning;
using EditorBridge.Protocol.V1;
using ContractRate = EditorBridge.Protocol.V1.FrameRate;
using Delivery = EditorBridge.Planning.Delivery;
using FrameRate = EditorBridge.Timeline.FrameRate;
using MediaInfo = EditorBridge.Media.MediaInfo;

namespace EditorBridge.Host.Services;

/// <summary>Reads a job as the contract has it into a request that the planner understands. What is wrong with it names its field.</summary>
/// <param name="ffmpeg">Where ffmpeg is.</param>
/// <param name="known">The media files that were probed before.</param>
/// <param name="assets">What was uploaded.</param>
/// <param name="options">The host's.</param>
/// <param name="parent">What stands before "spec" in the path of a request's field, such as "job.".</param>
internal sealed partial class SpecReading(FFmpegLocator ffmpeg, KnownMedia known, AssetStore assets, HostOptions options, string parent = "")
{
    // More at once would only be in each other's way.
    private const int MostProbes = 4;

    private readonly List<(string Field, string Message)> _violations = [];
    private readonly Dictionary<string, Task<Timeline.Outcome<MediaInfo>>> _probes = new(StringComparer.Ordinal);
    private string _reason = "INVALID_ARGUMENT";

    /// <summary>Parts that make sense but cannot be done, by field.</summary>
    public List<Protocol.V1.Refusal> NotBuilt { get; } = [];

    /// <summary>The request.</summary>
    /// <param name="spec">The job as the contract has it.</param>
    /// <param name="drawSeed">Gives a seed when none was given.</param>
    /// <param name="cancellation">Ends probing.</param>
    /// <exception cref="Grpc.Core.RpcException">Fields cannot be used.</exception>
    public async Task<JobRequest> ReadAsync(JobSpec? spec, Func<long> drawSeed, CancellationToken cancellation)
    {
        if (spec is null) throw Errors.Invalid(parent + "spec", "FIELD_MISSING", "The spec is missing; say what is asked for.");
        var kind = Kind(spec);
        if (spec.Delivery is null) Violate("spec.delivery", "The delivery is missing; give size, rate and frames.");
        var rate = Rate(spec.Delivery?.Rate, "spec.delivery.rate") ?? FrameRate.F24;
        await BeginProbesAsync(spec, cancellation).ConfigureAwait(false);
        var before = await ContextAsync(spec.ContextBefore, "spec.context_before", atEnd: true, cancellation).ConfigureAwait(false);
        var after = await ContextAsync(spec.ContextAfter, "spec.context_after", atEnd: false, cancellation).ConfigureAwait(false);
        var videos = await VideosAsync(spec, cancellation).ConfigureAwait(false);
        var pictures = await PicturesAsync(spec, cancellation).ConfigureAwait(false);
        var loras = await LorasAsync(spec, cancellation).ConfigureAwait(false);
        if (spec.Loop) after ??= before;
        var codec = Codec(spec.Delivery, kind);
        CheckUnbuilt(spec);
        if (spec.Delivery is { Frames: > int.MaxValue or < int.MinValue }) Violate("spec.delivery.frames", "The number of frames is out of range.");
        if (spec.ContextBefore is { HasFrames: true } b && spec.ContextAfter is { HasFrames: true } a && a.Frames != b.Frames)
            Refuse("spec.context_after.frames", "NOT_BUILT", "Both sides get the same number of context frames in this version; give one number.");
        if (_violations.Count > 0) throw Errors.Invalid([.. _violations.Select(v => (parent + v.Field, v.Message))], _reason);

        var unbuilt = Unbuilt(spec);
        var context = spec.ContextBefore is { HasFrames: true } k ? k.Frames : spec.ContextAfter is { HasFrames: true } l ? l.Frames : (int?)null;
        var handles = (kind == JobKind.ExtendHead ? spec.ContextAfter : spec.ContextBefore)?.HandleFrames ?? 0;
        var request = new JobRequest
        {
            Kind = kind,
            Prompt = spec.Prompt,
            NegativePrompt = spec.NegativePrompt,
            Delivery = new Delivery
            {
                Width = spec.Delivery!.Size?.Width ?? 0,
                Height = spec.Delivery.Size?.Height ?? 0,
                Rate = rate,
                Frames = (int)spec.Delivery.Frames,
                Codec = codec,
                StartTimecode = Text(spec.Delivery.StartTimecode),
                Reel = Text(spec.Delivery.ReelName),
            },
            Before = before,
            After = after,
            ReferencePicture = pictures.First,
            Subjects = pictures.Subjects,
            Keyframes = pictures.Keyframes,
            Source = videos.Source,
            Strength = spec.SourceVideo is { HasStrength: true } source ? source.Strength : null,
            Mask = videos.Mask,
            Padding = videos.Padding,
            Control = videos.Control,
            ControlStrength = spec.ControlVideo is { HasStrength: true } control ? control.Strength : 1,
            Loop = spec.Loop,
            Loras = loras,
            HandleFrames = (int)Math.Clamp(handles, 0, int.MaxValue),
            GenerateOverHandles = spec.GenerateOverHandles,
            Model = spec.Model.Length == 0 ? options.DefaultModel : spec.Model["models/".Length..],
            Seed = spec.HasSeed ? spec.Seed : drawSeed(),
            Takes = spec.Takes == 0 ? 1 : spec.Takes,
            Preset = Text(spec.Sampler?.Preset) ?? SamplingPresets.Standard,
            Steps = spec.Sampler is { HasSteps: true } s ? s.Steps : null,
            Guidance = spec.Sampler is { HasGuidance: true } g ? g.Guidance : null,
            LowNoiseGuidance = spec.Sampler is { HasLowNoiseGuidance: true } low ? low.LowNoiseGuidance : null,
            Shift = spec.Sampler is { HasShift: true } h ? h.Shift : null,
            Sampler = spec.Sampler?.Solver switch
            {
                SamplerOptions.Types.Solver.Unipc => "unipc",
                SamplerOptions.Types.Solver.DpmPlusPlus => "dpm++",
                SamplerOptions.Types.Solver.Euler => "euler",
                SamplerOptions.Types.Solver.Lcm => "lcm",
                _ => null,
            },
            GuidanceUntil = spec.Sampler is { HasGuidanceUntil: true } part ? part.GuidanceUntil : null,
            Timesteps = [.. spec.Sampler?.Timesteps ?? []],
            StepCache = Cache(spec.Sampler?.StepCache),
            Unbuilt = unbuilt,
        };
        return context is { } frames ? request with { ContextFrames = frames } : request;
    }

    private static StepCacheRequest? Cache(StepCache? cache) => cache is null or { Method: StepCache.Types.Method.Unspecified } ? null : new StepCacheRequest
    {
        Method = cache.Method switch
        {
            StepCache.Types.Method.None => "none",
            StepCache.Types.Method.EasyCache => "easycache",
            StepCache.Types.Method.TeaCache => "teacache",
            var other => other.ToString(),
        },
        Threshold = cache.HasThreshold ? cache.Threshold : null,
        FirstSteps = cache.HasFirstSteps ? cache.FirstSteps : null,
    };

    /// <summary>Opens a media file a caller named.</summary>
    /// <exception cref="Grpc.Core.RpcException">It cannot be read; the error names the field.</exception>
    public async Task<MediaInfo> ProbeAsync(MediaSource? source, string field, CancellationToken cancellation)
    {
        var info = await TryProbeAsync(source, field, cancellation).ConfigureAwait(false);
        return info ?? throw Errors.Invalid(_violations, _reason);
    }

    private async Task<MediaInfo?> TryProbeAsync(MediaSource? source, string field, CancellationToken cancellation)
    {
        var isUploaded = source?.SourceCase == MediaSource.SourceOneofCase.Asset;
        var path = isUploaded ? Uploaded(source!.Asset, $"{field}.asset") : source?.Path ?? "";
        if (path is null) return null;
        if (!Path.IsPathFullyQualified(path) || path.Contains('\0', StringComparison.Ordinal))
        {
            Violate($"{field}.path", path.Length == 0 ? "The media file is missing; give its full path." : $"'{path}' is not a full path; give one that begins at the root.");
            return null;
        }

        if (!isUploaded && AllowedFolders.Refusal(options, path) is { } outside)
        {
            Violate($"{field}.path", outside, "PATH_NOT_ALLOWED");
            return null;
        }

        var tools = await ffmpeg.FindAsync(cancellation).ConfigureAwait(false);
        if (!tools.TryGet(out var found, out var missing)) throw Errors.Precondition(missing.Reason, missing.Message);
        var probed = await BeginProbe(found, path, cancellation).ConfigureAwait(false);
        if (probed.TryGet(out var info, out var unreadable)) return info;
        if (isUploaded) Violate($"{field}.asset", unreadable.Message.Replace(path, DisplayName(source!.Asset), StringComparison.Ordinal), unreadable.Reason);
        else Violate($"{field}.path", unreadable.Message, unreadable.Reason);
        return null;
    }

    // Each probe is a process that mostly waits, so all begin before the first is needed. Uploads keep their turn: reading one marks it as used.
    private async Task BeginProbesAsync(JobSpec spec, CancellationToken cancellation)
    {
        IEnumerable<MediaSource?> sources =
        [
            spec.ContextBefore?.Segment?.Media, spec.ContextAfter?.Segment?.Media,
            spec.SourceVideo?.Segment?.Media, spec.Mask?.Segment?.Media, spec.ControlVideo?.Segment?.Media,
            .. spec.References.Select(r => r.Media), .. spec.Keyframes.Select(k => k.Media),
        ];
        var paths = sources.Select(s => s?.Path ?? "").Where(p => Path.IsPathFullyQualified(p) && !p.Contains('\0', StringComparison.Ordinal)).Distinct().ToList();
        if (paths.Count < 2 || !(await ffmpeg.FindAsync(cancellation).ConfigureAwait(false)).TryGet(out var tools, out _)) return;
        foreach (var path in paths.Take(MostProbes).Where(p => AllowedFolders.Refusal(options, p) is null)) _ = BeginProbe(tools, path, cancellation);
    }

    private Task<Timeline.Outcome<MediaInfo>> BeginProbe(FFmpegTools tools, string path, CancellationToken cancellation)
    {
        if (!_probes.TryGetValue(path, out var probe)) _probes[path] = probe = known.ProbeAsync(tools, path, cancellation);
        return probe;
    }

    private string? Uploaded(string name, string field)
    {
        var hash = AssetName.HashOf(name);
        if (hash is not null && assets.Use(hash) is { } path) return path;
        if (hash is not null && assets.Get(hash) is { } begun)
            Violate(field, $"Of {name} only {begun.CommittedBytes} of {begun.SizeBytes} bytes were uploaded; send the rest.", "ASSET_INCOMPLETE");
        else Violate(field, $"There is no asset {name}; upload the file again.", "ASSET_NOT_FOUND");
        return null;
    }

    private string DisplayName(string name) => assets.Get(AssetName.HashOf(name)!) is { DisplayName.Length: > 0 } asset ? asset.DisplayName : name;

    private async Task<ContextSource?> ContextAsync(ContextFrames? context, string field, bool atEnd, CancellationToken cancellation)
    {
        if (context is null) return null;
        var segment = context.Segment;
        if (segment?.Range is null)
        {
            Violate($"{field}.segment.range", "The range of the shot's frames is missing.");
            return null;
        }

        if (segment.TimeScalar is not (0 or 1))
            Refuse($"{field}.segment.time_scalar", "NOT_BUILT", "Frames of a shot that plays at another speed cannot be used by this version yet; render the shot first.");
        if (await TryProbeAsync(segment.Media, $"{field}.segment.media", cancellation).ConfigureAwait(false) is not { } info) return null;
        var rate = segment.Rate is null ? info.Rate : Rate(segment.Rate, $"{field}.segment.rate") ?? info.Rate;
        var there = rate == info.Rate ? info.FrameCount : info.Times.CountAt(rate);
        var (start, duration) = (segment.Range.Start, segment.Range.Duration);
        // The cut itself must lie in the media; what a timeline shows beyond it on the far side is simply not used.
        var range = new Timeline.FrameRange(start, duration).Intersect(new Timeline.FrameRange(0, there));
        if (duration <= 0 || start < 0 || range.IsEmpty || (atEnd ? start + duration > there : start >= there))
        {
            Violate($"{field}.segment.range",
                $"Frames {start} to {start + duration - 1} were named, but '{info.Path}' has frames 0 to {there - 1} at {rate} frames per second.", MediaReasons.OutOfRange);
            return null;
        }

        return new ContextSource { Path = info.Path, Rate = rate, Frames = range };
    }

    private JobKind Kind(JobSpec spec)
    {
        switch (spec.Kind)
        {
            case JobSpec.Types.Kind.Broll:
                return JobKind.BRoll;
            case JobSpec.Types.Kind.Restyle:
                return JobKind.Restyle;
            case JobSpec.Types.Kind.Inpaint:
                return JobKind.Inpaint;
            case JobSpec.Types.Kind.Outpaint:
                return JobKind.Outpaint;
            case JobSpec.Types.Kind.Fill:
                return JobKind.Fill;
            case JobSpec.Types.Kind.Still:
                return JobKind.Still;
            case JobSpec.Types.Kind.Extend when spec.Loop && spec.ContextBefore is not null:
                return JobKind.Fill;
            case JobSpec.Types.Kind.Extend when spec.ContextBefore is not null && spec.ContextAfter is not null:
                Violate("spec.context_after", "An extension has context on one side; use FILL where there is a shot on both.");
                return JobKind.ExtendTail;
            case JobSpec.Types.Kind.Extend:
                return spec.ContextAfter is not null ? JobKind.ExtendHead : JobKind.ExtendTail;
            default:
                Violate("spec.kind", "The kind of job is missing; say BROLL, EXTEND, FILL, STILL, RESTYLE, INPAINT or OUTPAINT.");
                return JobKind.BRoll;
        }
    }

    private DeliveryCodec Codec(Protocol.V1.Delivery? delivery, JobKind kind)
    {
        switch (delivery?.Codec)
        {
            case Protocol.V1.Delivery.Types.Codec.Prores422Hq:
                return DeliveryCodec.ProRes;
            case Protocol.V1.Delivery.Types.Codec.DnxhrHqx or Protocol.V1.Delivery.Types.Codec.DnxhrHq:
                return DeliveryCodec.DnxHr;
            case Protocol.V1.Delivery.Types.Codec.Png:
                Refuse("spec.delivery.codec", "NOT_BUILT", kind == JobKind.Still
                    ? "A still comes as a video clip in this version; ask for H264, PRORES_422_HQ or DNXHR_HQX."
                    : "PNG holds one picture; ask for H264, PRORES_422_HQ or DNXHR_HQX.");
                return DeliveryCodec.H264;
            default:
                return DeliveryCodec.H264;
        }
    }

    private static UnbuiltFeature[] Unbuilt(JobSpec spec)
    {
        var features = new List<UnbuiltFeature>();
        if (spec.Shots.Count > 1) features.Add(UnbuiltFeature.Shots);
        if (spec.PromptExpansion is { Mode: PromptExpansion.Types.Mode.Rules or PromptExpansion.Types.Mode.LanguageModel })
            features.Add(UnbuiltFeature.PromptExpansion);
        if (spec.References.Any(r => r.Role == Reference.Types.Role.Style)) features.Add(UnbuiltFeature.StyleReferences);
        return [.. features];
    }

    private void CheckUnbuilt(JobSpec spec)
    {
        if (spec.Model.Length > 0 && !spec.Model.StartsWith("models/", StringComparison.Ordinal))
            Violate("spec.model", $"'{spec.Model}' is not the name of a model; names look like models/sketch.");
        if (spec.Loop && (spec.Kind != JobSpec.Types.Kind.Extend || spec.ContextBefore is null))
            Refuse("spec.loop", "NOT_BUILT", "Only a clip that is there can be made to loop by this version: extend it, with the clip as context before.");
        if (spec.Shots.Count == 1)
            Refuse("spec.shots", "NOT_BUILT", "Shots are not told apart by this version; put the one shot's words into the prompt.");
        if (spec.Delivery is not { } delivery) return;
        if (delivery.Fit != Protocol.V1.Delivery.Types.Fit.Unspecified)
            Refuse("spec.delivery.fit", "NOT_BUILT", "How pictures are fitted cannot be chosen in this version; leave it out.");
        if (delivery.Color is { } color && ((string[])[color.Primaries, color.Transfer, color.Matrix]).Any(t => t is not ("" or "bt709")) )
            Refuse("spec.delivery.color", "NOT_BUILT", "Clips are made in bt709 in this version; leave the colour out.");
        if (delivery.Color is { Range: not ("" or "tv") })
            Refuse("spec.delivery.color.range", "NOT_BUILT", "Clips are made in video range in this version; leave the range out.");
        if (delivery.HeadHandle != 0 || delivery.TailHandle != 0)
            Refuse(delivery.HeadHandle != 0 ? "spec.delivery.head_handle" : "spec.delivery.tail_handle", "NOT_BUILT",
                "Clips have no handles in this version; ask for more frames.");
    }

    private FrameRate? Rate(ContractRate? rate, string field)
    {
        if (rate is null)
        {
            Violate(field, "The frame rate is missing.");
            return null;
        }

        if (rate.Numerator > 0 && rate.Denominator >= 0) return new FrameRate(rate.Numerator, rate.Denominator == 0 ? 1 : rate.Denominator);
        Violate(field, $"{rate.Numerator}/{rate.Denominator} is not a frame rate; both parts are positive.");
        return null;
    }

    private void Violate(string field, string message, string reason = "INVALID_ARGUMENT")
    {
        if (_violations.Count == 0) _reason = reason;
        _violations.Add((field, message));
    }

    private void Refuse(string field, string reason, string message) =>
        NotBuilt.Add(new Protocol.V1.Refusal { Field = field, Reason = reason, Message = message });

    private static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
