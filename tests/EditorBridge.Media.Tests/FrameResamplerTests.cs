using CsCheck;

namespace EditorBridge.Media.Tests;

public class FrameResamplerTests
{
    private static IEnumerable<VideoFrame> Levels(int count)
    {
        for (var n = 0; n < count; n++) yield return Level(n);
    }

    private static VideoFrame Level(int n) => VideoFrame.Filled(16, 16, (ushort)(1000 + n * 300), 0, 0);

    /// <summary>Both ends fixed: delivered frame j of N lies at j·(C+1)/(N+1) of the way from the frame before to the frame after.</summary>
    private static List<FramePosition> Positions(int canvas, int delivered) =>
        [.. Enumerable.Range(1, delivered).Select(j =>
        {
            var (quotient, remainder) = Math.DivRem((long)j * (canvas + 1), delivered + 1);
            return new FramePosition((int)quotient - 1, (double)remainder / (delivered + 1));
        })];

    [Fact]
    public void ExactlyNFramesBetweenBothEndsEvenlyAndWithoutRepeats() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 90]).Sample((canvas, delivered) =>
        {
            using var before = Level(-1);
            using var after = Level(canvas);
            var levels = new List<double>();
            foreach (var frame in FrameResampler.Resample(Levels(canvas), Positions(canvas, delivered), before, after))
            {
                using (frame) levels.Add((frame.Pixels[0] - 1000) / 300.0);
            }

            Assert.Equal(delivered, levels.Count);
            var step = (canvas + 1.0) / (delivered + 1);
            for (var j = 0; j < delivered; j++)
            {
                // The brightness is the time: each frame is where it belongs, and no two are the same.
                Assert.InRange(levels[j], -1 + (j + 1) * step - 0.01, -1 + (j + 1) * step + 0.01);
                if (j > 0) Assert.True(levels[j] > levels[j - 1]);
            }
        }, iter: 60);

    [Fact]
    public void OneToOneIsUntouched()
    {
        var numbers = FrameResampler.Resample(Levels(5), [.. Enumerable.Range(0, 5).Select(n => new FramePosition(n, 0))]).Select(f => (f.Pixels[0] - 1000) / 300).ToList();
        Assert.Equal([0, 1, 2, 3, 4], numbers);
    }

    [Fact]
    public void MistakesAreCaught()
    {
        Assert.Throws<ArgumentException>(() => FrameResampler.Resample(Levels(3), [new(-1, 0.5)]));
        Assert.Throws<ArgumentException>(() => FrameResampler.Resample(Levels(3), [new(1, 0.5), new(1, 0.5)]));
        Assert.Throws<ArgumentException>(() => FrameResampler.Resample(Levels(3), [new(1, 0.5), new(0, 0.5)]));
        Assert.Throws<InvalidOperationException>(() => FrameResampler.Resample(Levels(3), [new(2, 0.5)]).ToList());
        Assert.Throws<InvalidOperationException>(() => FrameResampler.Resample(Levels(3), [new(3, 0)]).ToList());
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(0, -6)]
    [InlineData(8, 4)]
    public void MovingTextureIsFollowedNotCrossFaded(int dx, int dy)
    {
        var random = new Random(1);
        var grid = Enumerable.Range(0, 17 * 17).Select(_ => 10000 + random.Next(40000)).ToArray();
        var texture = new ushort[128 * 128];
        for (var y = 0; y < 128; y++)
        {
            for (var x = 0; x < 128; x++)
            {
                var (u, v) = (x % 8 / 8.0, y % 8 / 8.0);
                var at = y / 8 * 17 + x / 8;
                texture[y * 128 + x] = (ushort)((1 - v) * ((1 - u) * grid[at] + u * grid[at + 1]) + v * ((1 - u) * grid[at + 17] + u * grid[at + 18]));
            }
        }

        using var a = Crop(0, 0);
        using var b = Crop(-dx, -dy);
        using var truth = Crop(-dx / 2, -dy / 2);
        using var made = MotionBlend.Between(a, b).At(0.5);
        double error = 0, fade = 0;
        for (var y = 20; y < 44; y++)
        {
            for (var x = 20; x < 44; x++)
            {
                var i = (y * 64 + x) * 3;
                error += Math.Abs(made.Pixels[i] - truth.Pixels[i]);
                fade += Math.Abs((a.Pixels[i] + b.Pixels[i]) / 2 - truth.Pixels[i]);
            }
        }

        Assert.True(error < 0.35 * fade, $"{error} against {fade} for a cross-fade");

        VideoFrame Crop(int left, int top)
        {
            var frame = VideoFrame.Rent(64, 64);
            for (var y = 0; y < 64; y++)
            {
                for (var x = 0; x < 64; x++) frame.Pixels.Slice((y * 64 + x) * 3, 3).Fill(texture[(y + top + 32) * 128 + x + left + 32]);
            }

            return frame;
        }
    }
}
