using EditorBridge.Host.Assets;
using EditorBridge.Host.Services;
using EditorBridge.Media;
using EditorBridge.Protocol.V1;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace EditorBridge.Host.Pallaidium;

/// <summary>Files as Pallaidium knows them: what it uploads goes among the host's assets, what it fetches is a finished clip.</summary>
internal sealed class PallaidiumFiles(AssetStore assets, DataFolder folder, HostOptions options)
{
    private const int Block = 1 << 20;
    private const long Envelope = 1 << 16;
    private const string Upload = "file-";

    /// <summary>An uploaded file as a job has it.</summary>
    /// <exception cref="Grpc.Core.RpcException">It is no id of an uploaded file.</exception>
    public static MediaSource Uploaded(string? id, string field)
    {
        var name = id is not null && id.StartsWith(Upload, StringComparison.Ordinal) ? AssetName.Of(id[Upload.Length..]) : "";
        return AssetName.HashOf(name) is not null
            ? new MediaSource { Asset = name }
            : throw Errors.Invalid(field, "ASSET_NOT_FOUND", $"'{id}' is no file that was uploaded here; upload it again.");
    }

    /// <summary>Stores the file of a form, as POST /v1/files sends it.</summary>
    /// <returns>The file's id.</returns>
    /// <exception cref="Grpc.Core.RpcException">There is no file in it, or it is too large.</exception>
    public async Task<string> ReceiveAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || type.MediaType != "multipart/form-data"
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary)
            throw Errors.Invalid("file", "INVALID_ARGUMENT", "A file is uploaded as multipart/form-data.");
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = options.LargestAssetBytes + Envelope;
        CheckDisk(context.Request.ContentLength ?? 0);
        var reader = new MultipartReader(boundary, context.Request.Body) { BodyLengthLimit = options.LargestAssetBytes };
        try
        {
            while (await reader.ReadNextSectionAsync(context.RequestAborted).ConfigureAwait(false) is { } section)
            {
                if (section.AsFileSection() is { Name: "file" } file) return await StoreAsync(file.FileStream!, file.FileName, context.RequestAborted).ConfigureAwait(false);
            }
        }
        catch (InvalidDataException)
        {
            throw TooLarge();
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge();
        }
        catch (Exception e) when (e is BadHttpRequestException or IOException and not FileNotFoundException && !DiskSpace.IsFull(e as IOException ?? new IOException()))
        {
            throw Errors.Invalid("file", "INVALID_ARGUMENT", $"The form cannot be read: {e.Message}");
        }

        throw Errors.Invalid("file", "FIELD_MISSING", "The form has no part named file.");
    }

    /// <summary>Stores bytes as an uploaded file.</summary>
    /// <returns>The file's id.</returns>
    public async Task<string> StoreAsync(Stream content, string name, CancellationToken cancellation)
    {
        using var upload = assets.Receive();
        var buffer = new byte[Block];
        int read;
        while ((read = await content.ReadAtLeastAsync(buffer, Block, throwOnEndOfStream: false, cancellation).ConfigureAwait(false)) > 0)
        {
            // Whoever says no length beforehand is watched as it comes.
            CheckDisk(read);
            await upload.AppendAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
        }

        if (upload.Length == 0) throw Errors.Invalid("file", "INVALID_ARGUMENT", "The file is empty.");
        var asset = await upload.FinishAsync(name, cancellation).ConfigureAwait(false)
            ?? throw Errors.Make(Code.Unavailable, "ASSET_BUSY", "The same file is being uploaded already; try again in a moment.");
        return Upload + AssetName.HashOf(asset.Name);
    }

    /// <summary>The file of an uploaded file's id; null when it is none.</summary>
    public string? Find(string id) =>
        id.StartsWith(Upload, StringComparison.Ordinal) && AssetName.HashOf(AssetName.Of(id[Upload.Length..])) is { } hash ? assets.Use(hash) : null;

    private RpcException TooLarge() =>
        Errors.Invalid("file", "ASSET_TOO_LARGE", $"The file has more than {options.LargestAssetBytes} bytes, the most the host takes (LargestAssetBytes): send a smaller one.");

    private void CheckDisk(long bytes)
    {
        if (folder.FreeBytes() < bytes + options.SpareDiskBytes)
            throw Errors.Make(Code.ResourceExhausted, "DISK_FULL", $"The disk of {folder.Root} is full; free some space and send the file again.");
    }
}
