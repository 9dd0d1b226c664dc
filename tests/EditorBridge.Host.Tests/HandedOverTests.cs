using EditorBridge.Host.Tests.Support;
using EditorBridge.Media;
using EditorBridge.Protocol.V1;
using MediaInfo = EditorBridge.Media.MediaInfo;

namespace EditorBridge.Host.Tests;

/// <summary>What the host says of frames that were handed over is what ffprobe says of them.</summary>
public sealed class HandedOverTests
{
    [Theory]
    [InlineData(16, 16, 16, 1, 24, 1, false)]
    [InlineData(130, 38, 16, 5, 24000, 1001, true)]
    [InlineData(130, 38, 8, 5, 24000, 1001, false)]
    [InlineData(64, 36, 8, 9, 25, 1, true)]
    [InlineData(102, 36, 8, 1, 30000, 1001, false)]
    [InlineData(64, 38, 16, 2, 2500, 100, false)]
    public async Task Frames_are_known_without_ffprobe_and_read_to_the_last_bit(int width, int height, int bits, int count, int numerator, int denominator, bool isBackwards)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder.Path, "handover")).FullName, "frames.mov");
        var movie = new RawMovie { Width = width, Height = height, Bits = bits, Frames = count, RateNumerator = numerator, RateDenominator = denominator, IsBackwards = isBackwards };
        var random = new Random(width);
        var frames = Enumerable.Range(0, count).Select(_ =>
        {
            var frame = new byte[movie.FrameBytes];
            random.NextBytes(frame);
            return frame;
        }).ToList();
        await File.WriteAllBytesAsync(path, [.. movie.Header(), .. (isBackwards ? Enumerable.Reverse(frames) : frames).SelectMany(frame => frame), .. movie.Trailer()]);

        var tools = (await FFmpegTools.FindAsync()).Value;
        var probed = (await new MediaProbe(tools).ProbeAsync(path)).Value;
        var described = HandedOver.Describe(path)!;
        Assert.Equal(Told(probed), Told(described));
        var number = 0;
        await foreach (var frame in new FrameReader(tools).ReadAsync(described, new Timeline.FrameRange(0, count)))
        {
            using (frame)
            {
                for (var i = 0; i < frame.Pixels.Length; i++)
                    Assert.Equal(bits == 8 ? frames[number][i] * 257 : frames[number][2 * i] << 8 | frames[number][2 * i + 1], frame.Pixels[i]);
            }

            number++;
        }

        Assert.Equal(count, number);
    }

    [Fact]
    public async Task A_file_that_is_not_whole_is_left_to_ffprobe()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(folder.Path, "handover")).FullName, "frames.mov");
        var movie = new RawMovie { Width = 16, Height = 16, Bits = 8, Frames = 2, RateNumerator = 24, RateDenominator = 1 };
        await File.WriteAllBytesAsync(path, [.. movie.Header(), .. new byte[movie.FrameBytes]]);
        Assert.Null(HandedOver.Describe(path));
        Assert.Null(HandedOver.Describe(Path.Combine(folder.Path, "handover", "none.mov")));
        if (!OperatingSystem.IsWindows())
        {
            var pipe = Path.Combine(folder.Path, "handover", "pipe.mov");
            await Tool.RunAsync("mkfifo", pipe);
            Assert.Null(await Task.Run(() => HandedOver.Describe(pipe)).WaitAsync(TimeSpan.FromMinutes(1)));
        }
    }

    private static string Told(MediaInfo info) => string.Join('\n',
        info with { Notes = [] }, string.Join(" / ", info.Notes), info.Times.Count, info.Times.Rate, info.Times.IsRegular, info.Times.Start, info.Times.FrameAt(new MediaTime(1, 10)));
}
