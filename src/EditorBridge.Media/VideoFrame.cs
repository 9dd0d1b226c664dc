using System.Buffers;
using System.Runtime.InteropServices;

namespace EditorBridge.Media;

/// <summary>
/// One RGB picture of 16 bits a channel (0 black, 65535 white, the source's own transfer curve), interleaved R, G, B, rows from the top.
/// The pixels live in a pooled buffer: dispose the frame to give it back.
/// </summary>
public sealed class VideoFrame : IDisposable
{
    private ushort[]? buffer;

    private VideoFrame(int width, int height, ushort[] buffer)
    {
        Width = width;
        Height = height;
        this.buffer = buffer;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>All channel values, <see cref="Width"/> × <see cref="Height"/> × 3 of them.</summary>
    /// <exception cref="ObjectDisposedException">The frame has been disposed.</exception>
    public Span<ushort> Pixels => (buffer ?? throw new ObjectDisposedException(nameof(VideoFrame))).AsSpan(0, Width * Height * 3);

    /// <summary>The pixels as the bytes of ffmpeg's rgb48 in this machine's byte order.</summary>
    public Span<byte> Bytes => MemoryMarshal.AsBytes(Pixels);

    /// <summary>The pixels as memory, for loops that run in parallel.</summary>
    internal Memory<ushort> Memory => (buffer ?? throw new ObjectDisposedException(nameof(VideoFrame))).AsMemory(0, Width * Height * 3);

    /// <summary>A frame whose pixels hold whatever the pool left there.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A side is not positive, or the picture has more than 2³¹ values.</exception>
    public static VideoFrame Rent(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        var values = (long)width * height * 3;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values, int.MaxValue / 2, nameof(width));
        return new VideoFrame(width, height, ArrayPool<ushort>.Shared.Rent((int)values));
    }

    /// <summary>A frame of one colour.</summary>
    public static VideoFrame Filled(int width, int height, ushort red, ushort green, ushort blue)
    {
        var frame = Rent(width, height);
        var pixels = frame.Pixels;
        for (var i = 0; i < pixels.Length; i += 3) (pixels[i], pixels[i + 1], pixels[i + 2]) = (red, green, blue);
        return frame;
    }

    /// <summary>A frame from planes of floats: all of red, then green, then blue, −1 black and 1 white (what networks give), clamped.</summary>
    /// <param name="planes">3 × height × width values.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <exception cref="ArgumentException">The number of values is another.</exception>
    public static VideoFrame FromPlanes(ReadOnlySpan<float> planes, int width, int height)
    {
        var area = checked(width * height);
        if (planes.Length != area * 3) throw new ArgumentException($"{planes.Length} values are not 3 planes of {width} x {height}.", nameof(planes));
        var frame = Rent(width, height);
        var pixels = frame.Pixels;
        for (int i = 0, p = 0; i < area; i++, p += 3)
        {
            pixels[p] = Quantise(planes[i]);
            pixels[p + 1] = Quantise(planes[area + i]);
            pixels[p + 2] = Quantise(planes[2 * area + i]);
        }

        return frame;
    }

    /// <summary>The inverse of <see cref="FromPlanes"/>.</summary>
    /// <param name="planes">Receives 3 × height × width values from −1 to 1.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void ToPlanes(Span<float> planes)
    {
        var area = Width * Height;
        if (planes.Length != area * 3) throw new ArgumentException($"{planes.Length} values are not 3 planes of {Width} x {Height}.", nameof(planes));
        ReadOnlySpan<ushort> pixels = Pixels;
        for (int i = 0, p = 0; i < area; i++, p += 3)
        {
            planes[i] = pixels[p] * (2f / 65535) - 1;
            planes[area + i] = pixels[p + 1] * (2f / 65535) - 1;
            planes[2 * area + i] = pixels[p + 2] * (2f / 65535) - 1;
        }
    }

    /// <summary>A copy with a buffer of its own.</summary>
    public VideoFrame Clone()
    {
        var copy = Rent(Width, Height);
        Pixels.CopyTo(copy.Pixels);
        return copy;
    }

    /// <summary>Gives the buffer back to the pool.</summary>
    public void Dispose()
    {
        var returned = Interlocked.Exchange(ref buffer, null);
        if (returned is not null) ArrayPool<ushort>.Shared.Return(returned);
    }

    // A NaN becomes black: the comparison below is false for it.
    private static ushort Quantise(float value)
    {
        var scaled = (value + 1) * 32767.5f;
        return scaled >= 65535 ? (ushort)65535 : scaled > 0 ? (ushort)(scaled + 0.5f) : (ushort)0;
    }
}
