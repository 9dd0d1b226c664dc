using System.Security.Cryptography;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Assets;

/// <summary>A file that comes without its hash and size being known before. It lies in a folder of its own until it is whole; disposed earlier, nothing is left of it.</summary>
internal sealed class UnannouncedUpload : IDisposable
{
    private readonly AssetStore _store;
    private readonly string _name;
    private readonly string _folder;
    private readonly string _path;
    private readonly FileStream _stream;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="store">Where it goes when it is whole.</param>
    /// <param name="name">What the store knows it by until then.</param>
    /// <param name="folder">Its folder, which is there.</param>
    public UnannouncedUpload(AssetStore store, string name, string folder)
    {
        (_store, _name, _folder) = (store, name, folder);
        _path = Path.Combine(folder, "upload.part");
        _stream = new FileStream(_path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 0, useAsync: true);
    }

    /// <summary>Bytes that came so far.</summary>
    public long Length { get; private set; }

    /// <summary>Adds bytes at the end.</summary>
    public async Task AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        await _stream.WriteAsync(bytes, cancellation).ConfigureAwait(false);
        _hash.AppendData(bytes.Span);
        Length += bytes.Length;
    }

    /// <summary>Stores what came under its hash.</summary>
    /// <param name="displayName">The file's name where it came from.</param>
    /// <param name="cancellation">Ends it; nothing is stored then.</param>
    /// <returns>What is stored; null while another upload of the same file goes on.</returns>
    /// <exception cref="IOException">What was written is not what came.</exception>
    public async Task<Asset?> FinishAsync(string displayName, CancellationToken cancellation)
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        using var upload = _store.Begin(Convert.ToHexStringLower(_hash.GetHashAndReset()), Length, displayName);
        if (upload is null) return null;
        if (upload.Asset.Complete) return upload.Asset;
        await upload.TakeAsync(_path).ConfigureAwait(false);
        return await upload.FinishAsync(cancellation).ConfigureAwait(false) ? upload.End() : throw new IOException("The disk gave back other bytes than were written.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream.Dispose();
        _hash.Dispose();
        Directory.Delete(_folder, recursive: true);
        _store.End(_name);
    }
}
