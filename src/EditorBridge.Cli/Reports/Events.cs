using System.Text.Json.Serialization;

namespace EditorBridge.Cli.Reports;

/// <summary>One line of --json output. json-lines.md describes them all.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(PlanEvent), "plan")]
[JsonDerivedType(typeof(StateEvent), "state")]
[JsonDerivedType(typeof(ProgressEvent), "progress")]
[JsonDerivedType(typeof(ClipEvent), "clip")]
[JsonDerivedType(typeof(DoneEvent), "done")]
[JsonDerivedType(typeof(ErrorEvent), "error")]
[JsonDerivedType(typeof(NoticeEvent), "notice")]
[JsonDerivedType(typeof(TimelineEvent), "timeline")]
[JsonDerivedType(typeof(MediaEvent), "media")]
[JsonDerivedType(typeof(ModelEvent), "model")]
[JsonDerivedType(typeof(CatalogueEvent), "catalogue")]
[JsonDerivedType(typeof(InspectionEvent), "inspection")]
[JsonDerivedType(typeof(TransferEvent), "transfer")]
[JsonDerivedType(typeof(VerificationEvent), "verification")]
[JsonDerivedType(typeof(RemovedEvent), "removed")]
[JsonDerivedType(typeof(FindingEvent), "finding")]
[JsonDerivedType(typeof(PluginEvent), "plugin")]
[JsonDerivedType(typeof(PluginFileEvent), "plugin_file")]
internal abstract record CliEvent;

internal sealed record SizeFigure(int Width, int Height);

internal sealed record StepCacheFigure(string Method, double Threshold, int FirstSteps);

