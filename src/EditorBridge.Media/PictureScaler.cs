using System.Buffers;
using System.Numerics;

namespace EditorBridge.Media;

/// <summary>
/// Scales pictures with a Lanczos kernel of three lobes, widened when shrinking, axis by axis in 32-bit floats in a fixed order: the same picture
/// gives the same bits on every machine. A part of the source can be taken, its edges repeated beyond the part.
/// </summary>
public sealed class PictureScaler
{
    private const double Lobes = 3;
    private readonly int sourceWidth, sourceHeight, left, top, partWidth, partHeight;
    private readonly Axis horizontal, vertical;

    /// <summary>A scaler from the whole of one size to another.</summary>
    public PictureScaler(int sourceWidth, int sourceHeight, int width, int height)
        : this(sourceWidth, sourceHeight, 0, 0, sourceWidth, sourceHeight, width, height)
    {
    }

    /// <summary>A scaler from a part of a picture.</summary>
    /// <param name="sourceWidth">Width of the pictures that come in.</param>
    /// <param name="sourceHeight">Height of the pictures that come in.</param>
    /// <param name="left">First column of the part.</param>
    /// <param name="top">First row of the part.</param>
    /// <param name="partWidth">Width of the part.</param>
    /// <param name="partHeight">Height of the part.</param>
    /// <param name="width">Width of the pictures that go out.</param>
    /// <param name="height">Height of the pictures that go out.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side is not positive, or the part lies outside the picture.</exception>
    public PictureScaler(int sourceWidth, int sourceHeight, int left, int top, int partWidth, int partHeight, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(partWidth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(partHeight);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegative(left);
        ArgumentOutOfRangeException.ThrowIfNegative(top);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(left + partWidth, sourceWidth, nameof(partWidth));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(top + partHeight, sourceHeight, nameof(partHeight));
        (this.sourceWidth, this.sourceHeight, this.left, this.top) = (sourceWidth, sourceHeight, left, top);
        (this.partWidth, this.partHeight) = (partWidth, partHeight);
        horizontal = new Axis(partWidth, width);
        vertical = new Axis(partHeight, height);
    }

    /// <summary>Width of the pictures that go out.</summary>
    public int Width => horizontal.Length;

    /// <summary>Height of the pictures that go out.</summary>
    public int Height => vertical.Length;

    /// <summary>Scales one picture; the result is the caller's to dispose.</summary>
    /// <exception cref="ArgumentException">The picture has another size than the scaler was made for.</exception>
    public VideoFrame Scale(VideoFrame source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Width != sourceWidth || source.Height != sourceHeight)
            throw new ArgumentException($"The picture is {source.Width} x {source.Height}, not {sourceWidth} x {sourceHeight}.", nameof(source));
        var result = VideoFrame.Rent(Width, Height);
        if (partWidth == Width && partHeight == Height)
        {
            for (var y = 0; y < Height; y++) source.Pixels.Slice(((top + y) * sourceWidth + left) * 3, Width * 3).CopyTo(result.Pixels[(y * Width * 3)..]);
            return result;
        }

        var stride = Width * 3;
        var rows = ArrayPool<float>.Shared.Rent(partHeight * stride);
        try
        {
            Parallel.For(0, partHeight, y => Stretch(source.Pixels.Slice(((top + y) * sourceWidth + left) * 3, partWidth * 3), rows.AsSpan(y * stride, stride)));
            Parallel.For(0, Height, y => Gather(rows, stride, y, result.Pixels.Slice(y * stride, stride)));
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rows);
        }

        return result;
    }

    private void Stretch(ReadOnlySpan<ushort> source, Span<float> target)
    {
        if (partWidth == Width)
        {
            for (var i = 0; i < target.Length; i++) target[i] = source[i];
            return;
        }

        for (int x = 0, p = 0; x < Width; x++, p += 3)
        {
            float red = 0, green = 0, blue = 0;
            var weights = horizontal.WeightsOf(x);
            var first = horizontal.First[x];
            for (var k = 0; k < weights.Length; k++)
            {
                var at = Math.Clamp(first + k, 0, partWidth - 1) * 3;
                red += source[at] * weights[k];
                green += source[at + 1] * weights[k];
                blue += source[at + 2] * weights[k];
            }

            (target[p], target[p + 1], target[p + 2]) = (red, green, blue);
        }
    }

    private void Gather(float[] rows, int stride, int y, Span<ushort> target)
    {
        var weights = vertical.WeightsOf(y);
        var first = vertical.First[y];
        var sums = ArrayPool<float>.Shared.Rent(stride);
        var sum = sums.AsSpan(0, stride);
        sum.Clear();
        for (var k = 0; k < weights.Length; k++)
        {
            var weight = weights[k];
            if (weight == 0) continue;
            var row = rows.AsSpan(Math.Clamp(first + k, 0, partHeight - 1) * stride, stride);
            var i = 0;
            var lanes = new Vector<float>(weight);
            for (; i <= stride - Vector<float>.Count; i += Vector<float>.Count)
                (new Vector<float>(sum[i..]) + new Vector<float>(row[i..]) * lanes).CopyTo(sum[i..]);
            for (; i < stride; i++) sum[i] += row[i] * weight;
        }

        for (var i = 0; i < stride; i++)
        {
            var value = sum[i];
            target[i] = value >= 65535f ? (ushort)65535 : value > 0 ? (ushort)(value + 0.5f) : (ushort)0;
        }

        ArrayPool<float>.Shared.Return(sums);
    }

    // For every output position, where its taps begin and what they weigh.
    private sealed class Axis
    {
        private readonly float[] weights;
        private readonly int taps;

        public Axis(int source, int target)
        {
            Length = target;
            First = new int[target];
            var ratio = (double)source / target;
            var widening = Math.Max(1, ratio);
            var radius = Lobes * widening;
            taps = source == target ? 1 : (int)Math.Ceiling(radius * 2) + 1;
            weights = new float[target * taps];
            for (var i = 0; i < target; i++)
            {
                if (source == target)
                {
                    (First[i], weights[i]) = (i, 1);
                    continue;
                }

                var centre = (i + 0.5) * ratio - 0.5;
                First[i] = (int)Math.Ceiling(centre - radius);
                var total = 0.0;
                for (var k = 0; k < taps; k++) total += Kernel((First[i] + k - centre) / widening);
                for (var k = 0; k < taps; k++) weights[i * taps + k] = (float)(Kernel((First[i] + k - centre) / widening) / total);
            }
        }

        public int Length { get; }

        public int[] First { get; }

        public ReadOnlySpan<float> WeightsOf(int position) => weights.AsSpan(position * taps, taps);

        private static double Kernel(double x)
        {
            if (x == 0) return 1;
            if (Math.Abs(x) >= Lobes) return 0;
            var angle = Math.PI * x;
            return Lobes * Math.Sin(angle) * Math.Sin(angle / Lobes) / (angle * angle);
        }
    }
}
