using System.Security.Cryptography;
using EditorBridge.Host.Jobs;
using EditorBridge.Media;
using EditorBridge.Planning;
using EditorBridge.Protocol.V1;
using EditorBridge.Protocol.Worker.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ClipFile = EditorBridge.Protocol.V1.ClipFile;
using MediaInfo = EditorBridge.Media.MediaInfo;

namespace EditorBridge.Host.Clips;

/// <summary>
/// Checks what a worker made and puts it in its place. The description of a clip is published last: where it is, the clip is complete and was
/// checked; where it is not, there is no clip.
/// </summary>
internal sealed class ClipPublisher(FFmpegLocator ffmpeg, TimeProvider clock, ILogger<ClipPublisher> log)
{
    private const string Description = "clip.pb";

    /// <summary>The clip of a take that was published before; null when there is none.</summary>
    public static Clip? Published(JobLayout layout, int number)
    {
        var path = Path.Combine(layout.Clip(number), Description);
        return File.Exists(path) ? Clip.Parser.ParseFrom(File.ReadAllBytes(path)) : null;
    }

    /// <summary>Checks and publishes the files of a take.</summary>
    /// <param name="job">Id of the job.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="layout">Its folder.</param>
    /// <param name="take">The take.</param>
    /// <param name="made">What the worker says it made.</param>
    /// <param name="cancellation">Ends the checks.</param>
    /// <exception cref="JobFailure">The clip is not what was asked for.</exception>
    public async Task<Clip> PublishAsync(
        string job, Planning.Plan plan, JobLayout layout, TakePlan take, TakeFinished made, CancellationToken cancellation)
    {
        var from = layout.Take(take.Number);
        var media = await CheckAsync(Inside(from, made.Clip), plan, cancellation).ConfigureAwait(false);
        var to = layout.Clip(take.Number);
        Directory.CreateDirectory(to);
        var stem = $"{plan.Request.Kind.ToString().ToLowerInvariant()}-{job}-{take.Number}";
        var clip = new Clip
        {
            Name = $"jobs/{job}/clips/{take.Number}",
            FileName = stem + Path.GetExtension(made.Clip),
            ContentType = ContentType(made.Clip),
            Size = new PixelSize { Width = media.Width, Height = media.Height },
            Rate = new FrameRate { Numerator = media.Rate.Numerator, Denominator = media.Rate.Denominator },
            Frames = media.FrameCount,
            Seed = take.Seed,
            CreateTime = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
        };
        (ClipFile.Types.Part Part, string Name, string Suffix)[] files =
        [
            (ClipFile.Types.Part.Sidecar, made.Sidecar, ".json"),
            (ClipFile.Types.Part.ContactSheet, made.ContactSheet, Path.GetExtension(made.ContactSheet)),
            (ClipFile.Types.Part.Media, made.Clip, Path.GetExtension(made.Clip)),
        ];
        foreach (var (part, name, suffix) in files)
        {
            if (name.Length == 0) continue;
            clip.Files.Add(await PlaceAsync(Inside(from, name), Path.Combine(to, stem + suffix), part, cancellation).ConfigureAwait(false));
        }

        var temporary = Path.Combine(to, Description + ".tmp");
        await File.WriteAllBytesAsync(temporary, clip.ToByteArray(), cancellation).ConfigureAwait(false);
        DurableFile.Publish(temporary, Path.Combine(to, Description));
        log.LogInformation("Published {Clip}: {Frames} frames", clip.Name, clip.Frames);
        return clip;
    }

    private async Task<MediaInfo> CheckAsync(string path, Planning.Plan plan, CancellationToken cancellation)
    {
        var tools = await ffmpeg.FindAsync(cancellation).ConfigureAwait(false);
        if (!tools.TryGet(out var found, out var missing)) throw new JobFailure(missing.Reason, missing.Message);
        var probed = await new MediaProbe(found).ProbeAsync(path, cancellation).ConfigureAwait(false);
        if (!probed.TryGet(out var media, out var unreadable)) throw new JobFailure(unreadable.Reason, unreadable.Message, mayRetry: true);
        var wanted = plan.Request.Delivery;
        if (media.FrameCount != wanted.Frames || media.Rate != wanted.Rate || (media.Width, media.Height) != (wanted.Width, wanted.Height))
        {
            throw new JobFailure("CLIP_WRONG",
                $"The clip came out with {media.FrameCount} frames of {media.Width}x{media.Height} at {media.Rate} instead of {wanted.Frames} of "
                + $"{wanted.Width}x{wanted.Height} at {wanted.Rate}; nothing was published.", mayRetry: true);
        }

        return media;
    }

    private static async Task<ClipFile> PlaceAsync(string from, string to, ClipFile.Types.Part part, CancellationToken cancellation)
    {
        byte[] hash;
        long length;
        await using (var stream = File.OpenRead(from))
        {
            hash = await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false);
            length = stream.Length;
        }

        DurableFile.Publish(from, to);
        return new ClipFile
        {
            Part = part, FileName = Path.GetFileName(to), SizeBytes = length, Sha256 = UnsafeByteOperations.UnsafeWrap(hash), LocalPath = to,
        };
    }

    // The name comes from another process: it stays a name.
    private static string Inside(string folder, string name) =>
        name.Length > 0 && name == Path.GetFileName(name) && name is not ("." or "..")
            ? Path.Combine(folder, name)
            : throw new JobFailure("PIPELINE_FAILED", $"The worker named '{name}', which is no file of the take.");

    private static string ContentType(string name) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".mp4" => "video/mp4",
        ".mov" => "video/quicktime",
        ".mxf" => "application/mxf",
        ".png" => "image/png",
        _ => "application/octet-stream",
    };
}
