using EditorBridge.Host.Assets;
using EditorBridge.Host.Jobs;
using EditorBridge.Protocol.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace EditorBridge.Host.Services;

/// <summary>editorbridge.v1.AssetService: files from clients that do not share this machine's disk.</summary>
internal sealed class AssetServiceEndpoint(AssetStore assets, JobStore jobs, DataFolder folder, HostOptions options, ILogger<AssetServiceEndpoint> log)
    : AssetService.AssetServiceBase
{
    private const int Sha256Length = 32;
    private const int LongestDisplayName = 1024;

    /// <inheritdoc/>
    public override async Task<Asset> UploadAsset(IAsyncStreamReader<UploadAssetRequest> requestStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false) || requestStream.Current.Asset is not { } announced)
            throw Errors.Invalid("asset", "FIELD_MISSING", "The first message of an upload names the asset, with its size and SHA-256.");
        var hash = Check(announced);
        using var upload = assets.Begin(hash, announced.SizeBytes, announced.DisplayName)
            ?? throw Errors.Make(Code.Unavailable, "ASSET_BUSY", $"{AssetName.Of(hash)} is being uploaded already; try again in a moment.");
        if (upload.Asset.Complete) return upload.Asset;
        CheckDisk(announced.SizeBytes - upload.Committed);
        do
        {
            if (await StoreAsync(upload, requestStream.Current, context.CancellationToken).ConfigureAwait(false)) break;
        }
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false));

        var stored = upload.End();
        if (stored.Complete) log.LogInformation("Stored {Asset}: {Bytes} bytes", stored.Name, stored.SizeBytes);
        return stored;
    }

    /// <inheritdoc/>
    public override Task<Asset> GetAsset(GetAssetRequest request, ServerCallContext context) =>
        Task.FromResult((AssetName.HashOf(request.Name) is { } hash ? assets.Get(hash) : null) ?? throw Errors.NotFound("asset", request.Name));

    /// <inheritdoc/>
    public override Task<Empty> DeleteAsset(DeleteAssetRequest request, ServerCallContext context)
    {
        var hash = AssetName.HashOf(request.Name) ?? throw Errors.NotFound("asset", request.Name);
        return assets.Delete(hash, jobs.NeededAssets().Contains(hash)) switch
        {
            true => Task.FromResult(new Empty()),
            false => throw Errors.NotFound("asset", request.Name),
            null => throw Errors.Make(Code.Unavailable, "ASSET_BUSY", $"{request.Name} is being uploaded; try again in a moment."),
        };
    }

    private string Check(Asset announced)
    {
        if (announced.Sha256.Length != Sha256Length)
            throw Errors.Invalid("asset.sha256", "INVALID_ARGUMENT", "The SHA-256 of the file is missing; it has 32 bytes and becomes the asset's name.");
        var hash = Convert.ToHexStringLower(announced.Sha256.Span);
        if (announced.Name.Length > 0 && announced.Name != AssetName.Of(hash))
            throw Errors.Invalid("asset.name", "INVALID_ARGUMENT", $"The asset's name is {AssetName.Of(hash)} or left out: it goes by the file's SHA-256.");
        if (announced.SizeBytes <= 0) throw Errors.Invalid("asset.size_bytes", "INVALID_ARGUMENT", "The size of the file is missing, or the file is empty.");
        if (announced.SizeBytes > options.LargestAssetBytes)
        {
            throw Errors.Invalid("asset.size_bytes", "ASSET_TOO_LARGE",
                $"The file has {announced.SizeBytes >> 20} MiB, and this host takes {options.LargestAssetBytes >> 20} MiB at most: cut out the frames that are needed, or raise LargestAssetBytes.");
        }

        if (announced.DisplayName.Length > LongestDisplayName)
            throw Errors.Invalid("asset.display_name", "INVALID_ARGUMENT", $"The display name is longer than {LongestDisplayName} characters.");
        return hash;
    }

    private void CheckDisk(long bytes)
    {
        var (needed, free) = (bytes + options.SpareDiskBytes, folder.FreeBytes());
        if (free >= needed) return;
        throw Errors.Make(Code.ResourceExhausted, "DISK_FULL",
            $"The upload needs {needed >> 20} MiB on the disk of {folder.Root}, which has {free >> 20} MiB free; free some space and send it again.");
    }

    /// <returns>Whether these were the last bytes.</returns>
    private static async Task<bool> StoreAsync(AssetUpload upload, UploadAssetRequest piece, CancellationToken cancellation)
    {
        var content = piece.Data?.Content ?? Google.Protobuf.ByteString.Empty;
        if (piece.WriteOffset != upload.Committed)
        {
            throw Errors.Make(Code.OutOfRange, "OFFSET_OUT_OF_RANGE", $"{upload.Asset.Name} goes on at byte {upload.Committed}, not at {piece.WriteOffset}.",
                new() { ["committed_bytes"] = upload.Committed.ToString(System.Globalization.CultureInfo.InvariantCulture) });
        }

        if (content.Length > ChecksummedData.MaximumLength)
            throw Errors.Invalid("data.content", "INVALID_ARGUMENT", $"A piece has {ChecksummedData.MaximumLength} bytes at most, this one {content.Length}.");
        if (piece.Data is { IsIntact: false }) throw Errors.Make(Code.Unavailable, "PIECE_DAMAGED", $"A piece of {upload.Asset.Name} arrived damaged; send it again.");
        if (content.Length > upload.Asset.SizeBytes - upload.Committed)
            throw Errors.Invalid("data.content", "ASSET_WRONG_SIZE", $"More bytes came than the {upload.Asset.SizeBytes} that {upload.Asset.Name} was said to have.");
        await upload.AppendAsync(content.Memory, cancellation).ConfigureAwait(false);
        if (!piece.FinishWrite) return false;
        if (upload.Committed < upload.Asset.SizeBytes)
            throw Errors.Invalid("finish_write", "ASSET_WRONG_SIZE", $"Only {upload.Committed} of the {upload.Asset.SizeBytes} bytes of {upload.Asset.Name} have come; send the rest.");
        if (!await upload.FinishAsync(cancellation).ConfigureAwait(false))
        {
            throw Errors.Invalid("asset.sha256", "ASSET_HASH_MISMATCH",
                $"The bytes that came do not have the SHA-256 that was announced, and are not kept: the file may have changed meanwhile, so send it again.");
        }

        return true;
    }
}
