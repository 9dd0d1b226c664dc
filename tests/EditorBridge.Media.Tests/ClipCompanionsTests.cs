using EditorBridge.Timeline;

namespace EditorBridge.Media.Tests;

public sealed class ClipCompanionsTests : IDisposable
{
    private readonly TestMedia media = new();

    public void Dispose() => media.Dispose();

    [Fact]
    public async Task ContactSheetShowsFirstAndLastFrame()
    {
        var tools = await TestMedia.ToolsAsync();
        var clip = await media.FilmAsync("clip 1.mov", 20, "24", ["-c:v", "libx264", "-crf", "5", "-pix_fmt", "yuv420p"]);
        var picture = media.PathOf("sheet 1.png");
        var made = await ClipPictures.ContactSheetAsync(tools, await media.ProbeAsync(clip), picture, 3, 2, TestMedia.Width);
        Assert.Equal(picture, made.Value);
        var sheet = await media.ProbeAsync(picture);
        Assert.Equal((3 * TestMedia.Width + 2 * 4 + 2 * 4, 2 * TestMedia.Height + 4 + 2 * 4), (sheet.Width, sheet.Height));
        await foreach (var frame in new FrameReader(tools).ReadAsync(sheet, new FrameRange(0, 1)))
        {
            using (frame)
            {
                Assert.Equal(0, Tile(frame, 0, 0));
                Assert.Equal(19, Tile(frame, 2, 1));
            }
        }

        Assert.Equal(["clip 1.mov", "sheet 1.png"], Directory.GetFiles(media.Folder).Select(Path.GetFileName).Order());

        static int Tile(VideoFrame sheet, int column, int row)
        {
            using var tile = new PictureScaler(sheet.Width, sheet.Height, 4 + column * (TestMedia.Width + 4), 4 + row * (TestMedia.Height + 4), TestMedia.Width, TestMedia.Height, TestMedia.Width, TestMedia.Height).Scale(sheet);
            return TestMedia.NumberOf(tile);
        }
    }

    [Fact]
    public async Task PicturesOfBrokenClipsOrBadNamesAreRefused()
    {
        var tools = await TestMedia.ToolsAsync();
        var clip = await media.FilmAsync("clip.mov", 5, "24", ["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
        var info = await media.ProbeAsync(clip);
        Assert.NotNull((await ClipPictures.ContactSheetAsync(tools, info, media.PathOf("a\" INJECTED.png"))).Refusal);
        File.WriteAllText(clip, "no longer a film");
        var broken = await ClipPictures.ContactSheetAsync(tools, info, media.PathOf("a.png"));
        Assert.Contains("a.png", broken.Refusal!.Message);
        Assert.Equal(["clip.mov"], Directory.GetFiles(media.Folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task ProxyIsSmall()
    {
        var tools = await TestMedia.ToolsAsync();
        var clip = await media.ProbeAsync(await media.FilmAsync("clip.mov", 8, "24", ["-c:v", "prores_ks", "-profile:v", "3"]));
        var proxy = await media.ProbeAsync((await ClipPictures.ProxyAsync(tools, clip, media.PathOf("proxy.mp4"), 72)).Value);
        Assert.Equal((128, 72, 8L, "h264"), (proxy.Width, proxy.Height, proxy.FrameCount, proxy.Codec));
    }

    [Fact]
    public async Task PreviewIsAJpegOfTheFrame()
    {
        var tools = await TestMedia.ToolsAsync();
        using var frame = VideoFrame.Filled(640, 360, 200 * 257, 40 * 257, 90 * 257);
        File.WriteAllBytes(media.PathOf("p.jpg"), (await PreviewPicture.JpegAsync(tools, frame)).Value);
        var info = await media.ProbeAsync(media.PathOf("p.jpg"));
        Assert.Equal(("mjpeg", 320, 180), (info.Codec, info.Width, info.Height));
        await foreach (var read in new FrameReader(tools).ReadAsync(info, new FrameRange(0, 1)))
        {
            using (read)
            {
                Assert.InRange(read.Pixels[0] / 257.0, 197, 203);
                Assert.InRange(read.Pixels[1] / 257.0, 37, 43);
                Assert.InRange(read.Pixels[2] / 257.0, 87, 93);
            }
        }
    }

    [Fact]
    public void SidecarRoundTrips()
    {
        var sidecar = new ClipSidecar
        {
            Software = "EditorBridge 0.1.0",
            CreatedAt = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            DigitalSourceType = XmpBox.Address("trainedAlgorithmicMedia"),
            Job = "j1",
            Kind = "fill",
            Prompt = "a \"boat\" 漢字",
            Seed = long.MaxValue,
            Model = new ModelNote("sketch", "abc"),
            Sampling = new SamplingNote("unipc", 20, 4, 5),
            Canvas = new PictureNote(288, 160, "24", 48),
            Delivery = new PictureNote(640, 360, "24000/1001", 48),
            Sources = [new SourceNote("before", "/m/a.mov", "12", "34", ["1/24", "2/24"])],
            Seams = [new SeamNote("before", 0, 1.5, 0.1, 3, 2)],
            Notes = ["One."],
        };
        Assert.Null(sidecar.Write(media.PathOf("clip.json")));
        var text = File.ReadAllText(media.PathOf("clip.json"));
        Assert.Contains("\"digitalSourceType\": \"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\"", text);
        var read = ClipSidecar.Read(media.PathOf("clip.json")).Value;
        Assert.Equal(sidecar with { Sources = [], Seams = [], Notes = [] }, read with { Sources = [], Seams = [], Notes = [] });
        Assert.Equal(sidecar.Sources[0].Times.AsEnumerable(), read.Sources[0].Times.AsEnumerable());
        Assert.Equal(sidecar.Seams.AsEnumerable(), read.Seams.AsEnumerable());
        Assert.Equal(MediaReasons.WriteFailed, sidecar.Write(media.PathOf("no/clip.json"))!.Reason);
        File.WriteAllText(media.PathOf("clip.json"), "{}");
        Assert.NotNull(ClipSidecar.Read(media.PathOf("clip.json")).Refusal);
    }
}
