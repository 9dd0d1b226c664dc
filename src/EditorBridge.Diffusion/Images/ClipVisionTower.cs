using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;
using Projection = EditorBridge.Diffusion.Weights.LinearLayer;

namespace EditorBridge.Diffusion.Images;

/// <summary>
/// The vision transformer of CLIP (Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021; the
/// ViT-H/14 of OpenCLIP): a picture becomes one feature per patch and one for the whole. Module names are Hugging Face's keys.
/// </summary>
public sealed class ClipVisionTower : Module
{
    private static readonly float[] Mean = [0.48145466f, 0.4578275f, 0.40821073f];
    private static readonly float[] Deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    private readonly Tower vision_model;

    /// <summary>Makes the network with weights of zero: load them.</summary>
    /// <param name="config">Sizes.</param>
    /// <exception cref="ArgumentException">The sizes cannot be used.</exception>
    public ClipVisionTower(ClipVisionConfig config)
        : base(nameof(ClipVisionTower))
    {
        if (config.Problem() is { } problem)
            throw new ArgumentException($"The image encoder cannot be built: {problem}.", nameof(config));
        Config = config;
        vision_model = new Tower(config);
        RegisterComponents();
        foreach (var parameter in parameters())
            parameter.DetachFromDisposeScope();
    }

    /// <summary>The sizes it was made with.</summary>
    public ClipVisionConfig Config { get; }

    /// <summary>Builds the network of a folder with <c>config.json</c> and weights in either naming.</summary>
    /// <param name="folder">The <c>image_encoder/</c> folder of a model.</param>
    /// <param name="device">Where it computes; the CPU when not given.</param>
    /// <param name="placement">Where large weights are kept; when not given, as suits their number.</param>
    /// <exception cref="InvalidDataException">Config or weights cannot be used; the message says why.</exception>
    public static ClipVisionTower Load(string folder, Device? device = null, WeightPlacement? placement = null)
    {
        var config = ConfigFile.ReadImageEncoder(Path.Combine(folder, "config.json")).OrThrow();
        using var weights = Checkpoint.Open(folder).OrThrow();
        return Load(config, weights, device, placement);
    }

    /// <summary>Builds the network from a checkpoint in either naming.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The checkpoint; it may be disposed afterwards.</param>
    /// <param name="device">Where it computes; the CPU when not given.</param>
    /// <param name="placement">Where large weights are kept; when not given, unpacked where they are few, otherwise streamed: pictures are encoded once a job.</param>
    /// <exception cref="InvalidDataException">The weights do not fit; the message names keys.</exception>
    public static ClipVisionTower Load(ClipVisionConfig config, INamedTensors weights, Device? device = null, WeightPlacement? placement = null)
    {
        var chosen = placement ?? NewWeights.PlacementOf(weights);
        return WeightLoader.Make(
            () => new ClipVisionTower(config), weights, ClipVisionKeys.ToHuggingFace, device,
            placement is null && chosen == WeightPlacement.AsStored ? WeightPlacement.Streamed : chosen);
    }

    /// <summary>
    /// A picture as the tower takes it, the way the reference makes it: stretched to a square by bicubic interpolation without smoothing
    /// first, neither cropped nor clamped, then normalised with CLIP's statistics.
    /// </summary>
    /// <param name="picture">[B, 3, H, W] in [-1, 1], of any size.</param>
    /// <param name="side">The square's side, in pixels.</param>
    /// <returns>[B, 3, side, side].</returns>
    public static Tensor Prepare(Tensor picture, int side)
    {
        using var scope = NewDisposeScope();
        var square = F.interpolate(picture, size: [side, side], mode: InterpolationMode.Bicubic, align_corners: false) * 0.5 + 0.5;
        return ((square - PerChannel(Mean, square)) / PerChannel(Deviation, square)).MoveToOuterDisposeScope();
    }

    /// <summary>The features that image-to-video transformers take: those of all blocks but the last, without a norm behind.</summary>
    /// <param name="picture">[B, 3, H, W] in [-1, 1], of any size.</param>
    /// <returns>[B, tokens, hidden].</returns>
    public Tensor Encode(Tensor picture)
    {
        using var scope = NewDisposeScope();
        return Features(Prepare(picture, Config.ImageSize), Config.NumHiddenLayers - 1).MoveToOuterDisposeScope();
    }

    /// <summary>The features after a number of blocks.</summary>
    /// <param name="pixels">From <see cref="Prepare"/>.</param>
    /// <param name="blocks">How many blocks to run.</param>
    /// <returns>[B, tokens, hidden].</returns>
    public Tensor Features(Tensor pixels, int blocks) => vision_model.Features(pixels, blocks);

    private static Tensor PerChannel(float[] values, Tensor like) => tensor(values).to(like.dtype, like.device).view(1, 3, 1, 1);

    private sealed class Tower : Module
    {
        private readonly PatchTokens embeddings;
        private readonly Norm pre_layrnorm; // sic
        private readonly Stack encoder;

        public Tower(ClipVisionConfig config)
            : base("vision_model")
        {
            embeddings = new PatchTokens(config);
            pre_layrnorm = new Norm(config);
            encoder = new Stack(config);
            RegisterComponents();
        }

