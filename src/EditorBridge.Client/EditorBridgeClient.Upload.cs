using System.Security.Cryptography;
using EditorBridge.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;

namespace EditorBridge.Client;

public sealed partial class EditorBridgeClient
{
    private const int UploadPiece = 1 << 18;

    /// <summary>
    /// Brings a file to a host that cannot read it where it lies; its <see cref="Asset.Name"/> then stands in a job in place of a path. What the host
    /// has of it already is not sent again, and a broken connection goes on where it broke off.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="progress">Told how many bytes are there, of how many.</param>
    /// <param name="cancellation">Ends the transfer; what the host has of it stays for a later one.</param>
    /// <exception cref="EditorBridgeException">The file cannot be read (CANNOT_READ), changes while it is sent (ASSET_HASH_MISMATCH), or the host
    /// refuses.</exception>
    public async Task<Asset> UploadAsync(string path, Action<long, long>? progress = null, CancellationToken cancellation = default)
    {
        var full = Path.GetFullPath(path);
        try
        {
            await using var stream = new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, useAsync: true);
            var hash = await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false);
            var announced = new Asset
            {
                Name = "assets/" + Convert.ToHexStringLower(hash), DisplayName = Path.GetFileName(full), SizeBytes = stream.Length, Sha256 = ByteString.CopyFrom(hash),
            };
            return await SendAsync(stream, announced, progress, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EditorBridgeException("CANNOT_READ", $"{full} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>What the host has of an uploaded file; ASSET_NOT_FOUND when it has nothing.</summary>
    /// <param name="name">"assets/{asset}".</param>
    /// <param name="cancellation">Ends the call.</param>
    public Task<Asset> GetAssetAsync(string name, CancellationToken cancellation = default) =>
        CallAsync((c, o) => c.Assets.GetAssetAsync(new GetAssetRequest { Name = name }, o), UnaryDeadline, cancellation);

    /// <summary>Removes an uploaded file. Jobs that were stored before still have it.</summary>
    /// <param name="name">"assets/{asset}".</param>
    /// <param name="cancellation">Ends the call.</param>
    public Task DeleteAssetAsync(string name, CancellationToken cancellation = default) =>
        CallAsync((c, o) => c.Assets.DeleteAssetAsync(new DeleteAssetRequest { Name = name }, o), UnaryDeadline, cancellation);

    private async Task<Asset> SendAsync(FileStream stream, Asset announced, Action<long, long>? progress, CancellationToken cancellation)
    {
        var furthest = 0L;
        for (var tries = 0; ;)
        {
            var stored = await FindAssetAsync(announced.Name, cancellation).ConfigureAwait(false);
            if (stored is { Complete: true }) return stored;
            var offset = stored?.SizeBytes == announced.SizeBytes ? stored.CommittedBytes : 0;
            // A line that breaks again and again is worth while as long as each try brings something.
            if (offset > furthest) tries = 0;
            furthest = offset;
            var connection = _connection;
            try
            {
                using var call = connection.Assets.UploadAsset(cancellationToken: cancellation);
                // What lies in the line's buffers when it breaks is lost: after a try that brought nothing, one piece alone waits for its answer.
                var end = tries == 0 ? announced.SizeBytes : Math.Min(offset + UploadPiece, announced.SizeBytes);
                await SendPiecesAsync(call.RequestStream, stream, announced, offset, end, progress, cancellation).ConfigureAwait(false);
                var answer = await call.ResponseAsync.ConfigureAwait(false);
                if (answer.Complete) return answer;
                if (++tries > MaximumTries) throw new EditorBridgeException("UPLOAD_STUCK", $"The host takes no more of {announced.DisplayName} after {answer.CommittedBytes} bytes; send it again.");
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
    }

    private static async Task SendPiecesAsync(
        IClientStreamWriter<UploadAssetRequest> target, FileStream source, Asset announced, long offset, long end, Action<long, long>? progress, CancellationToken cancellation)
    {
        source.Position = offset;
        var isFirst = true;
        do
        {
            // A new buffer for each message: the one before may still be on its way.
            var buffer = new byte[Math.Min(UploadPiece, end - offset)];
            await source.ReadExactlyAsync(buffer, cancellation).ConfigureAwait(false);
            var piece = new UploadAssetRequest
            {
                Asset = isFirst ? announced : null, WriteOffset = offset, Data = ChecksummedData.Wrap(buffer), FinishWrite = offset + buffer.Length == announced.SizeBytes,
            };
            if (!await WriteAsync(target, piece, cancellation).ConfigureAwait(false)) return;
            (isFirst, offset) = (false, offset + buffer.Length);
            progress?.Invoke(offset, announced.SizeBytes);
        }
        while (offset < end);
        try
        {
            await target.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e) when ((e is RpcException or InvalidOperationException or IOException) && !cancellation.IsCancellationRequested)
        {
            // Likewise.
        }
    }

    // A line that breaks shows here as a failed write of any kind, which must not be taken for trouble with the file.
    private static async Task<bool> WriteAsync(IClientStreamWriter<UploadAssetRequest> target, UploadAssetRequest piece, CancellationToken cancellation)
    {
        try
        {
            await target.WriteAsync(piece, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when ((e is RpcException or InvalidOperationException or IOException) && !cancellation.IsCancellationRequested)
        {
            // The call's answer says why.
            return false;
        }
    }

    private async Task<Asset?> FindAssetAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return await GetAssetAsync(name, cancellation).ConfigureAwait(false);
        }
        catch (EditorBridgeException e) when (e.Reason == "ASSET_NOT_FOUND")
        {
            return null;
        }
    }
}
