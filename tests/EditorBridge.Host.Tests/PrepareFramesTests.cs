using System.Runtime.InteropServices;
using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Media;
using EditorBridge.Protocol.V1;
using ClipFile = EditorBridge.Protocol.V1.ClipFile;

namespace EditorBridge.Host.Tests;

/// <summary>A published clip laid out as pixels: the same frames as the clip's, once, and within the limit.</summary>
[Collection(SharedHost.Name)]
[Trait("Speed", "slow")]
public sealed class PrepareFramesTests(SharedHost shared)
{
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public async Task Every_pixel_is_that_of_the_clip(int bits)
    {
        var clip = await ClipAsync(shared.Client, frames: 6);
        var seen = new List<long>();
        var file = await shared.Client.PrepareFramesAsync(clip.Name, bits, (done, _) => seen.Add(done));
        Assert.Equal([1L, 2, 3, 4, 5, 6, 6], seen);
        Assert.Equal((6L, bits, 128, 64, clip.Rate), (file.Frames, file.Bits, file.Size.Width, file.Size.Height, file.Rate));
        using (var mapped = MappedFrames.Open(file.LocalPath)!)
        {
            Assert.Equal(file, mapped.Layout);
            var tools = (await FFmpegTools.FindAsync()).Value;
            var media = (await new MediaProbe(tools).ProbeAsync(clip.Files.First(f => f.Part == ClipFile.Types.Part.Media).LocalPath)).Value;
            var number = 0;
            await foreach (var frame in new FrameReader(tools).ReadAsync(media, new Timeline.FrameRange(0, 6)))
                using (frame) AssertSame(frame, mapped, number++);
            Assert.Equal(6, number);
            Assert.Throws<ArgumentOutOfRangeException>(() => mapped.Row(6, 0).Length);
            Assert.Throws<ArgumentOutOfRangeException>(() => mapped.Row(0, 64).Length);
        }

        seen.Clear();
        Assert.Equal(file, await shared.Client.PrepareFramesAsync(clip.Name, bits, (done, _) => seen.Add(done)));
        Assert.Equal([6L], seen);
    }

    [Fact]
    public async Task What_was_wanted_longest_ago_goes_first_and_what_can_never_fit_is_refused()
    {
        // One of these files has 5 frames of 128 x 64 x 4 bytes and a page.
        const long One = 4096 + 5 * 128 * 64 * 4;
        await using var host = await RunningHost.StartAsync(("FrameCacheBytes", $"{2 * One}"));
        using var client = await host.ConnectAsync();
        var clips = new List<Clip>();
        for (var seed = 1; seed <= 3; seed++) clips.Add(await ClipAsync(client, frames: 5, seed));
        var first = await client.PrepareFramesAsync(clips[0].Name);
        var second = await client.PrepareFramesAsync(clips[1].Name);
        Assert.Equal(One, first.SizeBytes);
        // Times of files go on in steps that a fast machine may not notice.
        File.SetLastWriteTimeUtc(second.LocalPath, File.GetLastWriteTimeUtc(second.LocalPath).AddMinutes(-1));
        using var held = MappedFrames.Open(second.LocalPath)!;
        var before = held.Row(4, 63).ToArray();
        // What a killed host left behind goes too.
        await File.WriteAllBytesAsync(first.LocalPath + ".part", new byte[10]);
        var third = await client.PrepareFramesAsync(clips[2].Name);
        Assert.True(File.Exists(first.LocalPath) && File.Exists(third.LocalPath));
        Assert.False(File.Exists(second.LocalPath) || File.Exists(first.LocalPath + ".part"));
        Assert.Equal(before, held.Row(4, 63).ToArray());

        var refused = await Assert.ThrowsAsync<EditorBridgeException>(() => client.PrepareFramesAsync((clips[0].Name[..^1]) + "1", bits: 7));
        Assert.Equal(("INVALID_ARGUMENT", "bits"), (refused.Reason, refused.Field));
        var large = await ClipAsync(client, frames: 17);
        Assert.Equal("FRAMES_TOO_LARGE", (await Assert.ThrowsAsync<EditorBridgeException>(() => client.PrepareFramesAsync(large.Name))).Reason);
        Assert.True(File.Exists(first.LocalPath) && File.Exists(third.LocalPath));
    }

    [Fact]
    public async Task Whoever_leaves_leaves_nothing_half_made()
    {
        var clip = await ClipAsync(shared.Client, frames: 33);
        using var leave = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => shared.Client.PrepareFramesAsync(clip.Name, progress: (_, _) => leave.Cancel(), cancellation: leave.Token));
        var cache = Path.Combine(shared.Host.Data, "jobs", clip.Name.Split('/')[1], "cache");
        await RunningHost.UntilAsync(() => Directory.GetFiles(cache, "*.part").Length == 0, "the host has stopped");
        Assert.Equal(33, (await shared.Client.PrepareFramesAsync(clip.Name)).Frames);
    }

    [Fact]
    public async Task A_clip_that_is_not_there_is_named()
    {
        var clip = await ClipAsync(shared.Client, frames: 5);
        foreach (var name in (string[])["jobs/none/clips/1", clip.Name + "1", "jobs/../clips/1", clip.Name[..clip.Name.LastIndexOf('/')]])
            Assert.Equal("CLIP_NOT_FOUND", (await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.PrepareFramesAsync(name))).Reason);
        File.Delete(clip.Files.First(f => f.Part == ClipFile.Types.Part.Media).LocalPath);
        Assert.Equal("CLIP_LOST", (await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.PrepareFramesAsync(clip.Name))).Reason);
        Assert.Null(MappedFrames.Open(Path.Combine(shared.Host.Data, "endpoint.json")));
        Assert.Null(MappedFrames.Open(Path.Combine(shared.Host.Data, "nothing")));
    }

    private static async Task<Clip> ClipAsync(EditorBridgeClient client, int frames, long seed = 7) =>
        (await client.WaitAsync((await client.SubmitAsync(RunningHost.Job(frames: frames, seed: seed))).Name)).Takes[0].Clip;

    private static void AssertSame(VideoFrame frame, MappedFrames mapped, int number)
    {
        for (var y = 0; y < frame.Height; y++)
        {
            var row = mapped.Row(number, y);
            for (var x = 0; x < frame.Width; x++)
            {
                for (var c = 0; c < 4; c++)
                {
                    var wanted = c == 3 ? 65535 : frame.Pixels[(y * frame.Width + x) * 3 + c];
                    if (mapped.Layout.Bits == 8) Assert.Equal((int)Math.Round(wanted / 257.0), row[4 * x + c]);
                    else Assert.Equal(wanted, MemoryMarshal.Cast<byte, ushort>(row)[4 * x + c]);
                }
            }
        }
    }
}
