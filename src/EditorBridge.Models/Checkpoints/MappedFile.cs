using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace EditorBridge.Models.Checkpoints;

/// <summary>A whole file mapped into memory for reading: bytes are read when they are touched.</summary>
public sealed class MappedFile : IDisposable
{
    private readonly MemoryMappedFile map;
    private readonly MemoryMappedViewAccessor view;

    private MappedFile(string path, MemoryMappedFile map, long length)
    {
        Path = path;
        Length = length;
        this.map = map;
        view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
    }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>The mapping's handle: whoever keeps an address takes a reference on it first.</summary>
    public SafeBuffer Mapping => view.SafeMemoryMappedViewHandle;

    /// <summary>Maps a file once its header has been read and found good.</summary>
    /// <typeparam name="THeader">What the header says.</typeparam>
    /// <typeparam name="TFile">What the file becomes.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="readHeader">Reads the header from the file's stream.</param>
    /// <param name="make">Makes the result, which then owns the mapping.</param>
    /// <returns>The result, or why the file cannot be used.</returns>
    public static ReadResult<TFile> Open<THeader, TFile>(
        string path, Func<FileStream, ReadResult<THeader>> readHeader, Func<THeader, MappedFile, TFile> make)
        where THeader : class
        where TFile : class
    {
        try
        {
            // The map owns the stream once made.
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            MemoryMappedFile? map = null;
            try
            {
                var length = stream.Length;
                var header = readHeader(stream);
                if (!header.Ok)
                    return ReadResult<TFile>.Failed(header.Problem);
                map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
                var file = new MappedFile(path, map, length);
                map = null;
                stream = null;
                return ReadResult<TFile>.Of(make(header.Value, file));
            }
            finally
            {
                map?.Dispose();
                stream?.Dispose();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ReadResult<TFile>.Failed($"'{path}' cannot be read: {e.Message}");
        }
    }

    /// <summary>Address of a byte; valid while the file is open or a reference on <see cref="Mapping"/> is held.</summary>
    /// <param name="offset">Counted from the start of the file.</param>
    public nint Address(long offset)
    {
        ObjectDisposedException.ThrowIf(Mapping.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)offset, (ulong)Length);
        return Mapping.DangerousGetHandle() + (nint)(view.PointerOffset + offset);
    }

    /// <summary>A piece of the file; valid while the file is open.</summary>
    /// <param name="offset">Counted from the start of the file.</param>
    /// <param name="length">Bytes.</param>
    public unsafe ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        return new((void*)Address(offset), length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        view.Dispose();
        map.Dispose();
    }
}
