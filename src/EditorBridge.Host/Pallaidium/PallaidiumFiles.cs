using System.Security.Cryptography;
using EditorBridge.Host.Assets;
using EditorBridge.Host.Services;
using EditorBridge.Protocol.V1;
using Google.Rpc;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace EditorBridge.Host.Pallaidium;

/// <summary>Files as Pallaidium knows them: what it uploads goes among the host's assets, what it fetches is a finished clip.</summary>
internal sealed class PallaidiumFiles(AssetStore assets, DataFolder folder, HostOptions options)
{
    // They are pictures; videos this version cannot use anyway.
    private const int LargestUpload = 64 << 20;
    private const string Upload = "file-";

    /// <summary>An uploaded file as a job has it.</summary>
    /// <exception cref="Grpc.Core.RpcException">It is no id of an uploaded file.</exception>
    public static MediaSource Uploaded(string? id, string field)
    {
        var name = id is not null && id.StartsWith(Upload, StringComparison.Ordinal) ? AssetName.Of(id[Upload.Length..]) : "";
        return AssetName.HashOf(name) is not null
            ? new MediaSource { Asset = name }
            : throw Errors.Invalid(field, "ASSET_NOT_FOUND", $"'{id}' is no file that was uploaded here; upload the picture again.");
    }

    /// <summary>Stores the file of a form, as POST /v1/files sends it.</summary>
    /// <returns>The file's id.</returns>
    /// <exception cref="Grpc.Core.RpcException">There is no file in it, or it is too large.</exception>
    public async Task<string> ReceiveAsync(HttpContext context)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || type.MediaType != "multipart/form-data"
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary)
            throw Errors.Invalid("file", "INVALID_ARGUMENT", "A file is uploaded as multipart/form-data.");
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = LargestUpload + (1 << 16);
        var reader = new MultipartReader(boundary, context.Request.Body) { BodyLengthLimit = LargestUpload };
        try
        {
            while (await reader.ReadNextSectionAsync(context.RequestAborted).ConfigureAwait(false) is { } section)
            {
                if (section.AsFileSection() is not { Name: "file" } file) continue;
                using var content = new MemoryStream();
                await file.FileStream!.CopyToAsync(content, context.RequestAborted).ConfigureAwait(false);
                return await StoreAsync(content.GetBuffer().AsMemory(0, (int)content.Length), file.FileName, context.RequestAborted).ConfigureAwait(false);
            }
        }
        catch (InvalidDataException)
        {
            throw Errors.Invalid("file", "ASSET_TOO_LARGE", $"The file has more than {LargestUpload >> 20} MiB: send a smaller picture.");
        }
        catch (Exception e) when (e is BadHttpRequestException or IOException and not FileNotFoundException && !DiskSpace.IsFull(e as IOException ?? new IOException()))
        {
            throw Errors.Invalid("file", "INVALID_ARGUMENT", $"The form cannot be read: {e.Message}");
        }

        throw Errors.Invalid("file", "FIELD_MISSING", "The form has no part named file.");
    }

    /// <summary>Stores bytes as an uploaded file.</summary>
    /// <returns>The file's id.</returns>
    public async Task<string> StoreAsync(ReadOnlyMemory<byte> bytes, string name, CancellationToken cancellation)
    {
        if (bytes.IsEmpty) throw Errors.Invalid("file", "INVALID_ARGUMENT", "The file is empty.");
        if (folder.FreeBytes() < bytes.Length + options.SpareDiskBytes)
            throw Errors.Make(Code.ResourceExhausted, "DISK_FULL", $"The disk of {folder.Root} is full; free some space and send the file again.");
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes.Span));
        using var upload = assets.Begin(hash, bytes.Length, name)
            ?? throw Errors.Make(Code.Unavailable, "ASSET_BUSY", "The same file is being uploaded already; try again in a moment.");
        if (upload.Asset.Complete) return Upload + hash;
        await upload.AppendAsync(bytes[(int)upload.Committed..], cancellation).ConfigureAwait(false);
        return await upload.FinishAsync(cancellation).ConfigureAwait(false)
            ? Upload + hash
            : throw Errors.Make(Code.Unavailable, "PIECE_DAMAGED", "The file could not be stored whole; send it again.");
    }

    /// <summary>The file of an uploaded file's id; null when it is none.</summary>
    public string? Find(string id) =>
        id.StartsWith(Upload, StringComparison.Ordinal) && AssetName.HashOf(AssetName.Of(id[Upload.Length..])) is { } hash ? assets.Use(hash) : null;
}
