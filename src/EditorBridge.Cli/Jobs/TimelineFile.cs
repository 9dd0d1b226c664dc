using EditorBridge.Timeline;
using EditorBridge.Timeline.Bundles;

namespace EditorBridge.Cli.Jobs;

/// <summary>A timeline document read from disk, by itself or in a bundle.</summary>
/// <param name="Document">The document.</param>
/// <param name="Folder">The folder that its relative names of media count from.</param>
/// <param name="Bundle">The bundle it is in, if any.</param>
internal sealed record TimelineFile(TimelineDocument Document, string Folder, TimelineBundle? Bundle) : IDisposable
{
    /// <summary>Reads a timeline.</summary>
    /// <exception cref="Refused">It is not there, or not one that can be read.</exception>
    public static TimelineFile Open(string path, FrameRate? rate)
    {
        if (!File.Exists(path) && !Directory.Exists(path)) throw new Refused("TIMELINE_MISSING", $"The timeline {path} does not exist.");
        if (TimelineBundle.IsBundle(path))
        {
            var bundle = TimelineBundle.Open(path).OrRefuse();
            try
            {
                return new TimelineFile(Read(path, bundle.Document.Span, rate), bundle.Folder, bundle);
            }
            catch (Refused)
            {
                bundle.Dispose();
                throw;
            }
        }

        if (Directory.Exists(path)) throw new Refused("TIMELINE_UNREADABLE", $"{path} is a folder: give the timeline file in it.");
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new Refused("TIMELINE_UNREADABLE", $"The timeline {path} cannot be read: {error.Message}");
        }

        return new TimelineFile(Read(path, bytes, rate), Path.GetDirectoryName(path)!, null);
    }

    /// <summary>Makes the media of clips files that can be read, where they lie in a zip bundle.</summary>
    public void Unpack(IEnumerable<TrackItem> clips)
    {
        foreach (var url in clips.Select(clip => clip.Media?.Url).OfType<string>().Distinct())
        {
            if (Bundle?.Unpack(url) is { } refusal) throw new Refused(refusal.Reason, refusal.Message);
        }
    }

    public void Dispose() => Bundle?.Dispose();

    private static TimelineDocument Read(string path, ReadOnlySpan<byte> bytes, FrameRate? rate) =>
        TimelineDocument.Open(bytes, rate).TryGet(out var document, out var refusal) ? document : throw new Refused(refusal.Reason, $"{path}: {refusal.Message}");
}
