namespace EditorBridge.Media;

/// <summary>
/// Frames between two frames: for each block of the picture in between, the displacement under which both frames agree best is searched along a line
/// through it (from −v·t in the first frame to +v·(1−t) in the second), and the two ends are blended by their distance in time.
/// Displacements come from block matching on a quarter-size picture, refined at full size, and are smoothed between blocks.
/// </summary>
internal sealed class MotionBlend
{
    private const int Block = 8;
    private const int CoarseReach = 4;

    // Levels of 255 that every pixel of displacement must gain: repeating texture matches far away too, and the near match is the right one.
    private const float CostOfMotion = 0.12f;
    private readonly VideoFrame first, second;
    private readonly int columns, rows;
    private readonly float[] motionX, motionY;

    private MotionBlend(VideoFrame first, VideoFrame second)
    {
        (this.first, this.second) = (first, second);
        columns = (first.Width + Block - 1) / Block;
        rows = (first.Height + Block - 1) / Block;
        motionX = new float[columns * rows];
        motionY = new float[columns * rows];
    }

    /// <summary>Finds the motion between two frames of one size. They must outlive the result.</summary>
    public static MotionBlend Between(VideoFrame first, VideoFrame second)
    {
        if (first.Width != second.Width || first.Height != second.Height)
            throw new ArgumentException($"The frames are {first.Width} x {first.Height} and {second.Width} x {second.Height}.", nameof(second));
        var blend = new MotionBlend(first, second);
        blend.Search();
        return blend;
    }

    /// <summary>The frame at <paramref name="fraction"/> of the way; the caller's to dispose.</summary>
    public VideoFrame At(double fraction)
    {
        var (width, height) = (first.Width, first.Height);
        var result = VideoFrame.Rent(width, height);
        var t = (float)fraction;
        Parallel.For(0, height, y =>
        {
            var target = result.Pixels.Slice(y * width * 3, width * 3);
            var a = first.Pixels;
            var b = second.Pixels;
            for (var x = 0; x < width; x++)
            {
                var (vx, vy) = MotionAt(x, y);
                for (var c = 0; c < 3; c++)
                {
                    var value = (1 - t) * Sample(a, width, height, x - vx * t, y - vy * t, c)
                        + t * Sample(b, width, height, x + vx * (1 - t), y + vy * (1 - t), c);
                    target[x * 3 + c] = (ushort)Math.Clamp(value + 0.5f, 0, 65535);
                }
            }
        });
        return result;
    }

    private void Search()
    {
        var (width, height) = (first.Width, first.Height);
        var (lumaA, lumaB) = (Luma(first), Luma(second));
        var (smallWidth, smallHeight) = (Math.Max(1, width / 4), Math.Max(1, height / 4));
        var (smallA, smallB) = (Shrink(lumaA, width, height, smallWidth, smallHeight), Shrink(lumaB, width, height, smallWidth, smallHeight));
        Parallel.For(0, rows, row =>
        {
            for (var column = 0; column < columns; column++)
            {
                var (centreX, centreY) = (column * Block + Block / 2, row * Block + Block / 2);
                // Symmetric: the block lies half-way, so each frame is displaced by half.
                var coarse = Best(smallA, smallB, smallWidth, smallHeight, centreX / 4, centreY / 4, 3, 0, 0, CoarseReach, 4 * CostOfMotion);
                var fine = Best(lumaA, lumaB, width, height, centreX, centreY, Block - 2, coarse.X * 4, coarse.Y * 4, 4, CostOfMotion);
                (motionX[row * columns + column], motionY[row * columns + column]) = (2 * fine.X, 2 * fine.Y);
            }
        });
        MedianOfNeighbours(motionX);
        MedianOfNeighbours(motionY);
    }

