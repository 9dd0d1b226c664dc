using System.Security.Cryptography;
using System.Text.Json;
using EditorBridge.Timeline;

namespace EditorBridge.Media;

/// <summary>
/// A job's input frames, taken out of the user's media so that the source may change or vanish: <c>name.rgb48</c> (raw frames one after the other,
/// R, G, B of 16 bits, little endian, rows from the top) and <c>name.json</c> (<see cref="FrozenFramesInfo"/>). The description is published last:
/// where it is, the frames are complete.
/// </summary>
public static class FrozenFrames
{
    /// <summary>Writes frames as they come.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="name">The input's name: letters, digits, '-' and '_'.</param>
    /// <param name="info">What is known of them; size, count and hash are filled in from the frames.</param>
    /// <param name="frames">One frame or more of one size; disposed as they are written.</param>
    /// <param name="cancellation">Stops; nothing is left behind.</param>
    /// <returns>The description as published, or why the frames could not be read or written.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static async Task<Outcome<FrozenFramesInfo>> WriteAsync(
        string folder, string name, FrozenFramesInfo info, IAsyncEnumerable<VideoFrame> frames, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(info);
        ArgumentNullException.ThrowIfNull(frames);
        var (rawPath, jsonPath) = Paths(folder, name);
        var temporary = rawPath + ".tmp";
        try
        {
            var (width, height, count) = (0, 0, 0);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous))
            {
                await foreach (var frame in frames.WithCancellation(cancellation).ConfigureAwait(false))
                {
                    using (frame)
                    {
                        if (count == 0) (width, height) = (frame.Width, frame.Height);
                        if (frame.Width != width || frame.Height != height)
                            throw new ArgumentException($"Frame {count} is {frame.Width} x {frame.Height}, the first is {width} x {height}.", nameof(frames));
                        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(frame.Memory.Span);
                        hash.AppendData(bytes);
                        stream.Write(bytes);
                        count++;
                    }
                }
            }

            if (count == 0) throw new ArgumentException("There are no frames to freeze.", nameof(frames));
            var done = info with { Width = width, Height = height, Count = count, FramesSha256 = Convert.ToHexStringLower(hash.GetHashAndReset()) };
            AtomicFile.Remove(jsonPath);
            AtomicFile.Publish(temporary, rawPath);
            AtomicFile.Write(jsonPath, JsonSerializer.SerializeToUtf8Bytes(done, MediaJson.Default.FrozenFramesInfo));
            return done;
        }
        catch (MediaException error)
        {
            return error.Refusal;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return AtomicFile.Explain(rawPath, error);
        }
        finally
        {
            AtomicFile.Remove(temporary);
        }
    }

    /// <summary>Takes frames out of a file at given times (see <see cref="FrameReader.ReadAtAsync"/>).</summary>
    /// <param name="tools">The programs to read with.</param>
    /// <param name="media">The source, as probed.</param>
    /// <param name="times">Seconds from the source's first frame, not decreasing.</param>
    /// <param name="rate">The rate in which the frames follow each other.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="name">The input's name.</param>
    /// <param name="cancellation">Ends ffmpeg; nothing is left behind.</param>
    public static async Task<Outcome<FrozenFramesInfo>> FreezeAtAsync(
        FFmpegTools tools, MediaInfo media, IReadOnlyList<MediaTime> times, FrameRate rate, string folder, string name, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(media);
        ArgumentNullException.ThrowIfNull(times);
        try
        {
            var sha256 = await HashAsync(media.Path, cancellation).ConfigureAwait(false);
            var info = Describe(media, rate, sha256) with { Times = [.. times.Select(t => t.ToString())] };
            return await WriteAsync(folder, name, info, new FrameReader(tools).ReadAtAsync(media, times, cancellation), cancellation).ConfigureAwait(false);
        }
        catch (MediaException error)
        {
            return error.Refusal;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return SafeInput.Check(media.Path) ?? new Refusal(MediaReasons.Unreadable, $"'{SafeInput.Shown(media.Path)}' cannot be read: {error.Message.Trim()}");
        }
    }

    /// <summary>Takes frames out of a file by their numbers (see <see cref="FrameReader.ReadFramesAsync"/>).</summary>
    /// <param name="tools">The programs to read with.</param>
    /// <param name="media">The source, as probed.</param>
    /// <param name="frames">Which frames, not decreasing, counted from the file's first at <paramref name="rate"/>.</param>
    /// <param name="rate">The sequence's rate; null counts the file's own frames.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="name">The input's name.</param>
    /// <param name="cancellation">Ends ffmpeg; nothing is left behind.</param>
    public static async Task<Outcome<FrozenFramesInfo>> FreezeFramesAsync(
        FFmpegTools tools, MediaInfo media, IReadOnlyList<long> frames, FrameRate? rate, string folder, string name, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(media);
        ArgumentNullException.ThrowIfNull(frames);
        try
        {
            var counted = rate ?? media.Rate;
            var sha256 = await HashAsync(media.Path, cancellation).ConfigureAwait(false);
            var info = Describe(media, counted, sha256) with { Times = [.. frames.Select(n => MediaTime.OfFrame(n, counted).ToString())] };
            return await WriteAsync(folder, name, info, new FrameReader(tools).ReadFramesAsync(media, frames, rate, cancellation), cancellation).ConfigureAwait(false);
        }
        catch (MediaException error)
        {
            return error.Refusal;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return SafeInput.Check(media.Path) ?? new Refusal(MediaReasons.Unreadable, $"'{SafeInput.Shown(media.Path)}' cannot be read: {error.Message.Trim()}");
        }
    }

    /// <summary>Takes consecutive frames out of a file (see <see cref="FrameReader.ReadAsync"/>).</summary>
    /// <inheritdoc cref="FreezeFramesAsync"/>
    public static Task<Outcome<FrozenFramesInfo>> FreezeAsync(
        FFmpegTools tools, MediaInfo media, FrameRange frames, FrameRate? rate, string folder, string name, CancellationToken cancellation = default)
    {
        var numbers = new List<long>();
        for (var n = frames.Start; n < frames.End; n++) numbers.Add(n);
        return FreezeFramesAsync(tools, media, numbers, rate, folder, name, cancellation);
    }

    /// <summary>Opens frozen frames and checks that they are complete.</summary>
    /// <param name="folder">The folder they are in.</param>
    /// <param name="name">The input's name.</param>
    /// <param name="verify">Whether the frames are read once and compared with their hash.</param>
    public static Outcome<FrozenFramesReader> Open(string folder, string name, bool verify = true)
    {
        var (rawPath, jsonPath) = Paths(folder, name);
        FrozenFramesInfo? info;
        FileStream? stream = null;
        try
        {
            using (var json = new FileStream(jsonPath, FileMode.Open, FileAccess.Read, FileShare.Read))
                info = JsonSerializer.Deserialize(json, MediaJson.Default.FrozenFramesInfo);
            if (info is null || info.Width <= 0 || info.Height <= 0 || info.Count <= 0) return Damaged(jsonPath, "it does not describe frames");
            if (info.Version != FrozenFramesInfo.CurrentVersion) return Damaged(jsonPath, $"it is of form {info.Version}, not {FrozenFramesInfo.CurrentVersion}");
            stream = new FileStream(rawPath, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            if (stream.Length != info.FrameBytes * info.Count)
                return Damaged(rawPath, $"it holds {stream.Length} bytes instead of {info.FrameBytes * info.Count}");
            if (verify)
            {
                if (Convert.ToHexStringLower(SHA256.HashData(stream)) != info.FramesSha256) return Damaged(rawPath, "its checksum is wrong");
                stream.Position = 0;
            }

            var reader = new FrozenFramesReader(info, stream);
            stream = null;
            return reader;
        }
        catch (JsonException error)
        {
            return Damaged(jsonPath, error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Damaged(rawPath, error.Message.Trim());
        }
        finally
        {
            stream?.Dispose();
        }
    }

    /// <summary>SHA-256 of a file, in small hexadecimal letters.</summary>
    public static async Task<string> HashAsync(string path, CancellationToken cancellation = default)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 20, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false));
    }

    private static FrozenFramesInfo Describe(MediaInfo media, FrameRate rate, string sha256) => new()
    {
        Width = media.Width,
        Height = media.Height,
        Count = 0,
        Rate = rate,
        SourceColour = media.Colour,
        ReadAs = media.ReadAs,
        SourcePath = media.Path,
        SourceSha256 = sha256,
        SourceBytes = media.ByteLength,
        Notes = media.Notes,
    };

    private static (string Raw, string Json) Paths(string folder, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')) throw new ArgumentException($"'{name}' is not a name of letters, digits, '-' and '_'.", nameof(name));
        return (Path.Combine(folder, name + ".rgb48"), Path.Combine(folder, name + ".json"));
    }

    private static Refusal Damaged(string path, string why) =>
        new(MediaReasons.FrozenDamaged, $"The job's input '{SafeInput.Shown(path)}' is damaged ({why.TrimEnd('.')}): submit the job again.");
}

/// <summary>Frozen frames, opened for reading in any order.</summary>
public sealed class FrozenFramesReader : IDisposable
{
    private readonly FileStream stream;

    internal FrozenFramesReader(FrozenFramesInfo info, FileStream stream)
    {
        Info = info;
        this.stream = stream;
    }

    /// <summary>What the frames are.</summary>
    public FrozenFramesInfo Info { get; }

    /// <summary>Reads one frame; it is the caller's to dispose.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such frame.</exception>
    /// <exception cref="MediaException">The file has become shorter since it was opened.</exception>
    public VideoFrame Read(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Info.Count);
        var frame = VideoFrame.Rent(Info.Width, Info.Height);
        try
        {
            var bytes = frame.Bytes;
            var at = index * Info.FrameBytes;
            for (var done = 0; done < bytes.Length;)
            {
                var read = RandomAccess.Read(stream.SafeFileHandle, bytes[done..], at + done);
                if (read == 0) throw new MediaException(new Refusal(MediaReasons.FrozenDamaged, $"The job's input '{stream.Name}' has become shorter: submit the job again."));
                done += read;
            }

            return frame;
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();
}
