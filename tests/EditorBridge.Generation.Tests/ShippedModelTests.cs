using EditorBridge.Planning;

namespace EditorBridge.Generation.Tests;

/// <summary>The model that every program brings along.</summary>
[Collection(Networks.Name)]
public class ShippedModelTests
{
    [Fact]
    [Trait("Speed", "slow")]
    public void A_fill_begins_where_the_source_ends_and_ends_where_the_next_shot_begins()
    {
        using var model = LoadedModel.Load(Path.Combine(AppContext.BaseDirectory, "models", "sketch"), "sketch", "cpu");
        Assert.Equal((81, 9), (model.Capabilities.MaxFrames, model.Capabilities.MaxContextFrames));
        Assert.Contains(new CanvasSize(288, 160), model.Capabilities.Sizes);
        var request = TestJob.Request(JobKind.Fill, 16, k: 5) with { Steps = 4 };
        using var job = new TestJob(request with { Delivery = request.Delivery with { Width = 192, Height = 96 } }, model.Capabilities);
        Assert.Equal(Mechanism.CleanContext, job.Plan.Mechanism);
        var clip = new KeptFrames();
        var result = job.Run(model, clip);
        Assert.Equal(16, clip.Frames.Count);
        Assert.Equal(2, result.Seams.Count);
        var (lastBefore, firstAfter) = (job.Real(JobFolder.Before, ^1), job.Real(JobFolder.After, 0));
        // The pattern itself changes by about six levels from frame to frame.
        Assert.InRange(Difference(clip.Frames[0], lastBefore), 0, 16);
        Assert.InRange(Difference(clip.Frames[^1], firstAfter), 0, 16);
        Assert.True(Difference(clip.Frames[0], firstAfter) > 40);
    }

    private static double Difference(ushort[] one, ushort[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Average() / 257;
}
