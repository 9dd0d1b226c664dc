using System.IO.MemoryMappedFiles;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Client;

/// <summary>A clip's frames, laid out by the host, mapped into memory. Reading touches no more than the pixels that are read. Safe for several threads.</summary>
public sealed unsafe class MappedFrames : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private MappedFrames(MemoryMappedFile file, MemoryMappedViewAccessor view, FrameFile layout)
    {
        (_file, _view, Layout) = (file, view, layout);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>What is mapped: size, bits, rate, number of frames.</summary>
    public FrameFile Layout { get; }

    /// <summary>Maps a file; it may be removed afterwards.</summary>
    /// <param name="path">Where the host laid it out.</param>
    /// <returns>The frames; null when the file is no longer there or is no frame file.</returns>
    public static MappedFrames? Open(string path)
    {
        MemoryMappedFile? file = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            // Others may delete it: the mapping stays.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
            var header = new byte[FrameFileHeader.Length];
            if (FrameFileHeader.Read(header.AsSpan(0, stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false)), stream.Length) is not { } layout) return null;
            layout.LocalPath = path;
            file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = file.CreateViewAccessor(0, layout.SizeBytes, MemoryMappedFileAccess.Read);
            var frames = new MappedFrames(file, view, layout);
            (file, view) = (null, null);
            return frames;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        finally
        {
            view?.Dispose();
            file?.Dispose();
        }
    }

    /// <summary>One row of one frame: R, G, B, A of <see cref="FrameFile.Bits"/> each.</summary>
    /// <param name="frame">The frame, counted from 0.</param>
    /// <param name="row">The row, counted from the top.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such frame or row.</exception>
    /// <exception cref="ObjectDisposedException">The frames have been disposed.</exception>
    public ReadOnlySpan<byte> Row(long frame, int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frame);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frame, Layout.Frames);
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Layout.Size.Height);
        ObjectDisposedException.ThrowIf(_view.SafeMemoryMappedViewHandle.IsClosed, this);
        // A view may begin before the place that was asked for.
        return new ReadOnlySpan<byte>(_start + _view.PointerOffset + Layout.HeaderBytes + frame * Layout.FrameBytes + row * Layout.RowBytes, (int)Layout.RowBytes);
    }

    /// <summary>Ends the mapping. No row may be in use.</summary>
    public void Dispose()
    {
        if (_view.SafeMemoryMappedViewHandle.IsClosed) return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
