using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace EditorBridge.Diffusion.Wan;

/// <summary>The causal video VAE of the Wan family (arXiv:2503.20314): the layout of 2.1, and that of 2.2 with pixel patches and shortcuts around its levels.</summary>
/// <remarks>
/// Frame 0 is a latent of its own, every later latent stands for four frames; a prefix of a clip gives a prefix of its latents.
/// Chunks of any size give the same result as the whole clip. Module names are the keys of a Diffusers checkpoint.
/// </remarks>
public sealed class WanVideoVae : Module
{
    private readonly VaeEncoder encoder;
    private readonly CausalConv3d quant_conv, post_quant_conv;
    private readonly VaeDecoder decoder;
    private readonly double[] mean, std;
    private readonly VaeLayers layers = new();

    /// <summary>Builds the network; its weights are undefined until they are loaded or initialised.</summary>
    /// <param name="config">Sizes and latent statistics.</param>
    public WanVideoVae(WanVaeConfig config)
        : base(nameof(WanVideoVae))
    {
        if (config.Problem() is { } problem)
            throw new ArgumentException($"The VAE cannot be built: {problem}.", nameof(config));
        Config = config;
        (mean, std) = ([.. config.LatentsMean], [.. config.LatentsStd]);
        encoder = new VaeEncoder(nameof(encoder), config, layers);
        quant_conv = new CausalConv3d(nameof(quant_conv), 2 * config.ZDim, 2 * config.ZDim, 1, 1, layers);
        post_quant_conv = new CausalConv3d(nameof(post_quant_conv), config.ZDim, config.ZDim, 1, 1, layers);
        decoder = new VaeDecoder(nameof(decoder), config, layers);
        RegisterComponents();
    }

    /// <summary>Sizes and latent statistics.</summary>
    public WanVaeConfig Config { get; }

    /// <summary>Type the 3×3 convolutions compute in; null, the default: that of the input. bfloat16 halves their time where the hardware has it.</summary>
    /// <remarks>Weights, norms and sums stay as they are. A CPU without bfloat16 instructions is some sixty times slower with it.</remarks>
    public ScalarType? ConvolutionType
    {
        get => layers.ConvolutionType;
        set => layers.ConvolutionType = value;
    }

    /// <summary>Longest side in latents of the tiles that <see cref="Encode"/> works in where no gradients are kept, for less memory; 0, the default, for whole pictures.</summary>
    /// <remarks>A tile does not see what lies outside of it, so latents made in tiles differ a little. Decoding in tiles: <see cref="VaeDecoding"/>.</remarks>
    public int EncodingTile { get; set; }

    /// <summary>Builds the network of a folder with <c>config.json</c> and weights in either naming.</summary>
    /// <param name="folder">The <c>vae/</c> folder of a model.</param>
    /// <param name="device">Where it computes; the CPU when not given.</param>
    /// <param name="placement">Where large weights are kept; when not given, as suits their number.</param>
    /// <exception cref="InvalidDataException">Config or weights cannot be used; the message says why.</exception>
    public static WanVideoVae Load(string folder, Device? device = null, WeightPlacement? placement = null)
    {
        var config = ConfigFile.ReadVae(Path.Combine(folder, "config.json")).OrThrow();
        using var weights = Checkpoint.Open(folder).OrThrow();
        return Load(config, weights, device, placement);
    }

    /// <summary>Builds the network from a checkpoint in either naming.</summary>
    /// <param name="config">Sizes and latent statistics.</param>
    /// <param name="weights">The checkpoint; it may be disposed afterwards.</param>
    /// <param name="device">Where it computes; the CPU when not given.</param>
    /// <param name="placement">Where large weights are kept; when not given, as suits their number.</param>
    /// <exception cref="InvalidDataException">The weights do not fit; the message names keys.</exception>
    public static WanVideoVae Load(WanVaeConfig config, INamedTensors weights, Device? device = null, WeightPlacement? placement = null)
        => WeightLoader.Make(() => new WanVideoVae(config), weights, key => [WanVideoVaeKeys.ToDiffusers(key, config.NumResBlocks)], device, placement);

    /// <summary>Writes <c>config.json</c> and the weights as a Diffusers folder.</summary>
    /// <param name="folder">The <c>vae/</c> folder of a model; made when it is not there.</param>
    /// <param name="type">Type to store the weights in.</param>
    public void Save(string folder, ScalarType type = ScalarType.Float32)
    {
        Directory.CreateDirectory(folder);
        WeightSaver.Save(this, Path.Combine(folder, "diffusion_pytorch_model.safetensors"), type, new Dictionary<string, string> { ["format"] = "pt" });
        File.WriteAllText(Path.Combine(folder, "config.json"), ConfigFile.Write(Config));
    }

