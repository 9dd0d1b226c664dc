using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Conditioning;

public sealed class GivenFramesTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly WanVideoVae vae;

    public GivenFramesTests()
    {
        vae = new WanVideoVae(WanVaeConfig.Wan21 with { BaseDim = 2 });
        random.manual_seed(1);
        vae.Initialize();
    }

    public void Dispose()
    {
        vae.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void TheMaskNamesTheGivenFrames()
    {
        using var noGrad = no_grad();
        var clip = GivenFrames.Clip(ones(1, 3, 16, 16), -ones(1, 3, 16, 16), 9);
        Assert.Equal([1, 3, 9, 16, 16], clip.shape);
        Assert.Equal(0, clip.narrow(2, 1, 7).abs().sum().item<float>());
        var channels = GivenFrames.Channels(vae, clip, [0, 3, 8]);
        Assert.Equal([1, 20, 3, 2, 2], channels.shape);
        var mask = channels[0, .., .., 1, 0].narrow(0, 0, 4).transpose(0, 1).contiguous().data<float>().ToArray();
        // Frame 0 alone is the first latent; frames 1 to 4 the second, 5 to 8 the third.
        Assert.Equal([1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1], mask);
        Assert.True((channels.narrow(1, 4, 16) == vae.Encode(clip)).all().item<bool>());
        Assert.Throws<ArgumentOutOfRangeException>(() => GivenFrames.Channels(vae, clip, [9]));
    }

    [Theory]
    [InlineData(1920, 1080, 921_600, 1280, 720)]
    [InlineData(70, 50, 3072, 64, 32)]
    [InlineData(9000, 10, 1024, 960, 16)]
    public void SizesAreThoseOfTheReference(int width, int height, long area, int wantedWidth, int wantedHeight) =>
        Assert.Equal((wantedWidth, wantedHeight), GivenFrames.Size(width, height, area));

    [Theory]
    [InlineData(81, new[] { 1, 5, 9, 13, 17, 21, 25, 28, 32, 36, 40, 44, 48, 52, 55, 59, 63, 67, 71, 75, 79 })]
    [InlineData(33, new[] { 1, 5, 9, 12, 16, 20, 23, 27, 31 })]
    [InlineData(5, new[] { 1, 3 })]
    public void VaceTakesTheMaskOfTheFramesThatTheReferenceTakes(int frames, int[] chosen)
    {
        using var noGrad = no_grad();
        var mask = (arange(frames, dtype: float32) / 100).view(1, 1, -1, 1, 1).expand(1, 1, frames, 16, 16);
        var context = VaceConditioning.Context(vae, zeros([1, 3, frames, 16, 16]), mask, [ones([1, 3, 1, 16, 16])]);
        Assert.Equal([1, 96, chosen.Length + 1, 2, 2], context.shape);
        var cells = context[0].narrow(0, 32, 64).mean([0, 2, 3]).data<float>().Select(value => (int)MathF.Round(value * 100)).ToArray();
        Assert.Equal([0, .. chosen], cells); // the picture of the subject has none
        Assert.Equal(0, context[0, 16..32, 0].abs().sum().item<float>());
    }
}
