using EditorBridge.Timeline;

namespace EditorBridge.Cli.Jobs;

/// <summary>Reads timeline documents from disk.</summary>
internal static class TimelineFile
{
    public static TimelineDocument Read(string path, FrameRate? rate)
    {
        if (Directory.Exists(path)) throw new Refused("TIMELINE_UNREADABLE", $"{path} is a folder: give the timeline file in it.");
        if (!File.Exists(path)) throw new Refused("TIMELINE_MISSING", $"The timeline {path} does not exist.");
        if (Path.GetExtension(path).ToLowerInvariant() is ".otioz" or ".otiod")
            throw new Refused("TIMELINE_UNREADABLE", $"{path} is a bundle: export a plain .otio file.");
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new Refused("TIMELINE_UNREADABLE", $"The timeline {path} cannot be read: {error.Message}");
        }

        return TimelineDocument.Open(bytes, rate).TryGet(out var document, out var refusal)
            ? document
            : throw new Refused(refusal.Reason, $"{path}: {refusal.Message}");
    }
}
