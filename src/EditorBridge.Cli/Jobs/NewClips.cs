using System.Globalization;
using System.Text;
using System.Text.Json;
using EditorBridge.Timeline;
using EditorBridge.Timeline.Edits;

namespace EditorBridge.Cli.Jobs;

/// <summary>Describes a fetched clip for the timeline.</summary>
internal static class NewClips
{
    // IPTC digital source types: made by a model alone, or continuing what a camera saw.
    private const string Generated = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

    /// <summary>The first take as a clip, with the others as media it can show instead.</summary>
    /// <param name="index">The timeline.</param>
    /// <param name="one">What was asked for.</param>
    /// <param name="takes">The takes that were fetched; at least one.</param>
    /// <param name="locate">Where a file is, as the new document shall spell it.</param>
    public static NewClip Make(TimelineIndex index, Prepared one, IReadOnlyList<FetchedClip> takes, Func<string, string> locate)
    {
        var frames = one.Place.RecordRange.Duration;
        var start = 0L;
        if (one.Spec!.Delivery.StartTimecode is { Length: > 0 } label && Timecode.Parse(label, index.Rate).TryGet(out var timecode, out _)) start = timecode.Frame;
        var range = new MediaRange(index.Rate, start, frames);
        return new NewClip
        {
            Name = Path.GetFileNameWithoutExtension(takes[0].Path),
            MediaUrl = locate(takes[0].Path),
            AvailableRange = range,
            SourceRange = range,
            Reel = one.Spec.Delivery.ReelName,
            MetadataJson = Metadata(one, takes[0]),
            OtherMedia = [.. takes.Skip(1).Select(take => new OtherMedium(
                string.Create(CultureInfo.InvariantCulture, $"TAKE_{take.Take + 1}"), Path.GetFileNameWithoutExtension(take.Path), locate(take.Path), Metadata(one, take)))],
        };
    }

    /// <summary>Where a file is, as the document spells it: relative paths beside relative paths, else a file URL.</summary>
    public static string Url(TimelineIndex index, string path, OutputPaths target)
    {
        var urls = index.Tracks.SelectMany(track => track.Items).Select(item => item.Media?.Url).Where(url => url is { Length: > 0 }).ToList();
        var relative = urls.Count > 0 && urls.TrueForAll(url => !url!.Contains(':', StringComparison.Ordinal) && !Path.IsPathRooted(url));
        var beside = Path.GetRelativePath(Path.GetDirectoryName(target.Timeline)!, path);
        return relative && !Path.IsPathRooted(beside) && !beside.StartsWith("..", StringComparison.Ordinal)
            ? beside.Replace('\\', '/')
            : MediaPath.ToUrl(path);
    }

    private static string Metadata(Prepared one, FetchedClip file)
    {
        var job = one.Job!;
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("editorbridge");
            writer.WriteString("kind", PlanEvents.Word(one.Place));
            writer.WriteString("prompt", job.Spec.Prompt);
            if (job.Spec.NegativePrompt.Length > 0) writer.WriteString("negative_prompt", job.Spec.NegativePrompt);
            writer.WriteNumber("seed", file.Seed);
            writer.WriteNumber("take", file.Take);
            writer.WriteString("model", job.Plan is { Model.Length: > 0 } plan ? plan.Model : job.Spec.Model);
            if (job.Plan is { ModelHash.Length: > 0 } hashed) writer.WriteString("model_hash", hashed.ModelHash);
            writer.WriteString("job", job.Name);
            writer.WriteString("digital_source_type", Generated);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
