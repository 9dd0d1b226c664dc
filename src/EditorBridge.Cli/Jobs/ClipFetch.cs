using EditorBridge.Cli.Reports;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;
using FrameRate = EditorBridge.Timeline.FrameRate;

namespace EditorBridge.Cli.Jobs;

/// <summary>A clip that was brought here and checked.</summary>
internal sealed record FetchedClip(string Path, string? Sidecar, int Take, long Seed, MediaInfo Info);

/// <summary>Brings the clips of a finished job beside the timeline, and checks that they are what was asked for.</summary>
internal static class ClipFetch
{
    /// <summary>Fetches every take.</summary>
    /// <param name="client">The host.</param>
    /// <param name="job">The finished job.</param>
    /// <param name="place">What was asked for.</param>
    /// <param name="folder">Where clips go.</param>
    /// <param name="made">Every file made is added here, so that a later failure can take them away again.</param>
    /// <param name="report">Told each clip.</param>
    /// <param name="cancellation">Ends the transfer.</param>
    public static async Task<IReadOnlyList<FetchedClip>> FetchAsync(
        EditorBridgeClient client, Job job, TimelineJob place, string folder, List<string> made, IReport report, CancellationToken cancellation)
    {
        var clips = new List<FetchedClip>();
        foreach (var take in job.Takes.OrderBy(take => take.Index))
        {
            var path = FreeName(folder, take.Clip.FileName);
            made.Add(path);
            var file = await client.FetchAsync(take.Clip, path, cancellation: cancellation).ConfigureAwait(false);
            string? sidecar = null;
            if (take.Clip.Files.Any(part => part.Part == ClipFile.Types.Part.Sidecar))
            {
                sidecar = path + ".json";
                made.Add(sidecar);
                await client.FetchAsync(take.Clip, sidecar, ClipFile.Types.Part.Sidecar, overwrite: true, cancellation: cancellation).ConfigureAwait(false);
            }

            var info = await ProbeAsync(client, take.Clip, path, cancellation).ConfigureAwait(false);
            Check(path, info, job.Spec, place);
            clips.Add(new FetchedClip(path, sidecar, take.Index, take.Seed, info));
            var rate = ClipMedia.ToRate(info.Rate);
            report.Say(new ClipEvent(job.Name, path, take.Index, take.Seed, info.Frames, $"{rate.Numerator}/{rate.Denominator}",
                info.Size.Width, info.Size.Height, Convert.ToHexStringLower(file.Sha256.Span)));
        }

        return clips.Count > 0 ? clips : throw new Refused("CLIP_MISSING", $"{job.Name} ended without a clip: see `editorbridge jobs show {job.Name}`.");
    }

    private static async Task<MediaInfo> ProbeAsync(EditorBridgeClient client, Clip clip, string path, CancellationToken cancellation)
    {
        try
        {
            return await client.ProbeMediaAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (EditorBridgeException error) when (HostMedia.IsHiddenFromHost(error, path))
        {
            // The host has counted the very bytes that came, and the fetch has compared their SHA-256.
            return new MediaInfo { Size = clip.Size, Rate = clip.Rate, Frames = clip.Frames };
        }
    }

    private static void Check(string path, MediaInfo info, JobSpec spec, TimelineJob place)
    {
        var size = spec.Delivery.Size;
        if (info.Size.Width != size.Width || info.Size.Height != size.Height)
            throw new Refused("CLIP_WRONG", $"{path} is {info.Size.Width}x{info.Size.Height} instead of {size.Width}x{size.Height}: this is a defect, please report it.");
        FrameRate wanted = ClipMedia.ToRate(spec.Delivery.Rate), rate = ClipMedia.ToRate(info.Rate);
        if (info.Frames != place.RecordRange.Duration || rate != wanted)
        {
            throw new Refused("CLIP_WRONG",
                $"{path} has {info.Frames} frames at {rate} instead of {place.RecordRange.Duration} at {wanted}: this is a defect, please report it.");
        }
    }

    private static string FreeName(string folder, string fileName)
    {
        // The host suggests a name; it is never taken as a path.
        var name = Path.GetFileName(fileName);
        if (name.Length == 0 || name.StartsWith('.')) name = "clip-" + name.TrimStart('.');
        var path = Path.Combine(folder, name);
        for (var i = 2; File.Exists(path); i++)
            path = Path.Combine(folder, $"{Path.GetFileNameWithoutExtension(name)}-{i}{Path.GetExtension(name)}");
        return path;
    }
}
