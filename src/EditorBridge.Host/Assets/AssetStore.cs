using System.Security.Cryptography;
using EditorBridge.Host.Clips;
using EditorBridge.Protocol.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace EditorBridge.Host.Assets;

/// <summary>
/// Uploaded files, each in a folder named by its SHA-256: the description, the bytes so far, and, once every byte is there and checked, the file.
/// A file is whole or absent under its final name. The description's time is when the file was last wanted.
/// </summary>
internal sealed class AssetStore(DataFolder folder, TimeProvider clock)
{
    private const string Description = "asset.pb";
    private const string Partial = "upload.part";
    private const string Whole = "media";

    // A file that was deleted while a job still needs it: nobody sees it any more, and it goes when the job has ended.
    private const string Deleted = "deleted";

    private const int LongestExtension = 8;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _writing = new(StringComparer.Ordinal);

    /// <summary>What is stored under that hash; null when there is nothing.</summary>
    public Asset? Get(string hash)
    {
        lock (_gate) return Read(hash);
    }

    /// <summary>The whole file of that hash, which counts as wanted from now; null when it is not there or not whole.</summary>
    public string? Use(string hash)
    {
        lock (_gate)
        {
            if (Read(hash) is not { Complete: true }) return null;
            Touch(hash);
            return WholeFile(hash);
        }
    }

    /// <summary>Begins an upload, or takes it up again.</summary>
    /// <param name="hash">SHA-256 of the file.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="displayName">Its name where it came from.</param>
    /// <returns>The upload; null while another one of the same file goes on.</returns>
    public AssetUpload? Begin(string hash, long size, string displayName)
    {
        lock (_gate)
        {
            if (!_writing.Add(hash)) return null;
            try
            {
                DataFolder.CreatePrivate(folder.Assets);
                DataFolder.CreatePrivate(Folder(hash));
                File.Delete(Path.Combine(Folder(hash), Deleted));
                if (Read(hash) is not { } stored || (stored.SizeBytes != size && !stored.Complete))
                {
                    File.Delete(Path.Combine(Folder(hash), Partial));
                    var asset = new Asset
                    {
                        Name = AssetName.Of(hash), DisplayName = displayName, SizeBytes = size, Sha256 = ByteString.CopyFrom(Convert.FromHexString(hash)),
                        CreateTime = Timestamp.FromDateTimeOffset(clock.GetUtcNow()),
                    };
                    var temporary = Path.Combine(Folder(hash), Description + ".tmp");
                    File.WriteAllBytes(temporary, asset.ToByteArray());
                    DurableFile.Publish(temporary, Path.Combine(Folder(hash), Description));
                }

                Touch(hash);
                return new AssetUpload(this, hash, Read(hash)!, Path.Combine(Folder(hash), Partial));
            }
            catch
            {
                _writing.Remove(hash);
                throw;
            }
        }
    }

    /// <summary>Begins to store a file whose hash and size nobody has announced.</summary>
    public UnannouncedUpload Receive()
    {
        // A name that no hash has; what a host that was killed leaves of it has no description and is swept.
        var name = "received-" + Guid.NewGuid().ToString("N");
        lock (_gate)
        {
            DataFolder.CreatePrivate(folder.Assets);
            DataFolder.CreatePrivate(Folder(name));
            _writing.Add(name);
        }

        return new UnannouncedUpload(this, name, Folder(name));
    }

    /// <summary>Removes a file; one that a job still needs is only hidden until the job has ended.</summary>
    /// <param name="hash">The file.</param>
    /// <param name="isNeeded">Whether a job that has not ended needs it.</param>
    /// <returns>Whether it was there; null while it is being uploaded.</returns>
    public bool? Delete(string hash, bool isNeeded)
    {
        lock (_gate)
        {
            if (_writing.Contains(hash)) return null;
            if (Read(hash) is null) return false;
            if (isNeeded) File.WriteAllBytes(Path.Combine(Folder(hash), Deleted), []);
            else Directory.Delete(Folder(hash), recursive: true);
            return true;
        }
    }