        public Tensor Features(Tensor pixels, int blocks)
        {
            using var scope = NewDisposeScope();
            var x = pre_layrnorm.call(embeddings.call(pixels));
            for (var i = 0; i < blocks; i++)
                x = encoder.layers[i].call(x); // [B, L, D]
            return x.MoveToOuterDisposeScope();
        }
    }

    private sealed class PatchTokens : Module<Tensor, Tensor>
    {
        private readonly Parameter class_embedding; // [D]
        private readonly PatchConvolution patch_embedding;
        private readonly Table position_embedding;

        public PatchTokens(ClipVisionConfig config)
            : base("embeddings")
        {
            class_embedding = NewWeights.Small(zeros(config.HiddenSize));
            patch_embedding = new PatchConvolution(config);
            position_embedding = new Table(config.Tokens, config.HiddenSize);
            RegisterComponents();
        }

        public override Tensor forward(Tensor pixels) // [B, 3, S, S] → [B, L, D]
        {
            using var scope = NewDisposeScope();
            var patches = patch_embedding.call(pixels).flatten(2).transpose(1, 2); // [B, L - 1, D]
            var whole = class_embedding.expand(patches.shape[0], 1, -1);
            return (cat([whole, patches], 1) + position_embedding.weight).MoveToOuterDisposeScope();
        }
    }

    private sealed class PatchConvolution : Module<Tensor, Tensor>
    {
        private readonly Parameter weight; // [D, 3, p, p]
        private readonly long patch;

        public PatchConvolution(ClipVisionConfig config)
            : base("patch_embedding")
        {
            patch = config.PatchSize;
            weight = NewWeights.Small(zeros(config.HiddenSize, 3, patch, patch));
            RegisterComponents();
        }

        public override Tensor forward(Tensor pixels) => F.conv2d(pixels.to(weight.dtype), weight, strides: [patch, patch]); // [B, D, S/p, S/p]
    }

    private sealed class Table : Module
    {
        public readonly Parameter weight; // [L, D]

        public Table(long rows, long channels)
            : base("position_embedding")
        {
            weight = NewWeights.Small(zeros(rows, channels));
            RegisterComponents();
        }
    }

    private sealed class Stack : Module
    {
        public readonly ModuleList<Block> layers;

        public Stack(ClipVisionConfig config)
            : base("encoder")
        {
            layers = new ModuleList<Block>([.. Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new Block(config))]);
            RegisterComponents();
        }
    }

    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly Norm layer_norm1;
        private readonly Attention self_attn;
        private readonly Norm layer_norm2;
        private readonly FeedForward mlp;

        public Block(ClipVisionConfig config)
            : base("layer")
        {
            layer_norm1 = new Norm(config);
            self_attn = new Attention(config);
            layer_norm2 = new Norm(config);
            mlp = new FeedForward(config);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) // [B, L, D]
        {
            using var scope = NewDisposeScope();
            x = x + self_attn.call(layer_norm1.call(x));
            x = x + mlp.call(layer_norm2.call(x));
            return x.MoveToOuterDisposeScope();
        }
    }

    private sealed class Attention : Module<Tensor, Tensor>
    {
        private readonly Projection q_proj;
        private readonly Projection k_proj;
        private readonly Projection v_proj;
        private readonly Projection out_proj;
        private readonly int heads;

        public Attention(ClipVisionConfig config)
            : base("self_attn")
        {
            heads = config.NumAttentionHeads;
            q_proj = new Projection(config.HiddenSize, config.HiddenSize);
            k_proj = new Projection(config.HiddenSize, config.HiddenSize);
            v_proj = new Projection(config.HiddenSize, config.HiddenSize);
            out_proj = new Projection(config.HiddenSize, config.HiddenSize);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) // [B, L, D]
        {
            using var scope = NewDisposeScope();
            var y = F.scaled_dot_product_attention(Heads(q_proj.call(x)), Heads(k_proj.call(x)), Heads(v_proj.call(x))); // [B, heads, L, d]
            return out_proj.call(y.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
        }

        private Tensor Heads(Tensor x) => x.unflatten(2, [heads, -1]).transpose(1, 2);
    }

    private sealed class FeedForward : Module<Tensor, Tensor>
    {
        private readonly Projection fc1;
        private readonly Projection fc2;

        public FeedForward(ClipVisionConfig config)
            : base("mlp")
        {
            fc1 = new Projection(config.HiddenSize, config.IntermediateSize);
            fc2 = new Projection(config.IntermediateSize, config.HiddenSize);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return fc2.call(F.gelu(fc1.call(x))).MoveToOuterDisposeScope(); // the exact one
        }
    }

    private sealed class Norm : Module<Tensor, Tensor>
    {
        private readonly Parameter weight;
        private readonly Parameter bias;
        private readonly double eps;

        public Norm(ClipVisionConfig config)
            : base("norm")
        {
            eps = config.LayerNormEps;
            weight = NewWeights.Small(ones(config.HiddenSize));
            bias = NewWeights.Small(zeros(config.HiddenSize));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => F.layer_norm(x, [x.shape[^1]], weight, bias, eps);
    }
}