internal sealed record PlanEvent : CliEvent
{
    public required int Index { get; init; }
    public required int Of { get; init; }
    public required string Kind { get; init; }
    public required int Track { get; init; }
    public required bool AddsTrack { get; init; }
    public required long RecordStart { get; init; }
    public required long Frames { get; init; }
    public required string Rate { get; init; }
    public required string In { get; init; }
    public required string Out { get; init; }
    public required string Placement { get; init; }
    public required string Mechanism { get; init; }
    public string? Before { get; init; }
    public string? After { get; init; }
    public string? Source { get; init; }
    public string? Model { get; init; }
    public SizeFigure? Size { get; init; }
    public SizeFigure? Canvas { get; init; }
    public string? CanvasRate { get; init; }
    public int? Windows { get; init; }
    public string? Preset { get; init; }
    public string? Sampler { get; init; }
    public int? Steps { get; init; }
    public double? Guidance { get; init; }
    public double? LowNoiseGuidance { get; init; }
    public double? GuidanceUntil { get; init; }
    public IReadOnlyList<double>? Timesteps { get; init; }
    public StepCacheFigure? StepCache { get; init; }
    public int? Passes { get; init; }
    public int? ContextBefore { get; init; }
    public int? ContextAfter { get; init; }
    public double? EstimatedSeconds { get; init; }
    public string? EstimateBasis { get; init; }
    public long? PeakMemoryBytes { get; init; }
    public long? PeakDeviceMemoryBytes { get; init; }
    public string? RateConversion { get; init; }
    public IReadOnlyList<long> Seeds { get; init; } = [];
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

internal sealed record StateEvent(string Job, string State) : CliEvent
{
    public int Index { get; init; }
    public string? Kind { get; init; }
    public string? Prompt { get; init; }
    public long? Frames { get; init; }
    public int? Attempt { get; init; }
    public string? Created { get; init; }
    public string? Message { get; init; }
    public IReadOnlyList<string>? Clips { get; init; }
}

internal sealed record ProgressEvent(string Job, string Stage, int Step, int Of) : CliEvent
{
    public int Index { get; init; }
    public int Take { get; init; }
    public int Window { get; init; }
    public int Windows { get; init; }
    public double Fraction { get; init; }
    public double? SecondsLeft { get; init; }
    public bool? Estimate { get; init; }
    public string? Message { get; init; }
}

internal sealed record ClipEvent(string Job, string Path, int Take, long Seed, long Frames, string Rate, int Width, int Height, string Sha256) : CliEvent;

internal sealed record PlacedClip
{
    public required string Kind { get; init; }
    public string? Name { get; init; }
    public string? Path { get; init; }
    public required int Track { get; init; }
    public required long RecordStart { get; init; }
    public required long Frames { get; init; }
    public required string Rate { get; init; }
    public string? In { get; init; }
    public string? Job { get; init; }
    public long? Seed { get; init; }
    public string? Sidecar { get; init; }
    public IReadOnlyList<string>? OtherTakes { get; init; }
}

internal sealed record DoneEvent(string? Timeline, IReadOnlyList<PlacedClip> Clips) : CliEvent;

internal sealed record ErrorEvent(string Reason, string Message) : CliEvent
{
    public string? Field { get; init; }
    public string? Path { get; init; }
}

internal sealed record NoticeEvent(string Message) : CliEvent;

internal sealed record ItemFigure(string Kind, string Name, long RecordStart, long Frames, string In, bool Enabled)
{
    public string? Media { get; init; }
    public string? SourceRate { get; init; }
    public long? SourceStart { get; init; }
    public long? HeadHandle { get; init; }
    public long? TailHandle { get; init; }
    public IReadOnlyList<string>? Effects { get; init; }
}

internal sealed record GapFigure(int Number, long RecordStart, long Frames, string In, string? Before, string? After);

internal sealed record TrackFigure(string Kind, int Number, string Name, long Frames, IReadOnlyList<ItemFigure> Items, IReadOnlyList<GapFigure> Gaps)
{
    public string? Problem { get; init; }
}

internal sealed record TimelineEvent(string Name, string Rate, long StartFrame, string Start, long Frames, IReadOnlyList<TrackFigure> Tracks) : CliEvent;

internal sealed record ColorFigure
{
    public string? Primaries { get; init; }
    public string? Transfer { get; init; }
    public string? Matrix { get; init; }
    public string? Range { get; init; }
}

internal sealed record MediaEvent(string Path, SizeFigure Size, string Rate, long Frames, bool Still, bool VariableRate, bool Interlaced) : CliEvent
{
    public string? Duration { get; init; }
    public string? StartTimecode { get; init; }
    public string? Reel { get; init; }
    public required ColorFigure Color { get; init; }
    public IReadOnlyList<string> Notes { get; init; } = [];
}

internal sealed record ModelEvent(string Name, string Title, string Family, bool Ready, bool Default, long SizeBytes, long Parameters) : CliEvent
{
    public string? Problem { get; init; }
    public IReadOnlyList<string> Kinds { get; init; } = [];
    public string? Path { get; init; }
    public string? License { get; init; }
    public string? Repository { get; init; }
}

internal sealed record CatalogueEvent(string Name, string Title, string Repository, string License, bool Supported, bool Installed) : CliEvent;

internal sealed record NetworkFigure(string Kind, string Title, string Path, int Tensors, long Parameters, long SizeBytes, IReadOnlyList<string> Types)
{
    public string? Problem { get; init; }
}

internal sealed record InspectionEvent(string Path, string Name, bool Ready, IReadOnlyList<NetworkFigure> Networks) : CliEvent
{
    public string? Variant { get; init; }
    public string? Layout { get; init; }
    public string? Problem { get; init; }
}

internal sealed record TransferEvent(string Name, string Stage, long Bytes, long TotalBytes, double Fraction) : CliEvent
{
    public string? File { get; init; }
    public double? BytesPerSecond { get; init; }
    public double? SecondsLeft { get; init; }
}

internal sealed record VerificationEvent(string Name, int HashedFiles, IReadOnlyList<string> Problems) : CliEvent;

internal sealed record RemovedEvent(string Name, string Path, bool FilesDeleted) : CliEvent;

internal sealed record FindingEvent(string Subject, string Severity, string Message) : CliEvent
{
    public string? Remedy { get; init; }
}

internal sealed record PluginTargetFigure(string Editor, string Folder);

internal sealed record PluginEvent(string Name, string Title, IReadOnlyList<PluginTargetFigure> Targets, bool Installed) : CliEvent;

internal sealed record PluginFileEvent(string Plugin, string Path, string Action, bool DryRun) : CliEvent
{
    public string? Message { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CliEvent))]
internal sealed partial class EventJson : JsonSerializerContext;
