using System.Globalization;
using System.Reflection;
using EditorBridge.Media;
using EditorBridge.Planning;

namespace EditorBridge.Generation;

/// <summary>Writes a take's clip and its sidecar into the job folder.</summary>
internal sealed class EncodedClip(
    FFmpegTools tools, JobFolder folder, Plan plan, TakePlan take, RunFacts run, IReadOnlyList<string> loras, TimeProvider time, CancellationToken cancellation) : IClipWriter
{
    /// <summary>Program and version, as sidecars and containers have it.</summary>
    public static readonly string Software =
        "EditorBridge " + (typeof(EncodedClip).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0");

    /// <summary>The clip's path in a job folder.</summary>
    public static string PathOf(JobFolder folder, Plan plan, int take) => Path.Combine(folder.Take(take), "clip" + ClipSettings.ExtensionOf(Codec(plan)));

    // What an eye sees at a cut, in levels of 255.
    private const double NotedMiss = 6;

    /// <inheritdoc/>
    public string Write(IEnumerable<VideoFrame> frames, IReadOnlyList<SeamReport> seams)
    {
        var path = PathOf(folder, plan, take.Number);
        var settings = Settings();
        var opened = ClipEncoder.Start(tools, settings, path, cancellation);
        if (!opened.TryGet(out var encoder, out var refusal)) throw new GenerationException(refusal.Reason, refusal.Message);
        using (encoder)
        {
            foreach (var frame in frames)
                using (frame) encoder.Write(frame);
            var finished = encoder.FinishAsync().GetAwaiter().GetResult();
            if (!finished.TryGet(out var clip, out refusal)) throw new GenerationException(refusal.Reason, refusal.Message);
            WriteSidecar(path, settings, clip, seams);
        }

        return path;
    }

    private static ClipCodec Codec(Plan plan) => plan.Request.Delivery.Codec switch
    {
        DeliveryCodec.ProRes => ClipCodec.ProRes422Hq,
        DeliveryCodec.DnxHr => ClipCodec.DnxHrHqx,
        _ => ClipCodec.H264,
    };

    private ClipSettings Settings()
    {
        var (delivery, sampling) = (plan.Request.Delivery, plan.Sampling);
        var settings = new ClipSettings
        {
            Codec = Codec(plan),
            Width = delivery.Width,
            Height = delivery.Height,
            Rate = delivery.Rate,
            FrameCount = delivery.Frames,
            ReelName = delivery.Reel,
            Metadata = new Dictionary<string, string>
            {
                ["software"] = Software,
                ["kind"] = plan.Request.Kind switch
                {
                    JobKind.BRoll => "broll",
                    JobKind.Fill => plan.Request.Loop ? "loop" : "fill",
                    JobKind.Still => "still",
                    JobKind.Restyle => "restyle",
                    JobKind.Inpaint => "inpaint",
                    JobKind.Outpaint => "outpaint",
                    _ => "extend",
                },
                ["prompt"] = plan.Prompt,
                ["negative_prompt"] = plan.NegativePrompt,
                ["seed"] = take.Seed.ToString(CultureInfo.InvariantCulture),
                ["model"] = plan.Model.Name,
                ["model_hash"] = plan.Model.Hash,
                ["settings"] = string.Create(CultureInfo.InvariantCulture, $"{sampling.Sampler}, {sampling.Steps} steps, guidance {sampling.Guidance}, shift {sampling.Shift}, {run.Threads} threads{Extra()}"),
            },
        };
        return delivery.StartTimecode is { } start ? settings with { StartTimecode = start } : settings;
    }

    // What only some jobs have.
    private string Extra()
    {
        var sampling = plan.Sampling;
        var parts = new List<FormattableString>();
        if (sampling.LowNoiseGuidance is { } low) parts.Add($"low-noise guidance {low}");
        if (sampling.Skipped > 0) parts.Add($"{sampling.Skipped} steps left out");
        if (sampling.GuidanceUntil < 1) parts.Add($"guidance in the first {sampling.GuidedSteps} steps");
        if (sampling.Timesteps.Count > 0) parts.Add($"timesteps {string.Join(' ', sampling.Timesteps.Select(t => t.ToString(CultureInfo.InvariantCulture)))}");
        if (sampling.StepCache is { } cache) parts.Add($"{cache.Method} {cache.Threshold} after {cache.FirstSteps} steps");
        if (sampling.Preset != SamplingPresets.Standard) parts.Add($"preset {sampling.Preset}");
        return string.Concat(parts.Select(part => ", " + part.ToString(CultureInfo.InvariantCulture)));
    }

    private static string Note(SeamReport seam) => string.Create(
        CultureInfo.InvariantCulture,
        $"The new frames missed the shot {seam.Side} by {seam.Miss:F0} levels of 255 (window {seam.Window + 1}); their shading was brought to it over {seam.ShadeFrames} frames.");

    private void WriteSidecar(string path, ClipSettings settings, ClipFile clip, IReadOnlyList<SeamReport> seams)
    {
        var (canvas, delivery, sampling) = (plan.Canvas, plan.Request.Delivery, plan.Sampling);
        var sources = new List<SourceNote>();
        if (run.Before is { } before) sources.Add(SourceNote.Of(plan.Request.Kind == JobKind.BRoll ? "reference" : "before", before));
        if (run.After is { } after) sources.Add(SourceNote.Of("after", after));
        foreach (var (role, info) in run.Further) sources.Add(SourceNote.Of(role.ToString().ToLowerInvariant(), info));
        var sidecar = new ClipSidecar
        {
            Software = Software,
            CreatedAt = time.GetUtcNow(),
            DigitalSourceType = "http://cv.iptc.org/newscodes/digitalsourcetype/" + settings.DigitalSourceType,
            Job = Path.GetFileName(folder.Path),
            Kind = settings.Metadata["kind"],
            Take = take.Number,
            Prompt = plan.Prompt,
            NegativePrompt = plan.NegativePrompt,
            Seed = take.Seed,
            Model = new ModelNote(plan.Model.Name, plan.Model.Hash),
            Sampling = new SamplingNote(sampling.Sampler, sampling.Steps, sampling.Guidance, sampling.Shift)
            {
                Preset = sampling.Preset,
                LowNoiseGuidance = sampling.LowNoiseGuidance,
                GuidanceUntil = sampling.GuidanceUntil < 1 ? sampling.GuidanceUntil : null,
                Timesteps = sampling.Timesteps.Count > 0 ? sampling.Timesteps : null,
                Skipped = sampling.Skipped > 0 ? sampling.Skipped : null,
                StepCache = sampling.StepCache is { } cache ? new StepCacheNote(cache.Method, cache.Threshold, cache.FirstSteps) : null,
            },
            Threads = run.Threads,
            Memory = new MemoryNote(run.Memory.Peak, plan.Memory.Peak)
            {
                DevicePeak = run.Memory.PeakOnDevice,
                DevicePlanned = plan.Memory.DevicePeak > 0 ? plan.Memory.DevicePeak : null,
                VaeTile = run.VaeTile > 0 ? run.VaeTile : null,
            },
            Canvas = new PictureNote(canvas.Size.Width, canvas.Size.Height, canvas.Rate.ToString(), plan.Mapping.CanvasFrames),
            Delivery = new PictureNote(delivery.Width, delivery.Height, delivery.Rate.ToString(), delivery.Frames),
            Codec = ClipSettings.NameOf(settings.Codec),
            Timecode = clip.Timecode,
            Reel = settings.ReelName,
            Sources = [.. sources],
            Seams = [.. seams.Select(seam => new SeamNote(seam.Side, seam.Window, seam.ShiftBefore, seam.ShiftAfter, seam.ErrorBefore, seam.ErrorAfter))],
            Notes = [.. loras, .. plan.Warnings.Select(warning => warning.Message), .. seams.Where(seam => seam.Miss > NotedMiss).Select(Note)],
            ClipSha256 = clip.Sha256,
            FFmpeg = tools.VersionText,
        };
        if (sidecar.Write(Path.ChangeExtension(path, ".json")) is { } refusal) throw new GenerationException(refusal.Reason, refusal.Message);
    }
}
