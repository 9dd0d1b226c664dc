using EditorBridge.Host.Jobs;
using EditorBridge.Protocol.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace EditorBridge.Host.Services;

internal sealed partial class JobServiceEndpoint
{
    private const int ChunkLength = 1 << 17;

    // An event that was lost costs a watcher this much and no more.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public override async Task WatchJob(WatchJobRequest request, IServerStreamWriter<JobEvent> responseStream, ServerCallContext context)
    {
        // A host that stops ends its streams; clients come back to the next one.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        var job = Find(request.Name);
        if (job.IsFinal)
        {
            await responseStream.WriteAsync(Snapshot(job, events.Peek(job)), end.Token).ConfigureAwait(false);
            return;
        }

        using var watcher = events.Watch(job.Id);
        // Read after the watch began: what happens from here on is in one or the other.
        job = Find(request.Name);
        var seen = watcher.Since;
        if (request.AfterSequence < seen || job.IsFinal)
            await responseStream.WriteAsync(Snapshot(job, seen), end.Token).ConfigureAwait(false);
        if (job.IsFinal) return;
        try
        {
            while (true)
            {
                var all = await watcher.NextAsync(Look, end.Token).ConfigureAwait(false);
                if (all.Count == 0 && (job = Find(request.Name)).IsFinal)
                {
                    await responseStream.WriteAsync(Snapshot(job, events.Peek(job)), end.Token).ConfigureAwait(false);
                    return;
                }

                foreach (var happened in all)
                {
                    if (happened.Preview is not null && !request.Previews) continue;
                    await responseStream.WriteAsync(happened, end.Token).ConfigureAwait(false);
                    if (happened.Job is { State: Job.Types.State.Succeeded or Job.Types.State.Failed or Job.Types.State.Cancelled }) return;
                }
            }
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw Errors.Make(Code.Unavailable, "HOST_STOPPING", "The host stops; the job goes on at its next start.");
        }
    }

    /// <inheritdoc/>
    public override async Task DownloadClip(DownloadClipRequest request, IServerStreamWriter<DownloadClipResponse> responseStream, ServerCallContext context)
    {
        var clip = FindClip(request.Name);
        var part = request.Part == ClipFile.Types.Part.Unspecified ? ClipFile.Types.Part.Media : request.Part;
        var file = clip.Files.FirstOrDefault(f => f.Part == part)
            ?? throw Errors.Make(Code.NotFound, "CLIP_PART_NOT_FOUND", $"{request.Name} has no {part}.", new() { ["name"] = request.Name, ["part"] = part.ToString() });
        if (request.ReadLimit < 0) throw Errors.Invalid("read_limit", "INVALID_ARGUMENT", "The read limit is negative.");
        if (request.ReadOffset < 0 || request.ReadOffset > file.SizeBytes)
        {
            throw Errors.Make(Code.OutOfRange, "OFFSET_OUT_OF_RANGE", $"{request.Name} has {file.SizeBytes} bytes; {request.ReadOffset} lies outside.",
                new() { ["size_bytes"] = file.SizeBytes.ToString(System.Globalization.CultureInfo.InvariantCulture) });
        }

        var path = PathOf(clip, file);
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 0, useAsync: true);
        }
        catch (IOException e)
        {
            log.LogError(e, "{Clip} has lost its file {Path}", clip.Name, path);
            throw Errors.Make(Code.DataLoss, "CLIP_LOST", $"The file of {request.Name} is no longer there; run the job again.", new() { ["name"] = request.Name });
        }

        await using (stream)
        {
            stream.Position = request.ReadOffset;
            var left = file.SizeBytes - request.ReadOffset;
            if (request.ReadLimit > 0) left = Math.Min(left, request.ReadLimit);
            await responseStream.WriteAsync(new DownloadClipResponse { File = file, Offset = request.ReadOffset }, context.CancellationToken).ConfigureAwait(false);
            while (left > 0)
            {
                // A new buffer for each message: the one before may still be on its way.
                var buffer = new byte[Math.Min(ChunkLength, left)];
                var offset = stream.Position;
                await stream.ReadExactlyAsync(buffer, context.CancellationToken).ConfigureAwait(false);
                await responseStream.WriteAsync(new DownloadClipResponse { Data = ChecksummedData.Wrap(buffer), Offset = offset }, context.CancellationToken)
                    .ConfigureAwait(false);
                left -= buffer.Length;
            }
        }
    }

    /// <inheritdoc/>
    public override async Task PrepareFrames(PrepareFramesRequest request, IServerStreamWriter<PrepareFramesResponse> responseStream, ServerCallContext context)
    {
        var clip = FindClip(request.Name);
        var bits = request.Bits == 0 ? 8 : request.Bits;
        if (bits is not (8 or 16)) throw Errors.Invalid("bits", "INVALID_ARGUMENT", $"Frames have 8 or 16 bits, not {bits}.");
        var media = clip.Files.First(f => f.Part == ClipFile.Types.Part.Media);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        Task Report(long done) => responseStream.WriteAsync(new PrepareFramesResponse { FramesDone = done, Frames = clip.Frames }, end.Token);
        try
        {
            var file = await frames.PrepareAsync(clip, PathOf(clip, media), bits, Report, end.Token).ConfigureAwait(false);
            await responseStream.WriteAsync(new PrepareFramesResponse { FramesDone = file.Frames, Frames = file.Frames, File = file }, end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw Errors.Make(Code.Unavailable, "HOST_STOPPING", "The host stops; ask for the frames again at its next start.");
        }
    }

    private Clip FindClip(string name) =>
        (name.Split('/') is ["jobs", var id, "clips", _] ? store.Get(id)?.Clips.Values.FirstOrDefault(c => c.Name == name) : null) ?? throw Errors.NotFound("clip", name);

    // The path is built from ids, not taken from the message: the folder may have moved since.
    private string PathOf(Clip clip, ClipFile file)
    {
        var parts = clip.Name.Split('/');
        return Path.Combine(new JobLayout(folder.Job(parts[1])).Clip(int.Parse(parts[3], System.Globalization.CultureInfo.InvariantCulture)), file.FileName);
    }

    private JobEvent Snapshot(StoredJob job, long sequence) =>
        new() { Sequence = sequence, EventTime = Timestamp.FromDateTimeOffset(clock.GetUtcNow()), Job = job.ToJob(sequence) };
}
