using System.Runtime.CompilerServices;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Wan;

public class VaeDecodingTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WholePicturesAreDecodedAsWithoutIt(bool residual)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var vae = Small(residual);
        var latents = randn([1, vae.Config.ZDim, 3, 2, 3]);
        foreach (var tile in (int[])[0, 4, 8])
        {
            using var decoding = new VaeDecoding(vae, tile);
            Assert.Equal(Bits(vae.Decode(latents)), Bits(Frames(decoding, latents)));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void APeekLeavesTheClipWhereItIs(int tile)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var vae = Small(residual: true);
        var latents = randn([1, vae.Config.ZDim, 3, 5, 7]);
        using var plain = new VaeDecoding(vae, tile);
        var expected = Enumerable.Range(0, 3).Select(i => Bits(plain.Next(latents.narrow(2, i, 1)))).ToArray();
        using var peeking = new VaeDecoding(vae, tile);
        for (var i = 0; i < 3; i++)
        {
            peeking.Peek(randn([1, vae.Config.ZDim, 1, 5, 7]));
            Assert.Equal(expected[i], Bits(peeking.Peek(latents.narrow(2, i, 1))));
            Assert.Equal(expected[i], Bits(peeking.Next(latents.narrow(2, i, 1))));
        }
    }

    [Fact]
    public void TilesHaveTheSizesOfWholePictures()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var residual in (bool[])[false, true])
        {
            using var vae = Small(residual);
            var stride = vae.Config.ScaleFactorSpatial;
            var video = rand([1, 3, 5, 5 * stride, 9 * stride]) * 2 - 1;
            vae.EncodingTile = 4;
            var latents = vae.Encode(video);
            Assert.Equal((long[])[1, vae.Config.ZDim, 2, 5, 9], latents.shape);
            using var decoding = new VaeDecoding(vae, 4);
            Assert.Equal(video.shape, Frames(decoding, latents).shape);
        }
    }

    /// <summary>The shipped autoencoder, which is trained, on a drawn clip: tiles against whole pictures, in levels of 255.</summary>
    [Theory]
    [InlineData(16, 0.2, 0.3)]
    [InlineData(12, 0.4, 0.8)]
    public void TilesDifferLittleFromWholePicturesAndShowNoSeams(int tile, double mean, double step)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var vae = WanVideoVae.Load(Path.Combine(Sources(), "sketch", "vae"));
        var video = Drawn(384, 256, 5);
        var latents = vae.Encode(video);
        using var wholes = new VaeDecoding(vae);
        using var tiles = new VaeDecoding(vae, tile);
        var (whole, tiled) = (Frames(wholes, latents), Frames(tiles, latents));
        Assert.InRange(Levels(tiled - whole), 0.001, mean);

        // A seam would be a step between neighbours, along a whole row or column, that whole pictures do not have.
        (long Axis, long[] Others)[] sides = [(4, [0, 1, 2, 3]), (3, [0, 1, 2, 4])];
        foreach (var (axis, others) in sides)
        {
            var steps = (tiled.diff(1, axis) - whole.diff(1, axis)).mean(others);
            Assert.InRange(steps.abs().max().item<float>() * 127.5, 0, step);
        }

        // Encoded in tiles as well, the clip comes back as well as it does whole.
        vae.EncodingTile = tile;
        using var again = new VaeDecoding(vae, tile);
        var (plain, cut) = (Levels(whole - video), Levels(Frames(again, vae.Encode(video)) - video));
        Assert.InRange(cut, 0, 1.05 * plain);
    }

    private static double Levels(Tensor difference) => difference.abs().mean().item<float>() * 127.5;

    private static Tensor Frames(VaeDecoding decoding, Tensor latents) => cat([.. Enumerable.Range(0, (int)latents.shape[2]).Select(i => decoding.Next(latents.narrow(2, i, 1)))], 2);

    private static byte[] Bits(Tensor x) => x.contiguous().bytes.ToArray();

    private static WanVideoVae Small(bool residual)
    {
        manual_seed(3);
        var vae = new WanVideoVae((residual ? WanVaeConfig.Wan22 : WanVaeConfig.Wan21) with { BaseDim = 8, DecoderBaseDim = 8 });
        vae.Initialize();
        return vae;
    }

    // Sky over chequered ground, a disc and a square that move.
    private static Tensor Drawn(int width, int height, int frames)
    {
        var values = new float[3 * frames * height * width];
        for (var f = 0; f < frames; f++)
        {
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    var (dx, dy) = (x - (0.3 * width) - (6 * f), y - (0.4 * height));
                    double[] colour = dx * dx + dy * dy < height * height / 25.0 ? [0.9, 0.3, 0.1]
                        : Math.Abs(x - (0.62 * width)) + Math.Abs(y - (0.55 * height) + (3 * f)) < height / 5.0 ? [0.1, 0.5, 0.9]
                        : [0.2 + (0.6 * y / height), 0.4 + (0.3 * Math.Sin((x + (4 * f)) / 23.0) * Math.Cos(y / 31.0)), y > height * 2 / 3 ? 0.15 + (0.1 * ((x / 16 + y / 16) % 2)) : 0.8 - (0.3 * y / height)];
                    for (var c = 0; c < 3; c++) values[(((c * frames) + f) * height + y) * width + x] = (float)((2 * colour[c]) - 1);
                }
            }
        }

        return tensor(values).view(1, 3, frames, height, width);
    }

    private static string Sources([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "..", "src", "EditorBridge.Models");
}
