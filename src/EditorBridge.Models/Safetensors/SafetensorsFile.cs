using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace EditorBridge.Models.Safetensors;

/// <summary>A safetensors file, mapped into memory: bytes are read when they are touched.</summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile map;
    private readonly MemoryMappedViewAccessor view;
    private readonly Dictionary<string, SafetensorsEntry> tensors;

    private SafetensorsFile(string path, SafetensorsHeader header, MemoryMappedFile map, long length)
    {
        Path = path;
        Header = header;
        this.map = map;
        view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        tensors = header.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    /// <summary>Where the file is.</summary>
    public string Path { get; }

    /// <summary>Tensors in file order, and metadata.</summary>
    public SafetensorsHeader Header { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Tensors => tensors;

    /// <summary>The mapping's handle: whoever keeps an address takes a reference on it first.</summary>
    public SafeBuffer Mapping => view.SafeMemoryMappedViewHandle;

    /// <summary>Maps a file after checking its header.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file, or why it cannot be used.</returns>
    public static ReadResult<SafetensorsFile> Open(string path)
    {
        try
        {
            // The map owns the stream once made.
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            MemoryMappedFile? map = null;
            try
            {
                var length = stream.Length;
                var header = SafetensorsHeader.Read(stream, length, path);
                if (!header.Ok)
                    return ReadResult<SafetensorsFile>.Failed(header.Problem);
                map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
                var file = new SafetensorsFile(path, header.Value, map, length);
                map = null;
                stream = null;
                return ReadResult<SafetensorsFile>.Of(file);
            }
            finally
            {
                map?.Dispose();
                stream?.Dispose();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ReadResult<SafetensorsFile>.Failed($"'{path}' cannot be read: {e.Message}");
        }
    }

    /// <summary>Address of a tensor's first byte; valid while the file is open or a reference on <see cref="Mapping"/> is held.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    public nint Address(SafetensorsEntry tensor)
    {
        ObjectDisposedException.ThrowIf(Mapping.IsClosed, this);
        return Mapping.DangerousGetHandle() + (nint)(view.PointerOffset + tensor.Offset);
    }

    /// <summary>A tensor's bytes; valid while the file is open.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>, below 2 GiB.</param>
    public unsafe ReadOnlySpan<byte> Bytes(SafetensorsEntry tensor) => new((void*)Address(tensor), checked((int)tensor.Length));

    /// <inheritdoc/>
    public void Dispose()
    {
        view.Dispose();
        map.Dispose();
    }
}
