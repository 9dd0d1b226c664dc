using EditorBridge.Diffusion.Parity;
using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Wan;

/// <summary>The layout of 2.1; what it shares with 2.2 is in <see cref="WanVideoVaeTests"/>, its numbers in <see cref="ParityTests"/>.</summary>
public class WanVideoVae21Tests
{
    private static readonly GoldenWeights Weights = new(GoldenCase.PathOf("vae21"), "weights");

    [Fact]
    public void OriginalKeysBecomeDiffusersKeys()
    {
        var pairs = Weights.KeyMap;
        Assert.Equal(194, pairs.Count);
        foreach (var (original, diffusers) in pairs)
        {
            Assert.Equal(diffusers, WanVideoVaeKeys.ToDiffusers(original));
            Assert.Equal(diffusers, WanVideoVaeKeys.ToDiffusers(diffusers));
        }

        using var vae = new WanVideoVae(ConfigFile.Vae(Weights.Converted, "config").OrThrow());
        Assert.Equal(pairs.Select(pair => pair.Converted).Order(StringComparer.Ordinal), vae.state_dict().Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ItsFullSizeIsThatOfTheCheckpoints()
    {
        using var scope = NewDisposeScope();
        using var vae = new WanVideoVae(WanVaeConfig.Wan21);
        Assert.Equal(126_892_531, vae.parameters().Sum(parameter => parameter.numel()));
        Assert.Equal(194, vae.parameters().Count());
    }

    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 2)]
    [InlineData(1, 3)]
    public void ChunksOfAnySizeAreTheWholeClip(params int[] chunks)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var vae = Golden();
        random.manual_seed(1);
        var latent = randn([1, 16, 4, 2, 3]);
        var video = rand([1, 3, 13, 16, 24]) * 2 - 1;
        var (wholeVideo, wholeLatent) = (vae.Decode(latent), vae.Encode(video));
        using var decoding = new WanVideoVaeCache();
        using var encoding = new WanVideoVaeCache();
        var (at, frame) = (0, 0);
        foreach (var count in chunks)
        {
            var frames = at == 0 ? 4 * count - 3 : 4 * count;
            Assert.True(vae.DecodeChunk(latent.narrow(2, at, count), decoding).allclose(wholeVideo.narrow(2, frame, frames), 1e-4, 1e-5));
            Assert.True(vae.EncodeChunk(video.narrow(2, frame, frames), encoding).allclose(wholeLatent.narrow(2, at, count), 1e-4, 1e-5));
            (at, frame) = (at + count, frame + frames);
        }
    }

    [Fact]
    public void GradientsReachEveryWeightThatMatters()
    {
        using var scope = NewDisposeScope();
        using var vae = Golden();
        random.manual_seed(3);
        var (mean, logVariance) = vae.EncodeMoments(rand([1, 3, 9, 16, 24]) * 2 - 1);
        (mean.square().sum() + logVariance.square().sum() + vae.Decode(randn([1, 16, 3, 2, 3]), clamp: false).square().sum()).backward();
        Assert.All(vae.named_parameters(), pair => Assert.True(pair.parameter.grad?.abs().max().item<float>() > 0, $"{pair.name} has no gradient"));
    }

    [Fact]
    public void ItStartsSaneAndComesBackFromItsFolder()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        random.manual_seed(4);
        using var vae = new WanVideoVae(WanVaeConfig.Wan21 with { BaseDim = 8 });
        vae.Initialize();
        var latent = randn([1, 16, 2, 3, 3]);
        var decoded = vae.Decode(latent, clamp: false);
        Assert.InRange(decoded.std().item<float>(), 0.05f, 2f);
        Assert.InRange(vae.Encode(rand([1, 3, 5, 24, 24]) * 2 - 1).std().item<float>(), 0.1f, 10f);
        var folder = Directory.CreateTempSubdirectory("vae-").FullName;
        try
        {
            vae.Save(folder);
            using var back = WanVideoVae.Load(folder);
            Assert.True((back.Decode(latent, clamp: false) == decoded).all().item<bool>());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(3, 5, 7, 48)]
    [InlineData(4, 5, 32, 48)]
    [InlineData(3, 0, 32, 48)]
    public void OtherShapesAreRefused(int channels, int frames, int height, int width)
    {
        using var scope = NewDisposeScope();
        using var vae = Golden();
        Assert.Throws<ArgumentException>(() => vae.Encode(zeros([1, channels, frames, height, width])));
    }

    private static WanVideoVae Golden() => VaeParity.Network(Weights, Weights.Files[0].Path);
}
