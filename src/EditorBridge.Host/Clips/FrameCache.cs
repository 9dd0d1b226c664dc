using EditorBridge.Host.Jobs;
using EditorBridge.Host.Services;
using EditorBridge.Media;
using EditorBridge.Protocol.V1;
using Google.Rpc;

namespace EditorBridge.Host.Clips;

/// <summary>
/// Clips laid out as pixels, each in its job's folder, so that a plugin shows a frame without decoding anything. A file is whole or absent under its
/// name; its time is when it was last wanted. When all together pass their limit, those that were wanted longest ago go first.
/// </summary>
internal sealed class FrameCache(FFmpegLocator ffmpeg, DataFolder folder, HostOptions options, TimeProvider clock, ILogger<FrameCache> log) : IDisposable
{
    private const string Extension = ".frames";
    private const string Unfinished = ".part";

    // One clip at a time: decoding takes every core as it is, and whoever asks for the same clip finds it made.
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    /// <summary>The frames of a clip, made if they are not there.</summary>
    /// <param name="clip">The clip, "jobs/{job}/clips/{number}".</param>
    /// <param name="media">Its media file.</param>
    /// <param name="bits">Bits of each value, 8 or 16.</param>
    /// <param name="progress">Told the frames that are done.</param>
    /// <param name="cancellation">Ends the work; nothing half made stays.</param>
    /// <exception cref="Grpc.Core.RpcException">The clip is gone, or its frames do not fit.</exception>
    public async Task<FrameFile> PrepareAsync(Clip clip, string media, int bits, Func<long, Task> progress, CancellationToken cancellation)
    {
        var parts = clip.Name.Split('/');
        var path = Path.Combine(new JobLayout(folder.Job(parts[1])).Cache, $"{parts[3]}-{bits}{Extension}");
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (Find(path) is { } there) return there;
            var file = FrameFileHeader.Layout(clip.Size.Width, clip.Size.Height, bits, clip.Frames, clip.Rate);
            MakeRoom(clip, file.SizeBytes);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var unfinished = path + Unfinished;
            try
            {
                await WriteAsync(file, media, unfinished, progress, cancellation).ConfigureAwait(false);
                DurableFile.Publish(unfinished, path);
            }
            catch
            {
                File.Delete(unfinished);
                throw;
            }

            file.LocalPath = path;
            log.LogInformation("Laid out {Clip}: {Frames} frames of {Bits} bits, {Bytes} bytes", clip.Name, file.Frames, bits, file.SizeBytes);
            return file;
        }
        finally
        {
            _turn.Release();
        }
    }

    private FrameFile? Find(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
            var header = new byte[FrameFileHeader.Length];
            if (FrameFileHeader.Read(header.AsSpan(0, stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false)), stream.Length) is not { } file) return null;
            file.LocalPath = path;
            File.SetLastWriteTimeUtc(path, clock.GetUtcNow().UtcDateTime);
            return file;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private void MakeRoom(Clip clip, long bytes)
    {
        if (options.FrameCacheBytes > 0 && bytes > options.FrameCacheBytes)
        {
            throw Errors.Make(Code.ResourceExhausted, "FRAMES_TOO_LARGE",
                $"The frames of {clip.Name} take {bytes >> 20} MiB, and FrameCacheBytes allows {options.FrameCacheBytes >> 20}; raise it, ask for 8 bits, or put the clip itself on the timeline.");
        }

        var files = new DirectoryInfo(folder.Jobs).EnumerateDirectories().Select(job => new DirectoryInfo(new JobLayout(job.FullName).Cache)).Where(cache => cache.Exists)
            .SelectMany(cache => cache.EnumerateFiles()).OrderBy(file => file.LastWriteTimeUtc).ToList();
        // What a host that was killed left half made: this is the only one that makes any.
        foreach (var file in files.Where(file => file.Extension == Unfinished)) Remove(file);
        files.RemoveAll(file => file.Extension == Unfinished);
        var total = files.Sum(file => file.Length);
        foreach (var file in files)
        {
            if ((options.FrameCacheBytes == 0 || total + bytes <= options.FrameCacheBytes) && folder.FreeBytes() - options.SpareDiskBytes >= bytes) break;
            // Read before: a file that is gone has no length.
            var length = file.Length;
            if (Remove(file)) total -= length;
        }

        if (folder.FreeBytes() - options.SpareDiskBytes < bytes)
            throw Errors.Make(Code.ResourceExhausted, "DISK_FULL", $"The frames of {clip.Name} need {bytes >> 20} MiB on the disk of {folder.Root}; free some space.");
    }

    private bool Remove(FileInfo file)
    {
        try
        {
            file.Delete();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogDebug("{File} is in use and stays: {Why}", file.FullName, e.Message);
            return false;
        }
    }

    private async Task WriteAsync(FrameFile file, string media, string path, Func<long, Task> progress, CancellationToken cancellation)
    {
        var tools = await ffmpeg.FindAsync(cancellation).ConfigureAwait(false);
        if (!tools.TryGet(out var found, out var missing)) throw Errors.Precondition(missing.Reason, missing.Message);
        var probed = await new MediaProbe(found).ProbeAsync(media, cancellation).ConfigureAwait(false);
        if (!probed.TryGet(out var info, out var unreadable)) throw Errors.Make(Code.DataLoss, "CLIP_LOST", unreadable.Message);
        await using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0, FileOptions.Asynchronous);
        stream.SetLength(file.SizeBytes);
        await stream.WriteAsync(FrameFileHeader.Write(file), cancellation).ConfigureAwait(false);
        var pixels = new byte[file.FrameBytes];
        var done = 0L;
        try
        {
            await foreach (var frame in new FrameReader(found).ReadAsync(info, new Timeline.FrameRange(0, file.Frames), cancellation: cancellation).ConfigureAwait(false))
            {
                using (frame) Spread(frame.Pixels, pixels, file.Bits);
                await stream.WriteAsync(pixels, cancellation).ConfigureAwait(false);
                await progress(++done).ConfigureAwait(false);
            }
        }
        catch (MediaException e)
        {
            throw Errors.Make(Code.DataLoss, "CLIP_LOST", e.Refusal.Message);
        }
    }

    // Three values become four, the last of them opaque.
    private static void Spread(ReadOnlySpan<ushort> rgb, Span<byte> target, int bits)
    {
        if (bits == 8)
        {
            for (int i = 0, p = 0; i < rgb.Length; i += 3, p += 4)
            {
                target[p] = Narrow(rgb[i]);
                target[p + 1] = Narrow(rgb[i + 1]);
                target[p + 2] = Narrow(rgb[i + 2]);
                target[p + 3] = byte.MaxValue;
            }

            return;
        }

        var wide = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(target);
        for (int i = 0, p = 0; i < rgb.Length; i += 3, p += 4)
        {
            rgb.Slice(i, 3).CopyTo(wide[p..]);
            wide[p + 3] = ushort.MaxValue;
        }
    }

    // To the nearest of 256, where 65535 is 255.
    private static byte Narrow(ushort value) => (byte)((value + 128) / 257);
}
