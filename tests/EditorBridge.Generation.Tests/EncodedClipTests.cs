using System.Globalization;
using System.Text.Json;
using EditorBridge.Media;
using EditorBridge.Planning;
using EditorBridge.Timeline;

namespace EditorBridge.Generation.Tests;

/// <summary>From plan to clip file, counted by ffprobe.</summary>
[Collection(Networks.Name)]
public class EncodedClipTests(TinyModel tiny)
{
    [Theory]
    [InlineData(JobKind.BRoll, 13, "24000/1001", DeliveryCodec.H264)]
    [InlineData(JobKind.ExtendTail, 50, "25", DeliveryCodec.H264)]
    [InlineData(JobKind.ExtendHead, 47, "24", DeliveryCodec.ProRes)]
    [InlineData(JobKind.Fill, 21, "60000/1001", DeliveryCodec.DnxHr)]
    [InlineData(JobKind.Still, 5, "30", DeliveryCodec.H264)]
    public async Task The_clip_has_exactly_the_frames_and_rate(JobKind kind, int frames, string rateText, DeliveryCodec codec)
    {
        var found = await FFmpegTools.FindAsync();
        if (!found.TryGet(out var tools, out var refusal))
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", refusal?.Message);
            return;
        }

        Assert.True(FrameRate.TryParse(rateText, out var rate));
        var request = TestJob.Request(kind, frames, rate);
        // DNxHR begins at 256 x 120.
        using var job = new TestJob(request with { Delivery = request.Delivery with { Codec = codec, Width = 320, Height = 160, StartTimecode = "01:00:00:00", Reel = "GEN0001" } }, tiny.Model.Capabilities);
        var result = TakeRun.Run(job.Folder, job.Folder.ReadPlan(), 1, tiny.Model, tools, new SilentObserver(), options: new TakeOptions { Threads = 1 });
        var (counted, reported, size) = await Count(tools, result.ClipPath);
        Assert.Equal(frames, counted);
        Assert.Equal(rate, reported);
        Assert.Equal("320x160", size);

        Assert.True(ClipSidecar.Read(Path.ChangeExtension(result.ClipPath, ".json")).TryGet(out var sidecar, out refusal), refusal?.Message);
        Assert.Equal((5L, 1, tiny.Model.Capabilities.Hash), (sidecar.Seed, sidecar.Threads, sidecar.Model.Sha256));
        Assert.Equal(await FrozenFrames.HashAsync(result.ClipPath), sidecar.ClipSha256);
        Assert.Equal(job.Plan.Prompt, sidecar.Prompt);
        Assert.Equal(kind is JobKind.ExtendTail or JobKind.Fill, sidecar.Sources.Any(source => source.Role == "before"));
        Assert.Equal(result.Seams.Count, sidecar.Seams.Length);
        Assert.EndsWith("trainedAlgorithmicMedia", sidecar.DigitalSourceType, StringComparison.Ordinal);
    }

    private static async Task<(int Frames, FrameRate Rate, string Size)> Count(FFmpegTools tools, string path)
    {
        var start = new System.Diagnostics.ProcessStartInfo(tools.FFprobePath) { RedirectStandardOutput = true };
        foreach (var argument in (string[])["-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames,r_frame_rate,width,height", "-of", "json", path])
            start.ArgumentList.Add(argument);
        using var process = System.Diagnostics.Process.Start(start)!;
        using var json = JsonDocument.Parse(await process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        var stream = json.RootElement.GetProperty("streams")[0];
        Assert.True(FrameRate.TryParse(stream.GetProperty("r_frame_rate").GetString(), out var rate));
        return (
            int.Parse(stream.GetProperty("nb_read_frames").GetString()!, CultureInfo.InvariantCulture), rate,
            string.Create(CultureInfo.InvariantCulture, $"{stream.GetProperty("width").GetInt32()}x{stream.GetProperty("height").GetInt32()}"));
    }
}
