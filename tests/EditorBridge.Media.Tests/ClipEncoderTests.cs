using System.Text.Json;
using EditorBridge.Timeline;

namespace EditorBridge.Media.Tests;

public sealed class ClipEncoderTests : IDisposable
{
    private readonly TestMedia media = new();

    public void Dispose() => media.Dispose();

    public static VideoFrame Numbered(int n, int width = TestMedia.Width, int height = TestMedia.Height)
    {
        var bytes = TestMedia.Numbered(n, width, height);
        var frame = VideoFrame.Rent(width, height);
        for (var i = 0; i < bytes.Length; i++) frame.Pixels[i] = (ushort)(bytes[i] * 257);
        return frame;
    }

    private static ClipSettings Settings(ClipCodec codec, string rate, int frames, int width = TestMedia.Width, int height = TestMedia.Height) => new()
    {
        Codec = codec,
        Width = width,
        Height = height,
        Rate = FrameRate.TryParse(rate, out var parsed) ? parsed : throw new ArgumentException(rate),
        FrameCount = frames,
        StartTimecode = "01:00:03:05",
        ReelName = "GEN0001",
        Metadata = new Dictionary<string, string> { ["prompt"] = "a \"red\" boat; it's = 10% 漢字\nsecond line", ["seed"] = "42" },
    };

    private async Task<Outcome<ClipFile>> EncodeAsync(ClipSettings settings, string name)
    {
        await using var encoder = ClipEncoder.Start(await TestMedia.ToolsAsync(), settings, media.PathOf(name)).Value;
        for (var n = 0; n < settings.FrameCount; n++)
        {
            using var frame = Numbered(n, settings.Width, settings.Height);
            encoder.Write(frame);
        }

        return await encoder.FinishAsync();
    }

