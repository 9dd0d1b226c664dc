using System.Security.Cryptography;
using EditorBridge.Protocol.V1;
using Grpc.Core;

namespace EditorBridge.Client;

public sealed partial class EditorBridgeClient
{
    /// <summary>
    /// Brings one file of a clip to <paramref name="destination"/>. It is written under another name beside it, checked, and only then
    /// given its name: whoever looks sees the whole file or none. A broken connection goes on where it broke off.
    /// </summary>
    /// <param name="clip">The clip, from a take of a job.</param>
    /// <param name="destination">The file to make; its folder is made when there is none.</param>
    /// <param name="part">Which of the clip's files.</param>
    /// <param name="overwrite">Whether an existing file may be replaced.</param>
    /// <param name="progress">Told how many bytes are there, of how many.</param>
    /// <param name="cancellation">Ends the transfer and removes what is there of it.</param>
    /// <exception cref="EditorBridgeException">The host refuses, the bytes are damaged (CLIP_DAMAGED), or the file cannot be written
    /// (CANNOT_WRITE).</exception>
    public async Task<ClipFile> FetchAsync(
        Clip clip, string destination, ClipFile.Types.Part part = ClipFile.Types.Part.Media, bool overwrite = false,
        Action<long, long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(clip);
        var final = Path.GetFullPath(destination);
        if (!overwrite && File.Exists(final))
            throw new EditorBridgeException("CANNOT_WRITE", $"{final} exists already; name another file or remove it.");
        var folder = Path.GetDirectoryName(final)!;
        var partial = Path.Combine(folder, $".{Path.GetFileName(final)}.{Guid.NewGuid():N}.part");
        try
        {
            Directory.CreateDirectory(folder);
            var file = await TransferAsync(clip.Name, part, partial, progress, cancellation).ConfigureAwait(false);
            File.Move(partial, final, overwrite);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EditorBridgeException("CANNOT_WRITE", $"{final} cannot be written: {e.Message}", e);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private async Task<ClipFile> TransferAsync(
        string name, ClipFile.Types.Part part, string path, Action<long, long>? progress, CancellationToken cancellation)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, useAsync: true);
        ClipFile? file = null;
        var tries = 0;
        while (file is null || stream.Position < file.SizeBytes)
        {
            var connection = _connection;
            var request = new DownloadClipRequest { Name = name, Part = part, ReadOffset = stream.Position };
            try
            {
                using var call = connection.Jobs.DownloadClip(request, cancellationToken: cancellation);
                while (await call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false))
                {
                    var message = call.ResponseStream.Current;
                    if (message.File is not null) file = SameFile(name, file, message.File);
                    if (message.Data is not { Content.Length: > 0 } data) continue;
                    if (message.Offset != stream.Position || !data.IsIntact)
                        throw new RpcException(new Status(StatusCode.Unavailable, $"A piece of {name} arrived damaged."));
                    await stream.WriteAsync(data.Content.Memory, cancellation).ConfigureAwait(false);
                    sha.AppendData(data.Content.Span);
                    tries = 0;
                    progress?.Invoke(stream.Position, file?.SizeBytes ?? 0);
                }

                if (file is not null && stream.Position == 0 && file.SizeBytes == 0) break;
                if (file is null || stream.Position < file.SizeBytes)
                    throw new RpcException(new Status(StatusCode.Unavailable, $"The transfer of {name} ended early."));
            }
            catch (RpcException) when (cancellation.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancellation);
            }
            catch (RpcException e)
            {
                await RecoverAsync(connection, e, ++tries, cancellation).ConfigureAwait(false);
            }
        }

        if (!sha.GetHashAndReset().AsSpan().SequenceEqual(file.Sha256.Span))
            throw new EditorBridgeException("CLIP_DAMAGED", $"{name} arrived with another SHA-256 than the host published; fetch it again.");
        await stream.FlushAsync(cancellation).ConfigureAwait(false);
        stream.Flush(flushToDisk: true);
        return file;
    }

    private static ClipFile SameFile(string name, ClipFile? before, ClipFile now) =>
        before is null || before.Equals(now)
            ? now
            : throw new EditorBridgeException("CLIP_DAMAGED", $"{name} changed while it was fetched; fetch it again.");
}
