using CsCheck;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Media;
using EditorBridge.Native.OpenFx;

namespace EditorBridge.Native.Tests;

/// <summary>Rows of pixels between the frame file, hosts and the movie that is handed over.</summary>
public sealed class PixelTests
{
    [Fact]
    public void What_is_written_for_a_host_reads_back_as_the_same_values() =>
        Gen.Select(Gen.UShort.Array[4, 96].Select(values => values[..(values.Length / 4 * 4)]), Gen.Int[0, 3], Gen.Bool, Gen.Bool).Sample((values, depthNumber, isBgr, hasAlpha) =>
        {
            var depth = (PixelDepth)depthNumber;
            var channels = hasAlpha ? 4 : 3;
            var pixels = values.Length / 4;
            var row = new byte[pixels * channels * HostImage.BytesOf(depth)];
            PixelRows.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()), 16, row, depth, channels, isBgr);
            var back = new byte[pixels * 6];
            PixelRows.Read(row, depth, channels, isBgr, back);
            // Half of a step of eight bits; eleven bits of a half float.
            var tolerance = depth switch { PixelDepth.Byte => 129, PixelDepth.Half => 17, _ => 0 };
            for (var i = 0; i < pixels * 3; i++)
            {
                var (wanted, got) = (values[i / 3 * 4 + i % 3], back[2 * i] << 8 | back[2 * i + 1]);
                Assert.InRange(got, wanted - tolerance, wanted + tolerance);
            }
        });

    [Fact]
    public void Eight_bits_stay_what_they_are_in_every_depth() => Gen.Select(Gen.Byte.Array[4, 64].Select(v => v[..(v.Length / 4 * 4)]), Gen.Int[0, 3]).Sample((values, depthNumber) =>
    {
        var depth = (PixelDepth)depthNumber;
        var row = new byte[values.Length * HostImage.BytesOf(depth)];
        PixelRows.Write(values, 8, row, depth, 4, isBgr: false);
        var back = new byte[values.Length / 4 * 6];
        PixelRows.Read(row, depth, 4, isBgr: false, back);
        for (var i = 0; i < values.Length / 4 * 3; i++) Assert.Equal(values[i / 3 * 4 + i % 3], back[2 * i]);
    });

    [Fact]
    public void Floats_that_are_no_colours_are_cut_off()
    {
        float[] values = [float.NaN, -1, 2, float.PositiveInfinity, float.NegativeInfinity, 0.5f];
        var back = new byte[12];
        PixelRows.Read(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()), PixelDepth.Float, 3, isBgr: false, back);
        Assert.Equal([0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 128, 0], back);
    }

    [Theory]
    [Trait("Speed", "slow")]
    [InlineData(16, 16, 1, 24, 1)]
    [InlineData(130, 38, 5, 24000, 1001)]
    [InlineData(64, 36, 9, 25, 1)]
    public async Task A_raw_movie_is_read_to_the_last_bit(int width, int height, int count, int numerator, int denominator)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("frames.mov");
        var random = new Random(width);
        var frames = Enumerable.Range(0, count).Select(_ =>
        {
            var frame = new byte[width * height * 6];
            random.NextBytes(frame);
            return frame;
        }).ToList();
        RawMovie.Write(path, frames, width, height, numerator, denominator);
        var tools = (await FFmpegTools.FindAsync()).Value;
        var media = (await new MediaProbe(tools).ProbeAsync(path)).Value;
        Assert.Equal((count, width, height, new Timeline.FrameRate(numerator, denominator)), ((int)media.FrameCount, media.Width, media.Height, media.Rate));
        Assert.False(media.IsStill);
        var number = 0;
        await foreach (var frame in new FrameReader(tools).ReadAsync(media, new Timeline.FrameRange(0, count)))
        {
            using (frame)
                for (var i = 0; i < frame.Pixels.Length; i++) Assert.Equal(frames[number][2 * i] << 8 | frames[number][2 * i + 1], frame.Pixels[i]);
            number++;
        }

        Assert.Equal(count, number);
    }
}
