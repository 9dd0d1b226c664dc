using EditorBridge.Cli.Reports;
using EditorBridge.Protocol.V1;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Cli.Jobs;

/// <summary>Says what a plan is.</summary>
internal static class PlanEvents
{
    public static string Word(JobSpec.Types.Kind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>What a job is called: by its verb.</summary>
    public static string Word(TimelineJob job) => job.Loop ? "loop" : Word(job.Kind);

    /// <summary>The verb that was asked for.</summary>
    public static string Word(JobArguments arguments) => arguments.Loop ? "loop" : Word(arguments.Kind);

    public static PlanEvent Of(TimelineIndex index, TimelineJob job, TimelineEdit edit, string mechanism, int number, int of) => new()
    {
        Index = number,
        Of = of,
        Kind = Word(job),
        Track = edit.TrackNumber,
        AddsTrack = edit.AddsTrack,
        RecordStart = edit.RecordRange.Start,
        Frames = edit.RecordRange.Duration,
        Rate = $"{index.Rate.Numerator}/{index.Rate.Denominator}",
        In = index.Label(edit.RecordRange.Start),
        Out = index.Label(edit.RecordRange.End),
        Placement = edit.Description.Replace("'the new clip'", "The new clip", StringComparison.Ordinal),
        Mechanism = mechanism,
        Before = job.Before?.Label,
        After = job.After?.Label,
        Source = job.Source?.Label,
    };

    public static PlanEvent Of(TimelineIndex index, TimelineJob job, TimelineEdit edit, Plan plan, int number, int of) =>
        Of(index, job, edit, plan.Mechanism switch
        {
            Plan.Types.Mechanism.Handles => "handles",
            Plan.Types.Mechanism.Text => "text",
            Plan.Types.Mechanism.CleanContext => "context",
            Plan.Types.Mechanism.BestEffortContext => "best_effort_context",
            Plan.Types.Mechanism.VideoContext => "video_context",
            Plan.Types.Mechanism.FirstLastFrame => "first_last_frame",
            Plan.Types.Mechanism.FirstFrame => "first_frame",
            Plan.Types.Mechanism.NoisedSource => "noised_source",
            Plan.Types.Mechanism.MaskedVideo => "masked_video",
            _ => "none",
        }, number, of) with
        {
            Model = plan.Model,
            Size = Figure(plan.Size),
            Canvas = Figure(plan.Canvas?.Size),
            CanvasRate = plan.Canvas?.Rate is { } rate ? $"{rate.Numerator}/{Math.Max(1, rate.Denominator)}" : null,
            Windows = plan.Windows.Count,
            Preset = plan.Preset,
            Sampler = plan.Solver,
            Steps = plan.Steps,
            Guidance = plan.Guidance,
            LowNoiseGuidance = plan.HasLowNoiseGuidance ? plan.LowNoiseGuidance : null,
            GuidanceUntil = plan.GuidanceUntil,
            Timesteps = plan.Timesteps.Count > 0 ? [.. plan.Timesteps] : null,
            StepCache = plan.StepCache is { } cache ? new StepCacheFigure(cache.Method == StepCache.Types.Method.TeaCache ? "teacache" : "easycache", cache.Threshold, cache.FirstSteps) : null,
            Passes = plan.Passes,
            ContextBefore = plan.ContextBeforeFrames,
            ContextAfter = plan.ContextAfterFrames,
            EstimatedSeconds = plan.EstimatedTime is { } time ? Math.Round(time.ToTimeSpan().TotalSeconds, 1) : null,
            EstimateBasis = plan.TimeBasis switch
            {
                Plan.Types.TimeBasis.Probe => "estimated from a one-second probe",
                Plan.Types.TimeBasis.Measured => "measured on earlier jobs",
                _ => null,
            },
            PeakMemoryBytes = plan.PeakMemoryBytes,
            PeakDeviceMemoryBytes = plan.PeakDeviceMemoryBytes > 0 ? plan.PeakDeviceMemoryBytes : null,
            RateConversion = plan.RateConversion is { Length: > 0 } conversion ? conversion : null,
            Seeds = [.. plan.Seeds],
            Warnings = [.. plan.Warnings.Select(warning => warning.Message)],
        };

    private static SizeFigure? Figure(PixelSize? size) => size is null ? null : new SizeFigure(size.Width, size.Height);
}
