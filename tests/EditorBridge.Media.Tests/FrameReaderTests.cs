using EditorBridge.Tests.Shared;
using EditorBridge.Timeline;

namespace EditorBridge.Media.Tests;

public sealed class FrameReaderTests : IDisposable
{
    private readonly TestMedia media = new();

    public void Dispose() => media.Dispose();

    [Theory]
    [InlineData("24", "mp4")]
    [InlineData("24000/1001", "mov")]
    [InlineData("24000/1001", "mkv")]
    [InlineData("25", "ts")]
    [InlineData("30000/1001", "mkv")]
    [InlineData("25", "avi")]
    public async Task FrameNIsFrameN(string rate, string container)
    {
        // Long groups with B-frames: a reader that trusts seeking or counts packets is off here.
        var path = await media.FilmAsync($"a.{container}", 150, rate, ["-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-bf", "3", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(path);
        Assert.Equal(150, info.FrameCount);
        var reader = new FrameReader(await TestMedia.ToolsAsync());
        foreach (var (start, count) in new[] { (0, 3), (49, 3), (77, 2), (120, 9), (149, 1), (141, 9) })
        {
            var expected = Enumerable.Range(start, count).ToList();
            Assert.Equal(expected, await TestMedia.NumbersAsync(reader.ReadAsync(info, new FrameRange(start, count))));
        }
    }

    [Fact]
    public async Task VariableRateShowsTheLastFrameBegunAtEachTime()
    {
        var path = await media.FilmAsync("v.mkv", 90, "30", ["-vf", "select='not(eq(mod(n,7),3)+eq(mod(n,7),4))'", "-vsync", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-g", "40", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(path);
        var expected = Enumerable.Range(30, 30).Select(n => n % 7 == 3 ? n - 1 : n % 7 == 4 ? n - 2 : n).ToList();
        var reader = new FrameReader(await TestMedia.ToolsAsync());
        Assert.Equal(expected, await TestMedia.NumbersAsync(reader.ReadAsync(info, new FrameRange(30, 30), new FrameRate(30))));
    }

    [Fact]
    public async Task JitterOfAPhoneIsStillTheRightFrame()
    {
        var path = await media.FilmAsync("j.mp4", 80, "30", ["-vf", "settb=1/90000,setpts='N*3003+mod(N*7919,700)'", "-vsync", "vfr", "-enc_time_base", "1:90000", "-video_track_timescale", "90000", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(path);
        Assert.True(info.IsVariableRate);
        Assert.Equal(FrameRate.Ntsc, info.Rate);
        var reader = new FrameReader(await TestMedia.ToolsAsync());
        var shown = await TestMedia.NumbersAsync(reader.ReadAsync(info, new FrameRange(20, 20), info.Rate));
        // Frame n begins at n·3003 + (up to 700 of 3003 ticks late): at n·3003 the frame before is still shown unless it is in time.
        var expected = Enumerable.Range(20, 20).Select(n => n * 7919 % 700 <= 1 ? n : n - 1).ToList();
        Assert.Equal(expected, shown);
    }

    [Fact]
    public async Task TimesOfAnotherRateFindTheFramesShownThen()
    {
        var path = await media.FilmAsync("a.mp4", 60, "30", ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(path);
        var reader = new FrameReader(await TestMedia.ToolsAsync());
        var times = Enumerable.Range(0, 9).Select(j => MediaTime.OfFrame(40, info.Rate) - MediaTime.OfFrame(8 - j, FrameRate.F24)).ToList();
        var expected = times.Select(t => (int)Math.Floor(t.Numerator * 30m / t.Denominator)).ToList();
        Assert.Equal(40, expected[^1]);
        Assert.Equal(expected, await TestMedia.NumbersAsync(reader.ReadAtAsync(info, times)));
    }

    [Theory]
    [InlineData(90)]
    [InlineData(180)]
    [InlineData(270)]
    public async Task TurnedPicturesStandUpright(int rotation)
    {
        var turnBack = rotation switch { 90 => "transpose=2", 180 => "hflip,vflip", _ => "transpose=1" };
        var stored = await media.FilmAsync("stored.mp4", 10, "24", ["-vf", turnBack, "-c:v", "libx264", "-pix_fmt", "yuv420p"]);
        var path = media.PathOf("turned.mp4");
        TurnedFilm.Write(stored, path, rotation);
        var info = await media.ProbeAsync(path);
        Assert.Equal(rotation, info.Rotation);
        Assert.Equal((TestMedia.Width, TestMedia.Height), (info.Width, info.Height));
        Assert.Equal([4, 5, 6], await TestMedia.NumbersAsync(new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(info, new FrameRange(4, 3))));
    }

    [Fact]
    public async Task InterlacedFilmGivesOneFrameForOne()
    {
        var path = await media.FilmAsync("i.mov", 30, "25", ["-vf", "setfield=tff", "-flags", "+ildct+ilme", "-c:v", "libx264", "-preset", "ultrafast", "-x264opts", "tff=1", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(path);
        var reader = new FrameReader(await TestMedia.ToolsAsync());
        Assert.Equal([0, 1, 2], await TestMedia.NumbersAsync(reader.ReadAsync(info, new FrameRange(0, 3))));
        Assert.Equal([13, 14], await TestMedia.NumbersAsync(reader.ReadAsync(info, new FrameRange(13, 2))));
        Assert.Equal([28, 29], await TestMedia.NumbersAsync(reader.ReadAsync(info, new FrameRange(28, 2))));
    }

    [Theory]
    [InlineData("yuv444p", 257, 145, "tv")]
    [InlineData("yuv420p", 258, 146, "pc")]
    [InlineData("yuv422p10le", 256, 144, "tv")]
    public async Task OddSizesAndFullRangeAndTenBitsAreRead(string format, int width, int height, string range)
    {
        var path = await media.FilmAsync("o.mkv", 6, "24", ["-vf", $"scale=out_color_matrix=bt709:out_range={range},format={format}", "-c:v", "ffv1", "-color_range", range, "-colorspace", "bt709"], width, height);
        var info = await media.ProbeAsync(path);
        Assert.Equal((width, height), (info.Width, info.Height));
        var frames = new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(info, new FrameRange(3, 1));
        await foreach (var frame in frames)
        {
            using (frame)
            {
                Assert.Equal(3, TestMedia.NumberOf(frame, width, height));
                var white = frame.Pixels[(20 * width + 8) * 3];
                Assert.InRange(white / 257.0, 218.5, 221.5);
            }
        }
    }

    [Theory]
    [InlineData("bt709", "tv")]
    [InlineData("smpte170m", "tv")]
    [InlineData("bt2020nc", "tv")]
    [InlineData("bt709", "pc")]
    public async Task ColoursComeOutAsTheyWentIn(string matrix, string range)
    {
        var path = media.PathOf("c.mkv");
        var colour = new byte[] { 200, 40, 90 };
        var (kr, kb) = matrix switch { "bt709" => (0.2126, 0.0722), "smpte170m" => (0.299, 0.114), _ => (0.2627, 0.0593) };
        var (r, g, b) = (colour[0] / 255.0, colour[1] / 255.0, colour[2] / 255.0);
        var luma = kr * r + (1 - kr - kb) * g + kb * b;
        var (cb, cr) = ((b - luma) / (2 * (1 - kb)), (r - luma) / (2 * (1 - kr)));
        var codes = range == "tv"
            ? new[] { (16 + 219 * luma) * 256, (128 + 224 * cb) * 256, (128 + 224 * cr) * 256 }
            : [luma * 65535, cb * 65535 + 32768, cr * 65535 + 32768];
        await TestMedia.RunAsync(
            "ffmpeg",
            ["-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv444p16le", "-s", "64x64", "-r", "24", "-i", "pipe:0", "-c:v", "ffv1", "-colorspace", matrix, "-color_range", range, "file:" + path],
            stdin =>
            {
                foreach (var code in codes)
                {
                    for (var i = 0; i < 64 * 64; i++) stdin.Write(BitConverter.GetBytes((ushort)Math.Round(code)));
                }
            });
        var info = await media.ProbeAsync(path);
        Assert.Equal((matrix, range), (info.ReadAs.Matrix, info.ReadAs.Range));
        await foreach (var frame in new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(info, new FrameRange(0, 1)))
        {
            using (frame)
            {
                for (var c = 0; c < 3; c++) Assert.InRange(frame.Pixels[c], colour[c] * 257 - 4, colour[c] * 257 + 4);
            }
        }
    }

    [Fact]
    public async Task WhiteIsWhiteAndBlackIsBlack()
    {
        // ffmpeg's own widening of the test colour to 48 bits falls short by two parts in 256; everything else must be exact.
        foreach (var (format, codec) in new[] { ("yuv420p", "libx264"), ("yuv422p10le", "prores_ks"), ("rgb24", "png"), ("rgb48be", "png"), ("gray", "png") })
        {
            foreach (var (colour, expected) in new[] { ("white", 65535), ("black", 0) })
            {
                var path = media.PathOf($"{format}-{colour}.mov");
                await TestMedia.RunAsync("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", $"color={colour}:s=64x64:r=24:d=0.2", "-vf", $"format={format}", "-c:v", codec, path]);
                await foreach (var frame in new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(await media.ProbeAsync(path), new FrameRange(1, 1)))
                {
                    using (frame) Assert.True(Math.Abs(frame.Pixels[3000] - expected) <= (format == "rgb48be" ? 600 : 1), $"{format} {colour}: {frame.Pixels[3000]}");
                }
            }
        }
    }

    [Fact]
    public async Task StillIsShownAtAnyTime()
    {
        var path = await media.FilmAsync("s.png", 1, "24", ["-frames:v", "1"]);
        var info = await media.ProbeAsync(path);
        Assert.Equal([0, 0, 0], await TestMedia.NumbersAsync(new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(info, new FrameRange(5, 3), FrameRate.F24)));
    }

    [Fact]
    public async Task FramesThatAreNotThereAreRefusedByName()
    {
        var path = await media.FilmAsync("short.mp4", 10, "24", ["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(path);
        var reader = new FrameReader(await TestMedia.ToolsAsync());
        var error = await Assert.ThrowsAsync<MediaException>(async () => await TestMedia.NumbersAsync(reader.ReadAsync(info, new FrameRange(8, 3))));
        Assert.Contains("short.mp4", error.Message);
        Assert.Contains("10 frames", error.Message);
        Assert.Equal(MediaReasons.OutOfRange, error.Refusal.Reason);
    }

    [Fact]
    public async Task DamagedFileEndsInAnErrorThatNamesIt()
    {
        var path = await media.FilmAsync("broken.mp4", 60, "24", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]);
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        var info = await media.ProbeAsync(path);
        var error = await Assert.ThrowsAsync<MediaException>(async () =>
            await TestMedia.NumbersAsync(new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(info, new FrameRange(40, 20))));
        Assert.Contains("broken.mp4", error.Message);
    }

    [Fact]
    public async Task FileThatVanishesAfterTheProbeIsNamed()
    {
        var path = await media.FilmAsync("gone.mp4", 10, "24", ["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(path);
        File.Delete(path);
        var error = await Assert.ThrowsAsync<MediaException>(async () =>
            await TestMedia.NumbersAsync(new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(info, new FrameRange(0, 1))));
        Assert.Contains("does not exist", error.Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LeavingOrCancellingEndsFFmpeg(bool cancel)
    {
        var path = media.PathOf("long.mp4");
        await TestMedia.RunAsync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=24:d=20", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path]);
        var info = await media.ProbeAsync(path);
        FFmpegProcess? process = null;
        var id = 0;
        var reader = new FrameReader(await TestMedia.ToolsAsync()) { Started = p => (process, id) = (p, p.Id) };
        using var source = new CancellationTokenSource();
        var read = 0;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        try
        {
            await foreach (var frame in reader.ReadAsync(info, new FrameRange(0, 480), null, source.Token))
            {
                frame.Dispose();
                if (++read < 3) continue;
                clock.Restart();
                if (!cancel) break;
                await source.CancelAsync();
            }

            Assert.False(cancel);
        }
        catch (OperationCanceledException)
        {
            Assert.True(cancel);
        }

        Assert.NotNull(process);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"it took {clock.Elapsed}");
        Assert.Throws<ArgumentException>(() => System.Diagnostics.Process.GetProcessById(id));
    }
}
