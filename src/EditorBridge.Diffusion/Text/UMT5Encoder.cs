using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Projection = EditorBridge.Diffusion.Weights.LinearLayer;

namespace EditorBridge.Diffusion.Text;

/// <summary>
/// The UMT5 text encoder: T5 1.1 (Raffel et al. 2020; gated feed-forward, Shazeer 2020) with a relative position table in every
/// layer (UniMax, Chung et al. 2023). Module names are the keys of Hugging Face's <c>UMT5EncoderModel</c>;
/// <see cref="UMT5Keys"/> maps those of the Wan checkpoints.
/// </summary>
/// <remarks>
/// No biases, no 1/√d in the attention, no absolute positions. Norms and softmax run in float32 whatever the weights are. A new
/// encoder holds uninitialised memory: load weights into it or call <see cref="Initialize"/>.
/// </remarks>
public sealed class UMT5Encoder : nn.Module<Tensor, Tensor?, Tensor>
{
    private readonly TokenTable shared;
    private readonly Stack encoder;

    /// <summary>Makes the modules without filling them.</summary>
    /// <param name="config">The sizes.</param>
    /// <exception cref="ArgumentException">The sizes cannot be used; the message says why.</exception>
    public UMT5Encoder(UMT5Config config)
        : base(nameof(UMT5Encoder))
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Problem() is { } problem)
            throw new ArgumentException($"The text encoder cannot be built: {problem}.", nameof(config));
        Config = config;
        shared = new TokenTable(config.VocabSize, config.DModel, large: true);
        encoder = new Stack(config);
        RegisterComponents();
    }

    /// <summary>The sizes it was built with.</summary>
    public UMT5Config Config { get; }

    /// <summary>Where it computes.</summary>
    public Device Device => encoder.Device;

    /// <summary>Builds the encoder from a checkpoint: Hugging Face's keys, those of the Wan checkpoints or of GGUF.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The checkpoint; it may be disposed afterwards.</param>
    /// <param name="device">Where it computes; the CPU when not given.</param>
    /// <param name="placement">
    /// Where large weights are kept; when not given, unpacked where they are few, otherwise streamed: a text is encoded once a job, so copying all to a GPU would
    /// only take room from the transformer.
    /// </param>
    /// <exception cref="InvalidDataException">The weights do not fit; the message names keys.</exception>
    public static UMT5Encoder Load(UMT5Config config, INamedTensors weights, Device? device = null, WeightPlacement? placement = null)
    {
        var chosen = placement ?? NewWeights.PlacementOf(weights);
        return WeightLoader.Make(
            () => new UMT5Encoder(config), weights, UMT5Keys.ToHuggingFace, device,
            placement is null && chosen == WeightPlacement.AsStored ? WeightPlacement.Streamed : chosen);
    }

    /// <summary>The hidden states of every row, padding included, after the last norm.</summary>
    /// <param name="ids">Piece ids, int64 [B, L].</param>
    /// <param name="mask">True (or non-zero) where a row has a piece [B, L]; null when none is padded. Padding is not attended to.</param>
    /// <returns>[B, L, D]</returns>
    public override Tensor forward(Tensor ids, Tensor? mask = null)
    {
        using var scope = NewDisposeScope();
        var hidden = shared.call(ids); // [B, L, D]
        return encoder.call(hidden, mask).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The text context of prompts as the transformer takes it: hidden states of the pieces, exact zeros behind them. Only as
    /// many rows as the longest prompt has are computed; the result is the same as with all of them, as padding is not attended to.
    /// </summary>
    /// <param name="prompts">Ids of each prompt with its end piece (<see cref="SentencePieceTokenizer.EncodePrompt"/>).</param>
    /// <param name="textLength">Rows of the result (the transformer's text_len); no prompt may be longer.</param>
    /// <returns>[B, textLength, D] on the device and in the type of the weights.</returns>
    public Tensor EncodeContext(IReadOnlyList<IReadOnlyList<int>> prompts, int textLength)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        using var scope = NewDisposeScope();
        var longest = prompts.Max(static p => p.Count);
        if (longest > textLength)
            throw new ArgumentException($"A prompt has {longest} pieces; the context has room for {textLength}.", nameof(prompts));
        var (ids, mask) = TokenBatch.Of(prompts, longest, padId: 0);
        mask = mask.to(Device); // [B, L]
        var hidden = forward(ids.to(Device), mask); // [B, L, D]
        hidden = hidden * mask.unsqueeze(-1).to(hidden.dtype);
        return nn.functional.pad(hidden, [0, 0, 0, textLength - longest]).MoveToOuterDisposeScope(); // [B, textLength, D]
    }

    /// <summary>Draws all weights as T5 is initialised for training: standard deviations that keep unscaled attention tame.</summary>
    /// <param name="generator">Where the numbers come from; the global generator when null.</param>
    public void Initialize(Generator? generator = null)
    {
        using var noGrad = no_grad();
        foreach (var (name, weight) in named_parameters())
        {
            double inner = Config.NumHeads * Config.DKv;
            double? deviation = name switch
            {
                "shared.weight" => 1,
                _ when name.EndsWith("SelfAttention.q.weight", StringComparison.Ordinal) => Math.Pow(Config.DModel * (double)Config.DKv, -0.5),
                _ when name.EndsWith("SelfAttention.o.weight", StringComparison.Ordinal) => Math.Pow(inner, -0.5),
                _ when name.EndsWith("DenseReluDense.wo.weight", StringComparison.Ordinal) => Math.Pow(Config.DFf, -0.5),
                _ when name.EndsWith("norm.weight", StringComparison.Ordinal) => null,
                _ => Math.Pow(Config.DModel, -0.5),
            };
            if (deviation is { } std)
                weight.normal_(0, std, generator);
            else
                nn.init.ones_(weight);
        }
    }

    /// <summary>
    /// The bucket of a relative position, bidirectional: half of the buckets for keys behind the query, exact near it and
    /// logarithmic up to the largest distance (in float32 and truncated, as the checkpoints were trained).
    /// </summary>
    /// <param name="relativePosition">Key position minus query position.</param>
    /// <param name="buckets">Number of buckets, both directions together.</param>
    /// <param name="maximumDistance">Distance from which on all share the last bucket.</param>
    public static int Bucket(int relativePosition, int buckets, int maximumDistance)
    {
        var half = buckets / 2;
        var direction = relativePosition > 0 ? half : 0;
        var distance = Math.Abs(relativePosition);
        var exact = half / 2;
        if (distance < exact)
            return direction + distance;
        var logarithmic = MathF.Log(distance / (float)exact) / (float)Math.Log((double)maximumDistance / exact) * (half - exact);
        return direction + Math.Min(exact + (int)logarithmic, half - 1);
    }

    /// <summary>encoder.*: the blocks and the last norm.</summary>
    internal sealed class Stack : nn.Module<Tensor, Tensor?, Tensor>
    {
        private readonly ModuleList<Block> block;
        private readonly RmsNorm final_layer_norm;

        public Stack(UMT5Config config)
            : base("encoder")
        {
            block = new ModuleList<Block>([.. Enumerable.Range(0, config.NumLayers).Select(_ => new Block(config))]);
            final_layer_norm = new RmsNorm(config);
            RegisterComponents();
        }

        public Device Device => final_layer_norm.Device;

        public override Tensor forward(Tensor hidden, Tensor? mask) // [B, L, D], [B, L]
        {
            using var scope = NewDisposeScope();
            var barrier = mask is null ? null : Barrier(mask, hidden.dtype);
            foreach (var b in block)
                hidden = b.call(hidden, barrier); // [B, L, D]
            return final_layer_norm.forward(hidden).MoveToOuterDisposeScope();
        }

        // The smallest finite number, not -inf: a row whose every key is padding stays a number.
        private static Tensor Barrier(Tensor mask, ScalarType type) // [B, L] -> [B, 1, 1, L]
        {
            using var scope = NewDisposeScope();
            var smallest = type == ScalarType.Float16 ? -65504f : type == ScalarType.BFloat16 ? -3.3895314e38f : float.MinValue;
            var hidden = mask.to(ScalarType.Bool).logical_not().unsqueeze(1).unsqueeze(1);
            return zeros_like(hidden, ScalarType.Float32).masked_fill(hidden, smallest).MoveToOuterDisposeScope();
        }
    }

    /// <summary>encoder.block.N: attention and feed-forward, each behind a norm and added to the stream.</summary>
    internal sealed class Block : nn.Module<Tensor, Tensor?, Tensor>
    {
        private readonly ModuleList<nn.Module> layer;

        public Block(UMT5Config config)
            : base("block")
        {
            layer = new ModuleList<nn.Module>(new AttentionLayer(config), new FeedForwardLayer(config));
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden, Tensor? barrier) // [B, L, D]
        {
            using var scope = NewDisposeScope();
            hidden = hidden + ((AttentionLayer)layer[0]).call(hidden, barrier);
            hidden = hidden + ((FeedForwardLayer)layer[1]).call(hidden);
            return hidden.MoveToOuterDisposeScope();
        }
    }

    /// <summary>encoder.block.N.layer.0</summary>
    internal sealed class AttentionLayer : nn.Module<Tensor, Tensor?, Tensor>
    {
        private readonly SelfAttention SelfAttention;
        private readonly RmsNorm layer_norm;

        public AttentionLayer(UMT5Config config)
            : base("layer.0")
        {
            SelfAttention = new SelfAttention(config);
            layer_norm = new RmsNorm(config);
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden, Tensor? barrier)
        {
            using var scope = NewDisposeScope();
            return SelfAttention.call(layer_norm.forward(hidden), barrier).MoveToOuterDisposeScope();
        }
    }

    /// <summary>encoder.block.N.layer.0.SelfAttention: softmax(q kᵀ + position bias) v.</summary>
    internal sealed class SelfAttention : nn.Module<Tensor, Tensor?, Tensor>
    {
        private readonly Projection q;
        private readonly Projection k;
        private readonly Projection v;
        private readonly Projection o;
        private readonly TokenTable relative_attention_bias;
        private readonly UMT5Config config;

        public SelfAttention(UMT5Config config)
            : base("SelfAttention")
        {
            this.config = config;
            var inner = config.NumHeads * config.DKv;
            q = new Projection(config.DModel, inner, hasBias: false);
            k = new Projection(config.DModel, inner, hasBias: false);
            v = new Projection(config.DModel, inner, hasBias: false);
            o = new Projection(inner, config.DModel, hasBias: false);
            relative_attention_bias = new TokenTable(config.RelativeAttentionNumBuckets, config.NumHeads, large: false);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor? barrier) // [B, L, D], [B, 1, 1, L]
        {
            using var scope = NewDisposeScope();
            var query = Heads(q.forward(x)); // [B, H, L, d]
            var key = Heads(k.forward(x));
            var value = Heads(v.forward(x));

            var scores = einsum("bhqd,bhkd->bhqk", query, key) + PositionBias(x.shape[1], x.device); // [B, H, L, L]
            if (barrier is not null)
                scores = scores + barrier;
            var weights = nn.functional.softmax(scores.to(ScalarType.Float32), -1).to(x.dtype);

            var attended = einsum("bhqk,bhkd->bqhd", weights, value).flatten(2); // [B, L, H·d]
            return o.forward(attended).MoveToOuterDisposeScope(); // [B, L, D]
        }

        internal Tensor PositionBias(long length, Device device) // [1, H, L, L]
        {
            using var scope = NewDisposeScope();
            var buckets = new long[length, length];
            for (var query = 0; query < length; query++)
            {
                for (var key = 0; key < length; key++)
                    buckets[query, key] = Bucket(key - query, config.RelativeAttentionNumBuckets, config.RelativeAttentionMaxDistance);
            }
            var bias = relative_attention_bias.forward(tensor(buckets).to(device)); // [L, L, H]
            return bias.permute(2, 0, 1).unsqueeze(0).MoveToOuterDisposeScope();
        }

        private Tensor Heads(Tensor x) => x.unflatten(2, [config.NumHeads, config.DKv]).transpose(1, 2); // [B, L, H·d] -> [B, H, L, d]
    }

    /// <summary>encoder.block.N.layer.1</summary>
    internal sealed class FeedForwardLayer : nn.Module<Tensor, Tensor>
    {
        private readonly GatedFeedForward DenseReluDense;
        private readonly RmsNorm layer_norm;

        public FeedForwardLayer(UMT5Config config)
            : base("layer.1")
        {
            DenseReluDense = new GatedFeedForward(config);
            layer_norm = new RmsNorm(config);
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden)
        {
            using var scope = NewDisposeScope();
            return DenseReluDense.call(layer_norm.forward(hidden)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>encoder.block.N.layer.1.DenseReluDense: wo(gelu(wi_0 x) · wi_1 x), GELU by tanh.</summary>
    internal sealed class GatedFeedForward : nn.Module<Tensor, Tensor>
    {
        private readonly Projection wi_0;
        private readonly Projection wi_1;
        private readonly Projection wo;

        public GatedFeedForward(UMT5Config config)
            : base("DenseReluDense")
        {
            wi_0 = new Projection(config.DModel, config.DFf, hasBias: false);
            wi_1 = new Projection(config.DModel, config.DFf, hasBias: false);
            wo = new Projection(config.DFf, config.DModel, hasBias: false);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) // [B, L, D]
        {
            using var scope = NewDisposeScope();
            var gate = nn.functional.gelu(wi_0.forward(x), GELU.Approximate.tanh); // [B, L, F]
            return wo.forward(gate * wi_1.forward(x)).MoveToOuterDisposeScope(); // [B, L, D]
        }
    }

    /// <summary>x / √(mean x² + ε) · weight: no mean is taken off.</summary>
    internal sealed class RmsNorm : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter weight;
        private readonly double epsilon;

        public RmsNorm(UMT5Config config)
            : base("norm")
        {
            weight = NewWeights.Small(empty(config.DModel));
            epsilon = config.LayerNormEpsilon;
            RegisterComponents();
        }

        public Device Device => weight.device;

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var wide = x.to(ScalarType.Float32);
            var scaled = wide * (wide.square().mean([-1], keepdim: true) + epsilon).rsqrt();
            return (weight * scaled.to(weight.dtype)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>A row of numbers for every index.</summary>
    internal sealed class TokenTable : nn.Module<Tensor, Tensor>, IStoredLayer
    {
        private readonly Parameter weight; // [rows, channels]

        /// <param name="rows">Indices.</param>
        /// <param name="channels">Numbers a row.</param>
        /// <param name="large">Whether it may stay in its file.</param>
        public TokenTable(long rows, long channels, bool large)
            : base("embedding")
        {
            weight = large ? NewWeights.Large([rows, channels], zero: false) : NewWeights.Small(empty(rows, channels));
            RegisterComponents();
        }

        public StoredWeight? Stored { get; set; }

        public override Tensor forward(Tensor indices) // [...] -> [..., channels]
        {
            using var scope = NewDisposeScope();
            var rows = indices.flatten();
            return (Stored?.Select(rows, ScalarType.Float32) ?? weight.index_select(0, rows)).view([.. indices.shape, weight.shape[1]]).MoveToOuterDisposeScope();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                Stored?.Dispose();
            base.Dispose(disposing);
        }
    }
}