    /// <summary>Removes files that no job needs and that nobody has wanted since <paramref name="limit"/>, and hidden ones that no job needs.</summary>
    /// <returns>Their hashes.</returns>
    public IReadOnlyList<string> Sweep(DateTimeOffset limit, IReadOnlySet<string> needed)
    {
        var removed = new List<string>();
        if (!Directory.Exists(folder.Assets)) return removed;
        foreach (var path in Directory.GetDirectories(folder.Assets))
        {
            var hash = Path.GetFileName(path);
            lock (_gate)
            {
                if (_writing.Contains(hash) || needed.Contains(hash)) continue;
                var description = Path.Combine(path, Description);
                var isKept = File.Exists(description) && !File.Exists(Path.Combine(path, Deleted)) && File.GetLastWriteTimeUtc(description) > limit.UtcDateTime;
                if (isKept) continue;
                Directory.Delete(path, recursive: true);
                removed.Add(hash);
            }
        }

        return removed;
    }

    /// <summary>Ends an upload, whole or not.</summary>
    internal void End(string hash)
    {
        lock (_gate) _writing.Remove(hash);
    }

    /// <summary>Checks the bytes that came, and gives the file its name when they are those announced; else removes them.</summary>
    /// <returns>Whether they are.</returns>
    internal async Task<bool> FinishAsync(string hash, CancellationToken cancellation)
    {
        var partial = Path.Combine(Folder(hash), Partial);
        byte[] found;
        await using (var stream = File.OpenRead(partial)) found = await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false);
        if (!found.AsSpan().SequenceEqual(Convert.FromHexString(hash)))
        {
            File.Delete(partial);
            return false;
        }

        lock (_gate) DurableFile.Publish(partial, Path.Combine(Folder(hash), Whole + Extension(Read(hash)!.DisplayName)));
        return true;
    }

    private string Folder(string hash) => Path.Combine(folder.Assets, hash);

    private string? WholeFile(string hash) => Directory.EnumerateFiles(Folder(hash), Whole + "*").FirstOrDefault();

    private void Touch(string hash) => File.SetLastWriteTimeUtc(Path.Combine(Folder(hash), Description), clock.GetUtcNow().UtcDateTime);

    private Asset? Read(string hash)
    {
        var description = Path.Combine(Folder(hash), Description);
        if (!File.Exists(description) || File.Exists(Path.Combine(Folder(hash), Deleted))) return null;
        var asset = Asset.Parser.ParseFrom(File.ReadAllBytes(description));
        var partial = new FileInfo(Path.Combine(Folder(hash), Partial));
        asset.Complete = WholeFile(hash) is not null;
        asset.CommittedBytes = asset.Complete ? asset.SizeBytes : partial.Exists ? partial.Length : 0;
        return asset;
    }

    // Some readers go by the extension, so it is kept; the rest of the name is the caller's and never becomes a path.
    private static string Extension(string displayName)
    {
        var extension = Path.GetExtension(displayName).ToLowerInvariant();
        return extension.Length is > 1 and <= LongestExtension && extension.Skip(1).All(char.IsAsciiLetterOrDigit) ? extension : "";
    }
}

/// <summary>One upload that goes on; it ends when it is disposed.</summary>
internal sealed class AssetUpload(AssetStore store, string hash, Asset asset, string partial) : IDisposable
{
    private FileStream? _stream;
    private long _committed = asset.CommittedBytes;
    private bool _ended;

    /// <summary>The file as it was when the upload began.</summary>
    public Asset Asset => asset;

    /// <summary>Bytes stored so far.</summary>
    public long Committed => _committed;

    /// <summary>Adds bytes at the end.</summary>
    public async Task AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        _stream ??= new FileStream(partial, FileMode.Append, FileAccess.Write, FileShare.Read, 0, useAsync: true);
        await _stream.WriteAsync(bytes, cancellation).ConfigureAwait(false);
        _committed += bytes.Length;
    }

    /// <summary>Takes a file that has all of the bytes in place of what came so far. It is moved.</summary>
    public async Task TakeAsync(string path)
    {
        if (_stream is not null) await _stream.DisposeAsync().ConfigureAwait(false);
        _stream = null;
        File.Move(path, partial, overwrite: true);
        _committed = asset.SizeBytes;
    }

    /// <summary>Checks the whole file and gives it its name.</summary>
    /// <returns>False when its bytes are not those announced; they are removed.</returns>
    public async Task<bool> FinishAsync(CancellationToken cancellation)
    {
        if (_stream is not null) await _stream.DisposeAsync().ConfigureAwait(false);
        _stream = null;
        return await store.FinishAsync(hash, cancellation).ConfigureAwait(false);
    }

    /// <summary>Ends the upload and says what is stored.</summary>
    public Asset End()
    {
        Dispose();
        return store.Get(hash) ?? asset;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ended) return;
        _ended = true;
        _stream?.Dispose();
        store.End(hash);
    }
}
