using System.Security.Cryptography;
using System.Text;

namespace EditorBridge.Models.Store.Pull;

/// <summary>Checks a file's content against what the hub says of it: SHA-256, or for small files git's SHA-1, which is a check against damage only.</summary>
internal sealed class FileDigest : IDisposable
{
    private readonly HubFile _file;
    private readonly IncrementalHash? _hash;

    public FileDigest(HubFile file)
    {
        _file = file;
        _hash = file.Sha256 is not null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : file.Blob is not null ? IncrementalHash.CreateHash(HashAlgorithmName.SHA1) : null;
        Reset();
    }

    /// <summary>Begins anew.</summary>
    public void Reset()
    {
        if (_hash is null) return;
        _hash.GetHashAndReset();
        if (_file.Sha256 is null) _hash.AppendData(Encoding.ASCII.GetBytes(FormattableString.Invariant($"blob {_file.Size}\0")));
    }

    /// <summary>Takes the next bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes) => _hash?.AppendData(bytes);

    /// <summary>Whether all bytes taken since the last <see cref="Reset"/> are the file's content.</summary>
    public bool Matches() => _hash is null || Convert.ToHexStringLower(_hash.GetHashAndReset()) == (_file.Sha256 ?? _file.Blob);

    /// <summary>Whether a whole file has the content it should have.</summary>
    /// <param name="file">What it should be.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="progress">Told how many more bytes were read.</param>
    /// <param name="cancellation">Ends the check.</param>
    public static async Task<bool> CheckAsync(HubFile file, string path, Action<long> progress, CancellationToken cancellation)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        if (stream.Length != file.Size) return false;
        using var digest = new FileDigest(file);
        var buffer = new byte[1 << 20];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
        {
            digest.Append(buffer.AsSpan(0, read));
            progress(read);
        }

        return digest.Matches();
    }

    /// <inheritdoc/>
    public void Dispose() => _hash?.Dispose();
}
