using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>What lies beside a clip as JSON: what it is, and enough to make the same clip again.</summary>
public sealed record ClipSidecar
{
    /// <summary>The form of this record; another number is another form.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Form of the record.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Name and version of the software.</summary>
    public required string Software { get; init; }

    /// <summary>When the clip was made.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>IPTC's address of what kind of picture this is.</summary>
    public required string DigitalSourceType { get; init; }

    /// <summary>The job's id.</summary>
    public string? Job { get; init; }

    /// <summary>broll, extend, fill, still, restyle, inpaint, outpaint or loop.</summary>
    public required string Kind { get; init; }

    /// <summary>Number of the take, from 1.</summary>
    public int Take { get; init; } = 1;

    /// <summary>The prompt as the model got it.</summary>
    public required string Prompt { get; init; }

    /// <summary>The negative prompt as the model got it.</summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>The take's seed.</summary>
    public required long Seed { get; init; }

    /// <summary>The model.</summary>
    public required ModelNote Model { get; init; }

    /// <summary>How it was sampled.</summary>
    public required SamplingNote Sampling { get; init; }

    /// <summary>Threads it was computed with: another number gives other last bits.</summary>
    public int Threads { get; init; }

    /// <summary>Memory it took.</summary>
    public MemoryNote? Memory { get; init; }

    /// <summary>Picture and rate the model worked in.</summary>
    public required PictureNote Canvas { get; init; }

    /// <summary>Picture and rate of the clip.</summary>
    public required PictureNote Delivery { get; init; }

    /// <summary>Form of the clip, such as H.264.</summary>
    public string Codec { get; init; } = "";

    /// <summary>Start timecode of the clip.</summary>
    public string? Timecode { get; init; }

    /// <summary>Reel name of the clip.</summary>
    public string? Reel { get; init; }

    /// <summary>The real frames the model was given.</summary>
    public ImmutableArray<SourceNote> Sources { get; init; } = [];

    /// <summary>What was done to the colour at each seam.</summary>
    public ImmutableArray<SeamNote> Seams { get; init; } = [];

    /// <summary>Everything a user was told about this clip.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>SHA-256 of the clip.</summary>
    public string ClipSha256 { get; init; } = "";

    /// <summary>The ffmpeg that encoded it.</summary>
    public string FFmpeg { get; init; } = "";

    /// <summary>Writes the record so that it is whole or absent.</summary>
    /// <returns>Null, or why it could not be written.</returns>
    public Refusal? Write(string path)
    {
        try
        {
            AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, MediaJson.Default.ClipSidecar));
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return AtomicFile.Explain(path, error);
        }
    }

    /// <summary>Reads a record back.</summary>
    public static Outcome<ClipSidecar> Read(string path)
    {
        try
        {
            var sidecar = JsonSerializer.Deserialize(File.ReadAllBytes(path), MediaJson.Default.ClipSidecar);
            return sidecar is { Version: CurrentVersion }
                ? sidecar
                : new Refusal(MediaReasons.Unreadable, $"'{SafeInput.Shown(path)}' is not a clip's description of form {CurrentVersion}.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return new Refusal(MediaReasons.Unreadable, $"The clip's description '{SafeInput.Shown(path)}' cannot be read: {error.Message.Trim()}");
        }
    }
}

/// <summary>A model in a sidecar.</summary>
/// <param name="Name">Its name in the catalogue.</param>
/// <param name="Sha256">Hash over its weights.</param>
public sealed record ModelNote(string Name, string Sha256);

/// <summary>Memory in a sidecar, in bytes; mapped weights are not in it.</summary>
/// <param name="Peak">Most that the worker took of its own.</param>
/// <param name="Planned">What the plan had said.</param>
public sealed record MemoryNote(long Peak, long Planned)
{
    /// <summary>Most of the GPU's memory that was in use; null without one that says.</summary>
    public long? DevicePeak { get; init; }

    /// <summary>What the plan had said of the GPU's memory; null without one.</summary>
    public long? DevicePlanned { get; init; }

    /// <summary>Side in latents of the tiles that pictures were encoded and decoded in; null for whole pictures.</summary>
    public int? VaeTile { get; init; }
}

/// <summary>Sampling settings in a sidecar.</summary>
/// <param name="Sampler">Its name.</param>
/// <param name="Steps">Solver steps.</param>
/// <param name="Guidance">Guidance.</param>
/// <param name="Shift">Schedule shift.</param>
public sealed record SamplingNote(string Sampler, int Steps, double Guidance, double Shift)
{
    /// <summary>The preset: draft, standard or final.</summary>
    public string? Preset { get; init; }

    /// <summary>Guidance of the expert for low noise, for models with two.</summary>
    public double? LowNoiseGuidance { get; init; }

    /// <summary>The part of the steps, from the first, that had guidance; null for all.</summary>
    public double? GuidanceUntil { get; init; }

    /// <summary>The timesteps, before the shift, of the whole schedule; null for the sampler's own.</summary>
    public IReadOnlyList<double>? Timesteps { get; init; }

    /// <summary>First steps of the schedule that were left out; null for none.</summary>
    public int? Skipped { get; init; }

    /// <summary>What spared passes; null for nothing.</summary>
    public StepCacheNote? StepCache { get; init; }
}

/// <summary>A step cache in a sidecar.</summary>
/// <param name="Method">Its name.</param>
/// <param name="Threshold">How much relative change of the output could add up before a step was computed.</param>
/// <param name="FirstSteps">Steps at the start that were always computed.</param>
public sealed record StepCacheNote(string Method, double Threshold, int FirstSteps);

/// <summary>A size, a rate and a number of frames in a sidecar.</summary>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Rate">Frames per second, such as 24000/1001.</param>
/// <param name="Frames">Frames.</param>
public sealed record PictureNote(int Width, int Height, string Rate, int Frames);

/// <summary>Real frames in a sidecar.</summary>
/// <param name="Role">before, after or reference.</param>
/// <param name="Path">Where the source was, for people.</param>
/// <param name="Sha256">Of the source file.</param>
/// <param name="FramesSha256">Of the frames that were taken.</param>
/// <param name="Times">Their times in the source, as exact fractions of seconds.</param>
public sealed record SourceNote(string Role, string? Path, string? Sha256, string FramesSha256, ImmutableArray<string> Times)
{
    /// <summary>The note of frozen frames.</summary>
    public static SourceNote Of(string role, FrozenFramesInfo frozen)
    {
        ArgumentNullException.ThrowIfNull(frozen);
        return new SourceNote(role, frozen.SourcePath, frozen.SourceSha256, frozen.FramesSha256, frozen.Times);
    }
}

/// <summary>A colour correction in a sidecar; differences in levels of 255.</summary>
/// <param name="Side">before or after.</param>
/// <param name="Window">The window it was fitted in.</param>
/// <param name="ShiftBefore">Largest mean difference of a channel, uncorrected.</param>
/// <param name="ShiftAfter">The same, corrected.</param>
/// <param name="ErrorBefore">Mean absolute difference, uncorrected.</param>
/// <param name="ErrorAfter">The same, corrected.</param>
public sealed record SeamNote(string Side, int Window, double ShiftBefore, double ShiftAfter, double ErrorBefore, double ErrorAfter);

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FrozenFramesInfo))]
[JsonSerializable(typeof(ClipSidecar))]
internal sealed partial class MediaJson : JsonSerializerContext;