    /// <summary>Random weights to train from, drawn from torch's generator: unit gain through the network, residual branches small.</summary>
    /// <param name="branch">Gain of the last convolution of each residual block.</param>
    public void Initialize(double branch = 0.3)
    {
        using var noGrad = no_grad();
        encoder.Initialize(branch);
        quant_conv.Initialize(1);
        post_quant_conv.Initialize(1);
        decoder.Initialize(branch);
    }

    /// <summary>Encodes a clip to normalised latent means, ready for the transformer.</summary>
    /// <remarks>Sides are multiples of the latent's pixels in 2.2; 2.1 leaves out what is over at the right and at the bottom.</remarks>
    /// <param name="video">[B, 3, F, H, W] in [-1, 1]; frames beyond 4n+1 are ignored.</param>
    /// <returns>[B, z, (F-1)/4+1, H/s, W/s], s pixels a latent.</returns>
    public Tensor Encode(Tensor video)
    {
        CheckVideo(video);
        var (rows, columns) = (Tiles(video.size(3)), Tiles(video.size(4)));
        if (is_grad_enabled() || rows.Count * columns.Count == 1)
            return EncodeWhole(video);

        using var scope = NewDisposeScope();
        var scale = Config.ScaleFactorSpatial;
        Tensor? whole = null;
        for (var row = 0; row < rows.Count; row++)
        {
            for (var column = 0; column < columns.Count; column++)
            {
                using var piece = NewDisposeScope();
                var latents = EncodeWhole(video.narrow(3, rows.Start(row) * scale, rows.Length * scale).narrow(4, columns.Start(column) * scale, columns.Length * scale));
                whole ??= zeros([latents.size(0), latents.size(1), latents.size(2), video.size(3) / scale, video.size(4) / scale], latents.dtype, latents.device).MoveToOuterDisposeScope();
                latents.mul_(tensor(rows.Weights(row, 1), latents.dtype, latents.device).unsqueeze(1)).mul_(tensor(columns.Weights(column, 1), latents.dtype, latents.device));
                whole.narrow(3, rows.Start(row), rows.Length).narrow(4, columns.Start(column), columns.Length).add_(latents);
            }
        }

        return whole!.MoveToOuterDisposeScope();

        TileAxis Tiles(long pixels) => TileAxis.Of(pixels / Config.ScaleFactorSpatial, EncodingTile);
    }

