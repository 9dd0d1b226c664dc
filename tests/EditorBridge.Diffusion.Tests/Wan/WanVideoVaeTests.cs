using System.Text.Json;
using EditorBridge.Diffusion.Tests.Goldens;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using EditorBridge.Models.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Wan;

public class WanVideoVaeTests
{
    private const double Tolerance = 2e-5;

    [Theory]
    [InlineData("encode_f1")]
    [InlineData("encode_f5")]
    [InlineData("encode_image")]
    public void EncodesAsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open($"vae22/{name}");
        var vae = Golden();
        foreach (var recorded in (bool[])[false, true])
        {
            using var grad = set_grad_enabled(recorded); // Chunk by chunk, or the whole clip at once.
            var video = golden["in.video"].unsqueeze(0);
            golden.AssertClose("out.latent", vae.Encode(video).squeeze(0), Tolerance);
            var (mean, logVariance) = vae.EncodeMoments(video);
            golden.AssertClose("mid.mu_logvar", cat([mean, logVariance], 1), Tolerance);
        }
    }

    [Theory]
    [InlineData("decode_f1")]
    [InlineData("decode_f2")]
    public void DecodesAsTheReference(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open($"vae22/{name}");
        var vae = Golden();
        foreach (var recorded in (bool[])[false, true])
        {
            using var grad = set_grad_enabled(recorded);
            var latent = golden["in.latent"].unsqueeze(0);
            golden.AssertClose("out.video", vae.Decode(latent).squeeze(0), Tolerance);
            golden.AssertClose("out.video_unclamped", vae.Decode(latent, clamp: false).squeeze(0), Tolerance);
        }
    }

    [Fact]
    public void OriginalKeysBecomeDiffusersKeys()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(GoldenCase.PathOf("vae22/weights.config.json")));
        var pairs = json.RootElement.GetProperty("key_map").EnumerateObject().ToList();
        Assert.Equal(196, pairs.Count);
        foreach (var pair in pairs)
        {
            Assert.Equal(pair.Value.GetString(), WanVideoVaeKeys.ToDiffusers(pair.Name));
            Assert.Equal(pair.Value.GetString(), WanVideoVaeKeys.ToDiffusers(pair.Value.GetString()!));
        }
    }

    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 2)]
    [InlineData(1, 3)]
    [InlineData(3, 1)]
    public void ChunksOfAnySizeAreTheWholeClip(params int[] chunks)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var vae = Golden();
        random.manual_seed(1);
        var latent = randn([2, 48, 4, 2, 3]);
        var video = rand([2, 3, 13, 32, 48]) * 2 - 1;
        var (wholeVideo, wholeLatent) = (vae.Decode(latent), vae.Encode(video));
        using var decoding = new WanVideoVaeCache();
        using var encoding = new WanVideoVaeCache();
        var (at, frame) = (0, 0);
        foreach (var count in chunks)
        {
            var frames = at == 0 ? 4 * count - 3 : 4 * count;
            var decoded = vae.DecodeChunk(latent.narrow(2, at, count), decoding);
            Assert.True(decoded.allclose(wholeVideo.narrow(2, frame, frames), 1e-4, 1e-5));
            var encoded = vae.EncodeChunk(video.narrow(2, frame, frames), encoding);
            Assert.True(encoded.allclose(wholeLatent.narrow(2, at, count), 1e-4, 1e-5));
            (at, frame) = (at + count, frame + frames);
        }
    }

    [Fact]
    public void ASavedStateContinuesToTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var vae = Golden();
        random.manual_seed(2);
        var latent = randn([1, 48, 4, 2, 3]);
        var whole = vae.Decode(latent);
        using var cache = new WanVideoVaeCache();
        vae.DecodeChunk(latent.narrow(2, 0, 1), cache);
        vae.DecodeChunk(latent.narrow(2, 1, 1), cache);
        var path = Path.GetTempFileName();
        try
        {
            WeightSaver.Save(cache.Save(), path);
            using var file = SafetensorsFile.Open(path).OrThrow();
            var saved = file.Tensors.ToDictionary(pair => pair.Key, pair => MappedTensors.View(pair.Value));
            using var restored = WanVideoVaeCache.Restore(saved);
            Assert.True((vae.DecodeChunk(latent.narrow(2, 2, 1), restored) == whole.narrow(2, 5, 4)).all().item<bool>());
            Assert.True((vae.DecodeChunk(latent.narrow(2, 3, 1), restored) == whole.narrow(2, 9, 4)).all().item<bool>());
            // Scope-held views are gone before the file is deleted.
            foreach (var view in saved.Values)
                view.Dispose();
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void GradientsReachEveryWeightAndAgreeThroughTheCache()
    {
        using var scope = NewDisposeScope();
        var vae = Golden();
        random.manual_seed(3);
        var video = rand([1, 3, 9, 32, 48]) * 2 - 1;
        var latent = randn([1, 48, 3, 2, 3]);

        var (mean, logVariance) = vae.EncodeMoments(video);
        (mean.square().sum() + logVariance.square().sum() + vae.Decode(latent, clamp: false).square().sum()).backward();
        var whole = vae.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter.grad!.clone());
        Assert.All(whole, pair => Assert.True(pair.Value.abs().max().item<float>() > 0, $"{pair.Key} has no gradient"));

        vae.zero_grad();
        using var cache = new WanVideoVaeCache();
        var pieces = Enumerable.Range(0, 3).Select(i => vae.DecodeChunk(latent.narrow(2, i, 1), cache, clamp: false)).ToArray();
        cat(pieces, 2).square().sum().backward();
        foreach (var (name, parameter) in vae.named_parameters().Where(pair => pair.name.StartsWith("decoder.")))
        {
            var largest = whole[name].abs().max().item<float>();
            Assert.True((parameter.grad! - whole[name]).abs().max().item<float>() <= 1e-3 * largest, $"{name}: other gradient through the cache");
        }
    }

    [Fact]
    public void ReducedPrecisionStaysNear()
    {
        using var scope = NewDisposeScope();
        using var golden = GoldenCase.Open("vae22/decode_f2");
        var vae = Golden();
        vae.ConvolutionType = ScalarType.BFloat16;
        var decoded = vae.Decode(golden["in.latent"].unsqueeze(0), clamp: false); // the whole clip at once, recorded
        Assert.Equal(ScalarType.Float32, decoded.dtype);
        golden.AssertClose("out.video_unclamped", decoded.squeeze(0), 0.05);
        decoded.square().mean().backward();
        Assert.All(vae.named_parameters().Where(pair => pair.name.StartsWith("decoder.")), pair => Assert.NotNull(pair.parameter.grad));
        using var noGrad = no_grad();
        golden.AssertClose("out.video_unclamped", vae.Decode(golden["in.latent"].unsqueeze(0), clamp: false).squeeze(0), 0.05);

        // Weights in half the bits altogether.
        vae.ConvolutionType = null;
        vae.to(ScalarType.BFloat16);
        var half = vae.Decode(golden["in.latent"].unsqueeze(0).to(ScalarType.BFloat16), clamp: false);
        Assert.Equal(ScalarType.BFloat16, half.dtype);
        golden.AssertClose("out.video_unclamped", half.squeeze(0), 0.2);
    }

    [Fact]
    public void DoublePrecisionIsTheSameNetwork()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = GoldenCase.Open("vae22/decode_f2");
        var vae = Golden();
        vae.to(ScalarType.Float64);
        golden.AssertClose("out.video_unclamped", vae.Decode(golden["in.latent"].unsqueeze(0).to(ScalarType.Float64), clamp: false).squeeze(0), Tolerance);
    }

    [Fact]
    public void ItStartsSaneAndComesBackFromItsFolder()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        random.manual_seed(4);
        var vae = new WanVideoVae(Config() with { BaseDim = 8, DecoderBaseDim = 8 });
        vae.Initialize();
        var decoded = vae.Decode(randn([1, 48, 2, 3, 3]), clamp: false);
        Assert.InRange(decoded.std().item<float>(), 0.05f, 2f);
        Assert.InRange(vae.Encode(rand([1, 3, 5, 48, 48]) * 2 - 1).std().item<float>(), 0.1f, 10f);

        var folder = Directory.CreateTempSubdirectory("vae-").FullName;
        try
        {
            vae.Save(folder, ScalarType.BFloat16);
            var back = WanVideoVae.Load(folder);
            var latent = randn([1, 48, 2, 3, 3]);
            var (a, b) = (vae.Decode(latent), back.Decode(latent));
            Assert.True((a - b).abs().max().item<float>() < 0.05);
            Assert.Equal(vae.state_dict().Keys.Order(), back.state_dict().Keys.Order());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(3, 5, 30, 48)]
    [InlineData(4, 5, 32, 48)]
    [InlineData(3, 0, 32, 48)]
    public void OtherShapesAreRefused(int channels, int frames, int height, int width)
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => Golden().Encode(zeros([1, channels, frames, height, width])));
    }

    private static WanVaeConfig Config()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(GoldenCase.PathOf("vae22/weights.config.json")));
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, json.RootElement.GetProperty("diffusers").GetRawText());
            return ConfigFile.ReadVae(path).OrThrow();
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static WanVideoVae Golden()
    {
        var vae = new WanVideoVae(Config());
        using var file = SafetensorsFile.Open(GoldenCase.PathOf("vae22/weights.diffusers.safetensors")).OrThrow();
        WeightLoader.Load(vae, file, WanVideoVaeKeys.ToDiffusers);
        return vae;
    }
}