    [Theory]
    [InlineData(ClipCodec.H264, "24", "h264", "yuv420p", "a.mov")]
    [InlineData(ClipCodec.H264, "24000/1001", "h264", "yuv420p", "b.mov")]
    [InlineData(ClipCodec.H264, "25", "h264", "yuv420p", "c.mp4")]
    [InlineData(ClipCodec.H264, "60000/1001", "h264", "yuv420p", "d.mov")]
    [InlineData(ClipCodec.ProRes422Hq, "24000/1001", "prores", "yuv422p10le", "e.mov")]
    [InlineData(ClipCodec.DnxHrHq, "30000/1001", "dnxhd", "yuv422p", "f.mov")]
    [InlineData(ClipCodec.DnxHrHqx, "30", "dnxhd", "yuv422p10le", "g.mov")]
    public async Task ClipIsExactlyWhatWasAsked(ClipCodec codec, string rate, string codecName, string pixelFormat, string name)
    {
        var clip = (await EncodeAsync(Settings(codec, rate, 13), name)).Value;
        // ffprobe itself, not our probe, says what an editor will see.
        using var json = JsonDocument.Parse(await TestMedia.RunAsync("ffprobe", ["-v", "error", "-count_frames", "-of", "json", "-show_streams", "-show_format", clip.Path]));
        var stream = json.RootElement.GetProperty("streams").EnumerateArray().Single(s => s.GetProperty("codec_type").GetString() == "video");
        string Text(string key) => stream.GetProperty(key).GetString()!;
        // ProRes has no place for the range; ffmpeg 6 says so.
        string Range() => stream.TryGetProperty("color_range", out var range) || codec != ClipCodec.ProRes422Hq ? range.GetString()! : "tv";
        var reduced = FrameRate.TryParse(rate, out var r) ? $"{r.Numerator}/{r.Denominator}" : "";
        Assert.Equal(
            ("13", reduced, reduced, codecName, pixelFormat, "tv", "bt709", "bt709", "bt709"),
            (Text("nb_read_frames"), Text("r_frame_rate"), Text("avg_frame_rate"), Text("codec_name"), Text("pix_fmt"), Range(), Text("color_space"), Text("color_primaries"), Text("color_transfer")));
        Assert.Equal("0.000000", Text("start_time"));
        Assert.Contains("01:00:03:05", json.RootElement.ToString());
        var tags = json.RootElement.GetProperty("format").GetProperty("tags");
        Assert.Equal("a \"red\" boat; it's = 10% 漢字\nsecond line", tags.GetProperty("com.editorbridge.prompt").GetString());
        Assert.Equal("42", tags.GetProperty("com.editorbridge.seed").GetString());
        Assert.Contains("trainedAlgorithmicMedia", tags.GetProperty("com.editorbridge.digital_source_type").GetString());
        Assert.Contains("Iptc4xmpExt:DigitalSourceType", System.Text.Encoding.UTF8.GetString(File.ReadAllBytes(clip.Path)));

        var info = await media.ProbeAsync(clip.Path);
        Assert.Equal("01:00:03:05", info.Timecode);
        // MP4 has no place for a reel name.
        Assert.Equal(name.EndsWith(".mp4") ? null : "GEN0001", info.Reel);
        Assert.Empty(info.Notes);
        Assert.Equal(Enumerable.Range(0, 13), await TestMedia.NumbersAsync(new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(info, new FrameRange(0, 13))));
        Assert.Equal([name], Directory.GetFiles(media.Folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task EveryFrameIsAKeyFrame()
    {
        var clip = (await EncodeAsync(Settings(ClipCodec.H264, "24", 9), "k.mov")).Value;
        var flags = await TestMedia.RunAsync("ffprobe", ["-v", "error", "-select_streams", "v", "-show_entries", "packet=flags", "-of", "csv=p=0", clip.Path]);
        Assert.Equal(9, flags.Split('\n').Count(line => line.StartsWith('K')));
    }

    [Theory]
    [InlineData(ClipCodec.H264)]
    [InlineData(ClipCodec.ProRes422Hq)]
    [InlineData(ClipCodec.DnxHrHqx)]
    public async Task SameFramesGiveTheSameBytes(ClipCodec codec)
    {
        var first = (await EncodeAsync(Settings(codec, "24", 11), "1.mov")).Value;
        var second = (await EncodeAsync(Settings(codec, "24", 11), "2.mov")).Value;
        Assert.Equal(first.Sha256, second.Sha256);
    }

    [Theory]
    [InlineData(ClipCodec.H264, 5.0)]
    [InlineData(ClipCodec.ProRes422Hq, 1.5)]
    [InlineData(ClipCodec.DnxHrHqx, 1.5)]
    public async Task ColoursSurvive(ClipCodec codec, double within)
    {
        // Smooth ramps of colour: a wrong matrix, range or chroma position shows as an offset everywhere.
        const int Frames = 2;
        var settings = Settings(codec, "24", Frames);
        using var ramp = VideoFrame.Rent(settings.Width, settings.Height);
        for (var y = 0; y < ramp.Height; y++)
        {
            for (var x = 0; x < ramp.Width; x++)
            {
                var p = (y * ramp.Width + x) * 3;
                (ramp.Pixels[p], ramp.Pixels[p + 1], ramp.Pixels[p + 2]) = ((ushort)(x * 65535 / ramp.Width), (ushort)(y * 65535 / ramp.Height), (ushort)(65535 - x * 65535 / ramp.Width));
            }
        }

        await using var encoder = ClipEncoder.Start(await TestMedia.ToolsAsync(), settings, media.PathOf("ramp.mov")).Value;
        for (var n = 0; n < Frames; n++) encoder.Write(ramp);
        var clip = (await encoder.FinishAsync()).Value;
        await foreach (var frame in new FrameReader(await TestMedia.ToolsAsync()).ReadAsync(await media.ProbeAsync(clip.Path), new FrameRange(1, 1)))
        {
            using (frame)
            {
                double worst = 0, bias = 0;
                var counted = 0;
                for (var y = 8; y < frame.Height - 8; y++)
                {
                    for (var x = 8; x < frame.Width - 8; x++)
                    {
                        for (var c = 0; c < 3; c++)
                        {
                            var difference = (frame.Pixels[(y * frame.Width + x) * 3 + c] - ramp.Pixels[(y * frame.Width + x) * 3 + c]) / 257.0;
                            worst = Math.Max(worst, Math.Abs(difference));
                            if (c == 0) (bias, counted) = (bias + difference, counted + 1);
                        }
                    }
                }

                Assert.True(worst <= within, $"worst {worst}");
                // A quarter pixel of chroma shift would be 0.2 levels of red here.
                Assert.InRange(bias / counted, -0.1, 0.1);
            }
        }
    }

    [Fact]
    public async Task WrongNumberOfFramesIsNoClip()
    {
        await using (var encoder = ClipEncoder.Start(await TestMedia.ToolsAsync(), Settings(ClipCodec.H264, "24", 5), media.PathOf("few.mov")).Value)
        {
            using var frame = Numbered(0);
            encoder.Write(frame);
            var outcome = await encoder.FinishAsync();
            Assert.Contains("1 of 5 frames", outcome.Refusal!.Message);
        }

        await using (var encoder = ClipEncoder.Start(await TestMedia.ToolsAsync(), Settings(ClipCodec.H264, "24", 1), media.PathOf("many.mov")).Value)
        {
            using var frame = Numbered(0);
            encoder.Write(frame);
            Assert.Throws<InvalidOperationException>(() => encoder.Write(frame));
        }

        Assert.Empty(Directory.GetFiles(media.Folder));
    }

    [Fact]
    public async Task CancellingEndsFFmpegAndLeavesNothing()
    {
        using var source = new CancellationTokenSource();
        await using (var encoder = ClipEncoder.Start(await TestMedia.ToolsAsync(), Settings(ClipCodec.H264, "24", 50), media.PathOf("x.mov"), source.Token).Value)
        {
            using var frame = Numbered(0);
            for (var n = 0; n < 5; n++) encoder.Write(frame);
            await source.CancelAsync();
            Assert.ThrowsAny<OperationCanceledException>(() => encoder.Write(frame));
        }

        Assert.Empty(Directory.GetFiles(media.Folder));
        await using (var encoder = ClipEncoder.Start(await TestMedia.ToolsAsync(), Settings(ClipCodec.H264, "24", 50), media.PathOf("y.mov")).Value)
        {
            using var frame = Numbered(0);
            encoder.Write(frame);
        }

        Assert.Empty(Directory.GetFiles(media.Folder));
    }

    [Fact]
    public async Task BrokenFFmpegIsOneSentence()
    {
        if (OperatingSystem.IsWindows()) return;
        var real = await TestMedia.ToolsAsync();
        foreach (var (script, expected) in new[]
                 {
                     ("cat > /dev/null; echo '[libx264 @ 0x1] something broke' >&2; exit 1", "something broke"),
                     ("echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1", "disk is full"),
                     ("kill -SEGV $$", "signal 11"),
                     ("cat > /dev/null; exit 0", "does not open again"),
                 })
        {
            File.WriteAllText(media.PathOf("ffmpeg"), $"#!/bin/bash\nif [ \"$1\" = -version ] || [ \"$2\" = -encoders ]; then exec '{real.FFmpegPath}' \"$@\"; fi\n{script}\n");
            File.WriteAllText(media.PathOf("ffprobe"), $"#!/bin/bash\nexec '{real.FFprobePath}' \"$@\"\n");
            foreach (var name in new[] { "ffmpeg", "ffprobe" })
                File.SetUnixFileMode(media.PathOf(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var tools = (await FFmpegTools.FindAsync(media.Folder, null, default)).Value;
            await using var encoder = ClipEncoder.Start(tools, Settings(ClipCodec.H264, "24", 60), media.PathOf("broken.mov")).Value;
            Refusal refusal;
            try
            {
                using var frame = Numbered(0);
                for (var n = 0; n < 60; n++) encoder.Write(frame);
                refusal = (await encoder.FinishAsync()).Refusal!;
            }
            catch (MediaException error)
            {
                refusal = error.Refusal;
            }

            Assert.Contains(expected, refusal.Message);
            Assert.Contains("broken.mov", refusal.Message);
            Assert.False(File.Exists(media.PathOf("broken.mov")));
        }
    }

    [Theory]
    [InlineData(ClipCodec.ProRes422Hq, true)]
    [InlineData(ClipCodec.H264, false)]
    public async Task AnOpenRangeIsTheLimitedOneInProResAlone(ClipCodec codec, bool isRight)
    {
        if (OperatingSystem.IsWindows()) return;
        var real = await TestMedia.ToolsAsync();
        File.WriteAllText(media.PathOf("ffmpeg"), $"#!/bin/bash\nexec '{real.FFmpegPath}' \"$@\"\n");
        // As ffprobe of ffmpeg 6 describes ProRes.
        File.WriteAllText(media.PathOf("ffprobe"), $"#!/bin/bash\n'{real.FFprobePath}' \"$@\" | sed '/\"color_range\"/d'\n");
        foreach (var name in new[] { "ffmpeg", "ffprobe" })
            File.SetUnixFileMode(media.PathOf(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var tools = (await FFmpegTools.FindAsync(media.Folder, null, default)).Value;
        await using var encoder = ClipEncoder.Start(tools, Settings(codec, "24", 2), media.PathOf("range.mov")).Value;
        using var frame = Numbered(0);
        for (var n = 0; n < 2; n++) encoder.Write(frame);
        var finished = await encoder.FinishAsync();
        Assert.True(isRight ? finished.Refusal is null : finished.Refusal!.Message.Contains("instead of BT.709", StringComparison.Ordinal), finished.Refusal?.Message);
    }

    [Fact]
    public async Task ImpossibleClipsAreRefusedWithTheWayOut()
    {
        var tools = await TestMedia.ToolsAsync();
        var good = Settings(ClipCodec.H264, "24", 5);
        foreach (var (settings, name, expected) in new[]
                 {
                     (good with { Width = 255 }, "a.mov", "256 x 144"),
                     (good with { Codec = ClipCodec.ProRes422Hq, Width = 255 }, "a.mov", "256 x 144"),
                     (good with { Codec = ClipCodec.DnxHrHqx, Width = 128, Height = 72 }, "a.mov", "256 x 120"),
                     (good with { StartTimecode = "01:00:00:24" }, "a.mov", "0 to 23"),
                     (good with { StartTimecode = "01:00:00;02" }, "a.mov", "29.97"),
                     (good with { StartTimecode = "soon" }, "a.mov", "soon"),
                     (good with { ReelName = "two words" }, "a.mov", "two words"),
                     (good with { FrameCount = 0 }, "a.mov", "no frames"),
                     (good, "a.avi", "a.avi"),
                     (good with { Codec = ClipCodec.ProRes422Hq }, "a.mp4", ".mov"),
                     (good, "missing/a.mov", "does not exist"),
                 })
        {
            var outcome = ClipEncoder.Start(tools, settings, media.PathOf(name));
            Assert.NotNull(outcome.Refusal);
            Assert.Contains(expected, outcome.Refusal.Message);
        }
    }

    [Fact]
    public async Task DropFrameTimecodeIsKept()
    {
        var settings = Settings(ClipCodec.H264, "30000/1001", 4) with { StartTimecode = "00:59:59;28" };
        var clip = (await EncodeAsync(settings, "df.mov")).Value;
        Assert.Equal("00:59:59;28", clip.Timecode);
    }

    [Fact]
    public async Task OddHeightIsFineForProRes()
    {
        var clip = (await EncodeAsync(Settings(ClipCodec.ProRes422Hq, "24", 3, 256, 145), "odd.mov")).Value;
        Assert.Equal(145, (await media.ProbeAsync(clip.Path)).Height);
    }
}
