using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>Float frames of one window waiting on disk, as planes of float32.</summary>
/// <remarks>
/// Bytes go to and from a tensor's own memory. Large arrays on the way would bring on garbage collections, and one that falls between the
/// binding's reading of a Scalar's handle and the native call frees the Scalar (TorchSharp 0.107 keeps none of its arguments alive).
/// </remarks>
internal sealed class FrameSpool : IDisposable
{
    private readonly FileStream stream;
    private readonly CanvasSize size;

    private FrameSpool(FileStream stream, CanvasSize size)
    {
        this.stream = stream;
        this.size = size;
    }

    /// <summary>Begins a file; one that is there is overwritten.</summary>
    public static FrameSpool Create(string path) => new(new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20), default);

    /// <summary>Opens a file that was written whole.</summary>
    public static FrameSpool Open(string path, CanvasSize size, int frames)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        var expected = (long)frames * size.Width * size.Height * 3 * sizeof(float);
        if (stream.Length == expected) return new FrameSpool(stream, size);
        var found = stream.Length;
        stream.Dispose();
        throw new GenerationException("state_damaged", $"'{path}' holds {found} bytes instead of {expected}; start the job again.");
    }

    /// <summary>Writes a frame.</summary>
    /// <param name="frame">[3, H, W].</param>
    public void Add(Tensor frame)
    {
        using var plain = frame.contiguous().alias();
        stream.Write(plain.bytes);
    }

    /// <summary>Reads the next frame.</summary>
    /// <returns>[3, H, W].</returns>
    public Tensor Next()
    {
        var frame = empty(3, size.Height, size.Width);
        stream.ReadExactly(frame.bytes);
        return frame;
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();
}