    // Half displacements h with first(p − h) ≈ second(p + h), least absolute difference over a square; small motions win ties.
    private static (int X, int Y) Best(
        float[] a, float[] b, int width, int height, int x, int y, int radius, int startX, int startY, int reach, float costOfMotion)
    {
        var best = (X: startX, Y: startY);
        var least = float.MaxValue;
        var perPixel = costOfMotion * (2 * radius + 1) * (2 * radius + 1);
        for (var dy = -reach; dy <= reach; dy++)
        {
            for (var dx = -reach; dx <= reach; dx++)
            {
                var (hx, hy) = (startX + dx, startY + dy);
                var cost = perPixel * (Math.Abs(hx) + Math.Abs(hy));
                for (var v = -radius; v <= radius && cost < least; v++)
                {
                    var rowA = Math.Clamp(y + v - hy, 0, height - 1) * width;
                    var rowB = Math.Clamp(y + v + hy, 0, height - 1) * width;
                    for (var u = -radius; u <= radius; u++)
                        cost += Math.Abs(a[rowA + Math.Clamp(x + u - hx, 0, width - 1)] - b[rowB + Math.Clamp(x + u + hx, 0, width - 1)]);
                }

                if (cost >= least) continue;
                least = cost;
                best = (hx, hy);
            }
        }

        return best;
    }

    // A lone block that found another place by chance falls in with those around it.
    private void MedianOfNeighbours(float[] field)
    {
        var old = (float[])field.Clone();
        Span<float> around = stackalloc float[9];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                var n = 0;
                for (var v = -1; v <= 1; v++)
                {
                    for (var u = -1; u <= 1; u++)
                        around[n++] = old[Math.Clamp(row + v, 0, rows - 1) * columns + Math.Clamp(column + u, 0, columns - 1)];
                }

                around.Sort();
                field[row * columns + column] = around[4];
            }
        }
    }

    private (float X, float Y) MotionAt(int x, int y)
    {
        var (fx, fy) = ((x + 0.5f) / Block - 0.5f, (y + 0.5f) / Block - 0.5f);
        var (x0, y0) = ((int)MathF.Floor(fx), (int)MathF.Floor(fy));
        var (wx, wy) = (fx - x0, fy - y0);
        var (xa, xb) = (Math.Clamp(x0, 0, columns - 1), Math.Clamp(x0 + 1, 0, columns - 1));
        var (ya, yb) = (Math.Clamp(y0, 0, rows - 1) * columns, Math.Clamp(y0 + 1, 0, rows - 1) * columns);
        return (Mix(motionX, xa, xb, ya, yb, wx, wy), Mix(motionY, xa, xb, ya, yb, wx, wy));
    }

    private static float Mix(float[] field, int xa, int xb, int ya, int yb, float wx, float wy) =>
        (1 - wy) * ((1 - wx) * field[ya + xa] + wx * field[ya + xb]) + wy * ((1 - wx) * field[yb + xa] + wx * field[yb + xb]);

    private static float Sample(ReadOnlySpan<ushort> pixels, int width, int height, float x, float y, int channel)
    {
        x = Math.Clamp(x, 0, width - 1);
        y = Math.Clamp(y, 0, height - 1);
        var (x0, y0) = ((int)x, (int)y);
        var (x1, y1) = (Math.Min(x0 + 1, width - 1), Math.Min(y0 + 1, height - 1));
        var (wx, wy) = (x - x0, y - y0);
        var upper = pixels[(y0 * width + x0) * 3 + channel] * (1 - wx) + pixels[(y0 * width + x1) * 3 + channel] * wx;
        var lower = pixels[(y1 * width + x0) * 3 + channel] * (1 - wx) + pixels[(y1 * width + x1) * 3 + channel] * wx;
        return upper * (1 - wy) + lower * wy;
    }

    // In units of 1/255, so that the cost of motion has a fixed size beside it.
    private static float[] Luma(VideoFrame frame)
    {
        ReadOnlySpan<ushort> pixels = frame.Pixels;
        var luma = new float[frame.Width * frame.Height];
        for (int i = 0, p = 0; i < luma.Length; i++, p += 3) luma[i] = (0.2126f * pixels[p] + 0.7152f * pixels[p + 1] + 0.0722f * pixels[p + 2]) / 257f;
        return luma;
    }

    private static float[] Shrink(float[] luma, int width, int height, int smallWidth, int smallHeight)
    {
        var small = new float[smallWidth * smallHeight];
        for (var y = 0; y < smallHeight; y++)
        {
            for (var x = 0; x < smallWidth; x++)
            {
                var (sum, count) = (0f, 0);
                for (var v = y * 4; v < Math.Min(height, y * 4 + 4); v++)
                {
                    for (var u = x * 4; u < Math.Min(width, x * 4 + 4); u++, count++) sum += luma[v * width + u];
                }

                small[y * smallWidth + x] = count == 0 ? 0 : sum / count;
            }
        }

        return small;
    }
}
