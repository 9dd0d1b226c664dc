using System.Security.Cryptography;
using EditorBridge.Timeline;

namespace EditorBridge.Media.Tests;

public sealed class FrozenFramesTests : IDisposable
{
    private readonly TestMedia media = new();

    public void Dispose() => media.Dispose();

    private static async IAsyncEnumerable<VideoFrame> Ramp(int count, int width = 20, int height = 10)
    {
        for (var n = 0; n < count; n++)
        {
            await Task.Yield();
            yield return VideoFrame.Filled(width, height, (ushort)(n * 1000), 7, 65535);
        }
    }

    private static readonly FrozenFramesInfo Uploaded = new() { Width = 0, Height = 0, Count = 0, Rate = FrameRate.Film, ReadAs = ColourTags.Bt709 };

    [Fact]
    public async Task FramesComeBackAsTheyWentIn()
    {
        var written = (await FrozenFrames.WriteAsync(media.Folder, "before", Uploaded, Ramp(5))).Value;
        Assert.Equal((20, 10, 5), (written.Width, written.Height, written.Count));
        using var reader = FrozenFrames.Open(media.Folder, "before").Value;
        Assert.Equal(FrameRate.Film, reader.Info.Rate);
        for (var n = 4; n >= 0; n--)
        {
            using var frame = reader.Read(n);
            Assert.Equal([(ushort)(n * 1000), 7, 65535], frame.Pixels[..3].ToArray());
            Assert.Equal([(ushort)(n * 1000), 7, 65535], frame.Pixels[^3..].ToArray());
        }

        Assert.Equal(["before.json", "before.rgb48"], Directory.GetFiles(media.Folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task FreezingKeepsSourceHashTimesAndTags()
    {
        var path = await media.FilmAsync("a.mov", 30, "24000/1001", ["-vf", "scale=out_color_matrix=bt709,format=yuv420p", "-c:v", "libx264", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]);
        var info = await media.ProbeAsync(path);
        var tools = await TestMedia.ToolsAsync();
        var frozen = (await FrozenFrames.FreezeAsync(tools, info, new FrameRange(21, 9), null, media.Folder, "tail")).Value;
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), frozen.SourceSha256);
        Assert.Equal("1001/24000", MediaTime.OfFrame(1, FrameRate.Film).ToString());
        Assert.Equal(MediaTime.OfFrame(29, FrameRate.Film).ToString(), frozen.Times[^1]);
        Assert.Equal(ColourTags.Bt709, frozen.SourceColour);
        File.Delete(path);
        using var reader = FrozenFrames.Open(media.Folder, "tail").Value;
        for (var n = 0; n < 9; n++)
        {
            using var frame = reader.Read(n);
            Assert.Equal(21 + n, TestMedia.NumberOf(frame));
        }
    }

    [Fact]
    public async Task DamageIsFound()
    {
        await FrozenFrames.WriteAsync(media.Folder, "x", Uploaded, Ramp(3));
        var raw = media.PathOf("x.rgb48");
        var bytes = File.ReadAllBytes(raw);
        bytes[100] ^= 1;
        File.WriteAllBytes(raw, bytes);
        Assert.Equal(MediaReasons.FrozenDamaged, FrozenFrames.Open(media.Folder, "x").Refusal!.Reason);
        File.WriteAllBytes(raw, bytes[..^2]);
        Assert.Contains("x.rgb48", FrozenFrames.Open(media.Folder, "x", verify: false).Refusal!.Message);
        File.WriteAllText(media.PathOf("x.json"), "{\"width\": 3");
        Assert.Equal(MediaReasons.FrozenDamaged, FrozenFrames.Open(media.Folder, "x").Refusal!.Reason);
        Assert.Equal(MediaReasons.FrozenDamaged, FrozenFrames.Open(media.Folder, "nothing").Refusal!.Reason);
    }

    [Fact]
    public async Task CancelledOrFailedFreezeLeavesNothing()
    {
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await FrozenFrames.WriteAsync(media.Folder, "c", Uploaded, Cancelling(), source.Token));
        Assert.Empty(Directory.GetFiles(media.Folder));

        var outcome = await FrozenFrames.WriteAsync(Path.Combine(media.Folder, "no", "folder"), "c", Uploaded, Ramp(2));
        Assert.Equal(MediaReasons.WriteFailed, outcome.Refusal!.Reason);

        async IAsyncEnumerable<VideoFrame> Cancelling()
        {
            yield return VideoFrame.Filled(4, 4, 1, 2, 3);
            await source.CancelAsync();
            source.Token.ThrowIfCancellationRequested();
        }
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("a/b")]
    [InlineData("")]
    public async Task NamesStayInTheFolder(string name) =>
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await FrozenFrames.WriteAsync(media.Folder, name, Uploaded, Ramp(1)));
}