    private Tensor EncodeWhole(Tensor video)
    {
        using var scope = NewDisposeScope();
        var moments = EncodeMoments(video);
        return Normalise(moments.Mean).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes a clip to the means and log variances of its latents, not normalised.</summary>
    /// <param name="video">[B, 3, F, H, W] in [-1, 1]; frames beyond 4n+1 are ignored.</param>
    /// <returns>Both [B, z, (F-1)/4+1, H/s, W/s], s pixels a latent.</returns>
    public (Tensor Mean, Tensor LogVariance) EncodeMoments(Tensor video)
    {
        CheckVideo(video);
        var frames = 1 + (video.size(2) - 1) / Config.ScaleFactorTemporal * Config.ScaleFactorTemporal;
        using var scope = NewDisposeScope();
        Tensor raw;
        if (is_grad_enabled())
        {
            using var whole = new WanVideoVaeCache(keep: false);
            raw = encoder.call(Fold(video.narrow(2, 0, frames)), whole);
            raw = quant_conv.call(raw, whole);
        }
        else
        {
            // Memory does not grow with the clip.
            using var cache = new WanVideoVaeCache();
            var pieces = new List<Tensor>();
            for (long at = 0; at < frames;)
            {
                using var step = NewDisposeScope();
                var count = Math.Min(frames - at, at == 0 ? 1 : Config.ScaleFactorTemporal);
                var piece = encoder.call(Fold(video.narrow(2, at, count)), cache);
                pieces.Add(quant_conv.call(piece, cache).MoveToOuterDisposeScope());
                cache.Advance();
                at += count;
            }
            raw = cat(pieces, 1);
        }
        var halves = raw.permute(0, 4, 1, 2, 3).chunk(2, 1); // 2 x [B, z, f, h, w]
        return (halves[0].contiguous().MoveToOuterDisposeScope(), halves[1].contiguous().MoveToOuterDisposeScope());
    }

    /// <summary>Decodes normalised latents to a clip.</summary>
    /// <param name="latent">[B, z, f, h, w].</param>
    /// <param name="clamp">Whether to clamp the pixels to [-1, 1]; training wants them as they come.</param>
    /// <returns>[B, 3, 1+4(f-1), s·h, s·w], s pixels a latent.</returns>
    public Tensor Decode(Tensor latent, bool clamp = true)
    {
        Check(latent, Config.ZDim, 1, nameof(latent));
        using var scope = NewDisposeScope();
        Tensor video;
        if (is_grad_enabled())
        {
            using var whole = new WanVideoVaeCache(keep: false);
            video = DecodeChunk(latent, whole, clamp);
        }
        else
        {
            using var cache = new WanVideoVaeCache();
            var pieces = new List<Tensor>();
            for (long i = 0; i < latent.size(2); i++)
                pieces.Add(DecodeChunk(latent.narrow(2, i, 1), cache, clamp));
            video = cat(pieces, 2);
        }
        return video.MoveToOuterDisposeScope();
    }

    /// <summary>Decodes the next latents of a clip; state is in the cache.</summary>
    /// <param name="latent">[B, z, n, h, w], normalised.</param>
    /// <param name="cache">New for the clip's beginning; advanced by this call.</param>
    /// <param name="clamp">Whether to clamp the pixels to [-1, 1].</param>
    /// <returns>[B, 3, 4n, s·h, s·w], s pixels a latent, at the clip's beginning 4n-3 frames.</returns>
    public Tensor DecodeChunk(Tensor latent, WanVideoVaeCache cache, bool clamp = true)
    {
        Check(latent, Config.ZDim, 1, nameof(latent));
        using var scope = NewDisposeScope();
        var z = Denormalise(latent).permute(0, 2, 3, 4, 1).contiguous(); // [B, n, h, w, z]
        var pixels = Unfold(decoder.call(post_quant_conv.call(z, cache), cache));
        cache.Advance();
        return (clamp ? pixels.clamp(-1, 1) : pixels).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes the next frames of a clip to normalised latent means; state is in the cache.</summary>
    /// <param name="video">[B, 3, n, H, W] in [-1, 1]: 4m+1 frames at the clip's beginning, 4m later.</param>
    /// <param name="cache">New for the clip's beginning; advanced by this call.</param>
    /// <returns>[B, z, m or m+1, H/s, W/s], s pixels a latent.</returns>
    public Tensor EncodeChunk(Tensor video, WanVideoVaeCache cache)
    {
        CheckVideo(video);
        if ((video.size(2) - (cache.First ? 1 : 0)) % Config.ScaleFactorTemporal != 0)
            throw new ArgumentException($"A chunk of {video.size(2)} frames does not end with a latent.", nameof(video));
        using var scope = NewDisposeScope();
        var raw = quant_conv.call(encoder.call(Fold(video), cache), cache);
        cache.Advance();
        return Normalise(raw.narrow(-1, 0, Config.ZDim).permute(0, 4, 1, 2, 3)).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Latents as the transformer sees them: zero mean and unit deviation in each channel.</summary>
    /// <param name="latent">[B, z, f, h, w] as the encoder gives them.</param>
    public Tensor Normalise(Tensor latent)
    {
        using var scope = NewDisposeScope();
        return ((latent - PerChannel(mean, latent)) * PerChannel(std.Select(value => 1 / value), latent)).MoveToOuterDisposeScope();
    }

    /// <summary>The inverse of <see cref="Normalise"/>.</summary>
    /// <param name="latent">[B, z, f, h, w].</param>
    public Tensor Denormalise(Tensor latent)
    {
        using var scope = NewDisposeScope();
        return (latent * PerChannel(std, latent) + PerChannel(mean, latent)).MoveToOuterDisposeScope();
    }

    private static Tensor PerChannel(IEnumerable<double> values, Tensor like)
        => tensor(values.Select(value => (float)value).ToArray()).to(like.dtype, like.device).view(1, -1, 1, 1, 1);

    // Without patches the strided convolutions drop an odd last row or column, as the reference does.
    private void CheckVideo(Tensor video)
    {
        Check(video, 3, Config.Patch > 1 ? Config.ScaleFactorSpatial : 1, nameof(video));
        if (video.size(3) < Config.ScaleFactorSpatial || video.size(4) < Config.ScaleFactorSpatial)
            throw new ArgumentException($"Sides of at least {Config.ScaleFactorSpatial} pixels are needed, not {video.size(4)}x{video.size(3)}.", nameof(video));
    }

    private static void Check(Tensor x, long channels, long multiple, string name)
    {
        if (x.ndim != 5 || x.size(1) != channels || x.size(2) < 1 || x.size(3) < 1 || x.size(4) < 1 || x.size(3) % multiple != 0 || x.size(4) % multiple != 0)
            throw new ArgumentException($"[B, {channels}, F, H, W] with sides in multiples of {multiple} is needed, not [{string.Join(", ", x.shape)}].", name);
    }

    // Folded channels are ordered (colour, column, row) of the pixel in its patch.
    private Tensor Fold(Tensor video) // [B, 3, F, H, W] -> [B, F, H/p, W/p, 3*p*p]
    {
        var p = Config.Patch;
        return video.unflatten(4, [-1, p]).unflatten(3, [-1, p]) // [B, 3, F, H', q, W', r]
            .permute(0, 2, 3, 5, 1, 6, 4).flatten(4);
    }

    private Tensor Unfold(Tensor x) // [B, F, H', W', 3*p*p] -> [B, 3, F, H, W]
    {
        var p = Config.Patch;
        return x.unflatten(4, [3, p, p]) // [B, F, H', W', 3, r, q]
            .permute(0, 4, 1, 2, 6, 3, 5).flatten(5).flatten(3, 4);
    }
}
