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

    public static NewClip Make(TimelineIndex index, Prepared one, FetchedClip file, OutputPaths target, string? nameInBundle)
    {
        var frames = one.Place.RecordRange.Duration;
        var start = 0L;
        if (one.Spec!.Delivery.StartTimecode is { Length: > 0 } label && Timecode.Parse(label, index.Rate).TryGet(out var timecode, out _)) start = timecode.Frame;
        var range = new MediaRange(index.Rate, start, frames);
        return new NewClip
        {
            Name = Path.GetFileNameWithoutExtension(file.Path),
            MediaUrl = nameInBundle ?? Url(index, file.Path, target),
            AvailableRange = range,
            SourceRange = range,
            Reel = one.Spec.Delivery.ReelName,
            MetadataJson = Metadata(one, file),
        };
    }

    // As the document does it: relative paths beside relative paths, else a file URL.
    private static string Url(TimelineIndex index, string path, OutputPaths target)
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
