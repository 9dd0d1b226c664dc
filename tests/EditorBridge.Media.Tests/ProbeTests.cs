using EditorBridge.Timeline;

namespace EditorBridge.Media.Tests;

public sealed class ProbeTests : IDisposable
{
    private readonly TestMedia media = new();

    public void Dispose() => media.Dispose();

    [Theory]
    [InlineData("24", "mp4")]
    [InlineData("24000/1001", "mov")]
    [InlineData("25", "mkv")]
    [InlineData("24000/1001", "mkv")]
    [InlineData("30000/1001", "ts")]
    [InlineData("60000/1001", "mkv")]
    [InlineData("25", "avi")]
    public async Task RateAndCountAreExact(string rate, string container)
    {
        var path = await media.FilmAsync($"a.{container}", 37, rate, ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(path);
        Assert.True(FrameRate.TryParse(rate, out var expected));
        Assert.Equal(expected, info.Rate);
        Assert.Equal(37, info.FrameCount);
        Assert.False(info.IsVariableRate);
        Assert.False(info.IsInterlaced);
        Assert.Equal((TestMedia.Width, TestMedia.Height, 8), (info.Width, info.Height, info.BitDepth));
    }

    [Fact]
    public async Task VariableRateIsFound()
    {
        var path = await media.FilmAsync("v.mkv", 60, "30", ["-vf", "select='not(eq(mod(n,7),3))'", "-vsync", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(path);
        Assert.True(info.IsVariableRate);
        Assert.Equal(new FrameRate(30), info.Rate);
        // Frame 59 was dropped too.
        Assert.Equal(59, info.Times.CountAt(new FrameRate(30)));
        Assert.Contains(info.Notes, n => n.Contains("variable frame rate") && n.Contains("v.mkv"));
    }

    [Fact]
    public async Task InterlaceIsFound()
    {
        var path = await media.FilmAsync("i.mov", 20, "25", ["-vf", "setfield=tff", "-flags", "+ildct+ilme", "-c:v", "libx264", "-preset", "ultrafast", "-x264opts", "tff=1", "-pix_fmt", "yuv420p"]);
        Assert.True((await media.ProbeAsync(path)).IsInterlaced);
    }

    [Fact]
    public async Task ColourIsReportedAndAssumptionsAreSaid()
    {
        var tagged = await media.FilmAsync("t.mp4", 3, "24", ["-vf", "scale=out_color_matrix=bt709:out_range=pc,format=yuv420p", "-c:v", "libx264", "-color_range", "pc", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]);
        var info = await media.ProbeAsync(tagged);
        Assert.Equal(new ColourTags("pc", "bt709", "bt709", "bt709"), info.Colour);
        Assert.Equal(info.Colour, info.ReadAs);
        Assert.Empty(info.Notes);

        var small = await media.ProbeAsync(await media.FilmAsync("s.mp4", 3, "24", ["-c:v", "libx264", "-pix_fmt", "yuv420p"]));
        Assert.Equal("smpte170m", small.ReadAs.Matrix);
        Assert.Contains(small.Notes, n => n.Contains("BT.601") && n.Contains("s.mp4"));
        var large = await media.ProbeAsync(await media.FilmAsync("l.mp4", 3, "24", ["-vf", "scale=1280:720", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]));
        Assert.Equal("bt709", large.ReadAs.Matrix);
        Assert.Contains(large.Notes, n => n.Contains("BT.709"));
    }

    [Fact]
    public async Task DepthAspectAndTimecodeAreReported()
    {
        var path = await media.FilmAsync("p.mov", 5, "24", ["-vf", "setsar=4/3", "-c:v", "prores_ks", "-profile:v", "3", "-timecode", "01:00:03:00", "-metadata:s:v:0", "reel_name=A001"]);
        var info = await media.ProbeAsync(path);
        Assert.Equal(10, info.BitDepth);
        Assert.Equal((4, 3), info.SampleAspect);
        Assert.Equal((341, 144), (info.Width, info.Height));
        Assert.Equal("01:00:03:00", info.Timecode);
        Assert.Equal("A001", info.Reel);
    }

    [Fact]
    public async Task StillIsOneFrame()
    {
        var path = await media.FilmAsync("still%03d.png", 1, "24", ["-frames:v", "1", "-update", "1", "-f", "image2pipe", "-c:v", "png"]);
        var info = await media.ProbeAsync(path);
        Assert.True(info.IsStill);
        Assert.Equal(1, info.FrameCount);
    }

    [Fact]
    public async Task BadFilesGetOneSentenceThatNamesThem()
    {
        var probe = new MediaProbe(await TestMedia.ToolsAsync());
        File.WriteAllText(media.PathOf("text.mp4"), "no film");
        File.WriteAllBytes(media.PathOf("empty.mp4"), []);
        File.WriteAllText(media.PathOf("list.mp4"), "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n");
        var film = await media.FilmAsync("whole.mp4", 30, "24", ["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
        File.WriteAllBytes(media.PathOf("cut.mp4"), File.ReadAllBytes(film)[..3000]);
        await TestMedia.RunAsync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "sine=d=1", media.PathOf("sound.wav")]);
        if (!OperatingSystem.IsWindows()) await TestMedia.RunAsync("mkfifo", [media.PathOf("pipe.mp4")]);
        foreach (var (name, reason) in new[]
                 {
                     ("pipe.mp4", OperatingSystem.IsWindows() ? MediaReasons.Offline : MediaReasons.Unreadable),
                     ("text.mp4", MediaReasons.Unreadable), ("empty.mp4", MediaReasons.Unreadable), ("list.mp4", MediaReasons.Unreadable),
                     ("cut.mp4", MediaReasons.Unreadable), ("sound.wav", MediaReasons.Unreadable), ("none.mp4", MediaReasons.Offline), (".", MediaReasons.Unreadable),
                 })
        {
            var outcome = await probe.ProbeAsync(media.PathOf(name));
            Assert.NotNull(outcome.Refusal);
            Assert.Equal(reason, outcome.Refusal.Reason);
            Assert.Contains(name, outcome.Refusal.Message);
            Assert.DoesNotContain("\n", outcome.Refusal.Message);
        }
    }

    [Theory]
    [InlineData("-y -version.mp4")]
    [InlineData("quote\"in'it.mp4")]
    [InlineData("new\nline.mp4")]
    [InlineData("http:%2F%03d.mp4")]
    [InlineData("concat:a|b.mp4")]
    [InlineData(" ünï 漢字 ;$(rm).mp4")]
    public async Task HostileNamesAreJustNames(string name)
    {
        var path = await media.FilmAsync(name, 6, "24", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "mp4"]);
        var info = await media.ProbeAsync(path);
        Assert.Equal(6, info.FrameCount);
        Assert.Equal([2, 3], await TestMedia.NumbersAsync(new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(info, new FrameRange(2, 2))));
    }

    [Fact]
    public async Task HugePictureIsRefused()
    {
        var path = media.PathOf("bomb.png");
        await TestMedia.RunAsync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=black:s=9000x9000:d=1", "-frames:v", "1", path]);
        var outcome = await new MediaProbe(await TestMedia.ToolsAsync()).ProbeAsync(path);
        Assert.Contains("bomb.png", outcome.Refusal!.Message);
    }
}
