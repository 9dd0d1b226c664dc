using System.Globalization;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using Linear = EditorBridge.Diffusion.Weights.LinearLayer;

namespace EditorBridge.Diffusion.Wan;

/// <summary>
/// The Wan video diffusion transformer (Wan Team, "Wan: Open and Advanced Large-Scale Video Generative Models", 2025): predicts the flow
/// velocity of latents, given their noise level and a text. One implementation for every size; module names are Diffusers' keys.
/// </summary>
/// <remarks>
/// Latents come as segments: grids of tokens with positions of their own on the time axis, joined on the token axis, each latent frame
/// with its own timestep. A single segment at positions 0, 1, 2, … is the plain text-to-video model. Image-to-video models take latents with
/// mask and image channels behind the noise (<see cref="Conditioning.GivenFrames"/>), those of 2.1 also features of an image encoder; VACE models
/// (Jiang et al., "VACE: All-in-One Video Creation and Editing", 2025) take a <see cref="VaceContext"/>.
/// Residual stream, norms, modulation and head are float32 whatever the weights' type, as in the reference; see <see cref="ComputeType"/>.
/// </remarks>
public sealed class WanTransformer : Module
{
    private readonly PatchEmbedding patch_embedding;
    private readonly PatchEmbedding? vace_patch_embedding;
    private readonly ConditionEmbedder condition_embedder;
    private readonly ModuleList<WanBlock> blocks;
    private readonly ModuleList<WanBlock>? vace_blocks; // each gives the main block of its place a hint
    private readonly Linear proj_out;
    private readonly Parameter scale_shift_table; // [1, 2, D]: shift and scale of the head

    private readonly int[] patch;
    private readonly double eps;
    private BlockStream? stream;
    private DeviceStay? stay;

    /// <summary>Makes the network with weights of zero: load them, or call <see cref="Initialize"/>.</summary>
    /// <param name="config">Sizes.</param>
    /// <exception cref="NotSupportedException">The sizes cannot be used, or ask for a part that no Wan model has.</exception>
    public WanTransformer(WanTransformerConfig config)
        : base(nameof(WanTransformer))
    {
        if (config.Problem() is { } problem)
            throw new NotSupportedException($"The transformer's config cannot be used: {problem}.");
        if (config.PatchSize[0] != 1 || !config.CrossAttnNorm || config.QkNorm is null)
            throw new NotSupportedException("Only transformers with one latent frame per token, norms before cross attention and on queries and keys are supported.");

        Config = config;
        patch = [.. config.PatchSize];
        eps = config.Eps;
        var patchVolume = patch[0] * patch[1] * patch[2];

        patch_embedding = new PatchEmbedding(config.InChannels, config.Dim, patch);
        condition_embedder = new ConditionEmbedder(config);
        blocks = new ModuleList<WanBlock>([.. Enumerable.Range(0, config.NumLayers).Select(_ => new WanBlock(config, BlockRole.Main))]);
        if (config is { VaceLayers: { } layers, VaceInChannels: { } channels })
        {
            vace_patch_embedding = new PatchEmbedding(channels, config.Dim, patch);
            vace_blocks = new ModuleList<WanBlock>([.. layers.Select((_, n) => new WanBlock(config, n == 0 ? BlockRole.FirstVace : BlockRole.Vace))]);
        }
        proj_out = new Linear(config.Dim, config.OutChannels * patchVolume, island: true);
        scale_shift_table = NewWeights.Small(zeros(1, 2, config.Dim));
        RegisterComponents();

        // The network owns its weights, whatever scope it was made in.
        foreach (var parameter in parameters())
            parameter.DetachFromDisposeScope();
    }

    /// <summary>Builds the network of a folder with <c>config.json</c> and weights in either naming.</summary>
    /// <param name="folder">The <c>transformer/</c> folder of a model.</param>
    /// <param name="device">Where it computes; the CPU when not given.</param>
    /// <param name="placement">Where large weights are kept; when not given, as suits their number.</param>
    /// <exception cref="InvalidDataException">Config or weights cannot be used; the message says why.</exception>
    /// <exception cref="NotSupportedException">The model has a part that is not there.</exception>
    public static WanTransformer Load(string folder, Device? device = null, WeightPlacement? placement = null)
    {
        var config = ConfigFile.ReadTransformer(Path.Combine(folder, "config.json")).OrThrow();
        using var weights = Checkpoint.Open(folder).OrThrow();
        return Load(config, weights, device, placement);
    }

    /// <summary>Builds the network from a checkpoint in either naming.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The checkpoint; it may be disposed afterwards.</param>
    /// <param name="device">Where it computes; the CPU when not given.</param>
    /// <param name="placement">Where large weights are kept; when not given, as suits their number.</param>
    /// <exception cref="InvalidDataException">The weights do not fit; the message names keys.</exception>
    /// <exception cref="NotSupportedException">The model has a part that is not there.</exception>
    public static WanTransformer Load(WanTransformerConfig config, INamedTensors weights, Device? device = null, WeightPlacement? placement = null)
    {
        placement ??= PlacementOn(device ?? CPU, weights);
        var network = WeightLoader.Make(() => new WanTransformer(config), weights, key => [WanTransformerKeys.FromOriginal(key)], device, placement);
        if (network.Device is { type: not DeviceType.CPU } place && network.proj_out.Stored is not null)
        {
            // As the reference's autocast; the CPU is fastest in float32, which is null.
            if (place.type == DeviceType.CUDA)
                network.ComputeType = ScalarType.BFloat16;
            if (placement == WeightPlacement.Streamed)
                network.StreamBlocks(place);
            else if (placement == WeightPlacement.InTurns)
                network.TakeTurns(place);
        }

        return network;
    }

    // On a GPU as a whole where it leaves room for what is computed with it, else block by block.
    private static WeightPlacement PlacementOn(Device device, INamedTensors weights)
    {
        const double MostOfFree = 0.65;
        var chosen = NewWeights.PlacementOf(weights);
        return chosen == WeightPlacement.AsStored && device.type == DeviceType.CUDA && CudaMemory.Free() is { } free
            && weights.Tensors.Values.Sum(tensor => tensor.Type.IsBlocked() ? 2 * tensor.Elements : tensor.Length) > MostOfFree * free
            ? WeightPlacement.Streamed : chosen;
    }

    /// <summary>Writes <c>config.json</c> and the weights as a Diffusers folder.</summary>
    /// <param name="folder">The <c>transformer/</c> folder of a model; made when it is not there.</param>
    /// <param name="type">Type to store the weights in.</param>
    public void Save(string folder, ScalarType type = ScalarType.Float32)
    {
        Directory.CreateDirectory(folder);
        WeightSaver.Save(this, Path.Combine(folder, "diffusion_pytorch_model.safetensors"), type, new Dictionary<string, string> { ["format"] = "pt" });
        File.WriteAllText(Path.Combine(folder, "config.json"), ConfigFile.Write(Config));
    }

    /// <summary>The sizes it was made with.</summary>
    public WanTransformerConfig Config { get; }

    /// <summary>Where the weights are.</summary>
    public Device Device => scale_shift_table.device;

    /// <summary>
    /// Type that the large matrix products and attention run in; null for the type of the weights, float32 where they stay in their file. Weights of another type are cast at
    /// every call and keep their own gradient, which is what mixed-precision training needs. With bfloat16 every rounding falls where the
    /// reference's autocast has it.
    /// </summary>
    public ScalarType? ComputeType
    {
        get => field;
        set
        {
            field = value;
            foreach (var linear in modules().OfType<Linear>())
                linear.ComputeType = value;
            patch_embedding.ComputeType = value;
            vace_patch_embedding?.ComputeType = value;
        }
    }

    /// <summary>Predicts the velocity of every segment.</summary>
    /// <param name="segments">At least one; same batch, channels and device.</param>
    /// <param name="context">Text features, padded with zero rows that are attended to: [B, text, text_dim].</param>
    /// <param name="image">Features of the given pictures, for models that take them: [B, image tokens, image_dim].</param>
    /// <param name="vace">What a VACE model is to keep, follow or refer to; it may be left out.</param>
    /// <returns>One velocity per segment, [B, C, F, H, W] float32; sides that the patch does not divide lose the rest.</returns>
    /// <exception cref="ArgumentException">The shapes do not go together.</exception>
    public IReadOnlyList<Tensor> Forward(IReadOnlyList<LatentSegment> segments, Tensor context, Tensor? image = null, VaceContext? vace = null)
    {
        using var text = PrepareText(context, image);
        return Forward(segments, text, vace);
    }

    /// <summary>Predicts the velocity of every segment for a text prepared before.</summary>
    /// <param name="segments">At least one; same batch, channels and device.</param>
    /// <param name="text">Keys and values from <see cref="PrepareText"/>, of the same batch.</param>
    /// <param name="vace">What a VACE model is to keep, follow or refer to; it may be left out.</param>
    /// <param name="residual">What the blocks did in an earlier pass with the same segments' shapes, to be reused or replaced; null for nothing to do with it.</param>
    /// <inheritdoc cref="Forward(IReadOnlyList{LatentSegment}, Tensor, Tensor, VaceContext)"/>
    public IReadOnlyList<Tensor> Forward(IReadOnlyList<LatentSegment> segments, TextKeysValues text, VaceContext? vace = null, BlockResidual? residual = null)
    {
        using var scope = NewDisposeScope();
        var grids = segments.Select(segment => TokenGrid.Of(segment.Latent, patch)).ToArray();
        Check(segments, text);
        Check(segments, vace);

        // Tokens of one frame share a timestep, so modulation is kept per frame; frames of different sizes have it per token.
        var uniform = grids.All(grid => grid.TokensPerFrame == grids[0].TokensPerFrame);
        var timesteps = cat(segments.Select((segment, i) =>
        {
            var frames = segment.Timesteps.to(CPU).to(float64);
            return uniform ? frames : frames.repeat_interleave(grids[i].TokensPerFrame, dim: 1);
        }).ToArray(), 1); // [B, G]

        var rotation = RotaryPositions.Table(
            [.. segments.Select((segment, i) => (segment.TimePositions, grids[i].Rows, grids[i].Columns))],
            Config.AttentionHeadDim, segments[0].Latent.device); // [L, 1, d/2]
        var velocities = Run([.. segments.Select(segment => segment.Latent)], grids, timesteps, rotation, text, vace, residual);
        return [.. velocities.Select(velocity => velocity.MoveToOuterDisposeScope())];
    }

    /// <summary>Predicts the velocity of one latent whose tokens each have a timestep of their own.</summary>
    /// <param name="latent">[B, C, F, H, W].</param>
    /// <param name="timesteps">[B, tokens], in the order frame, row, column.</param>
    /// <param name="context">Text features, padded with zero rows that are attended to: [B, text, text_dim].</param>
    public Tensor ForwardTokens(Tensor latent, Tensor timesteps, Tensor context)
    {
        using var scope = NewDisposeScope();
        using var text = PrepareText(context);
        var grid = TokenGrid.Of(latent, patch);
        if (!timesteps.shape.SequenceEqual([latent.shape[0], grid.Tokens]))
            throw new ArgumentException($"{grid.Tokens} timesteps per sample are needed, one per token, not [{string.Join(", ", timesteps.shape)}].", nameof(timesteps));

        double[] positions = [.. Enumerable.Range(0, (int)grid.Frames)];
        var rotation = RotaryPositions.Table([(positions, grid.Rows, grid.Columns)], Config.AttentionHeadDim, latent.device);
        return Run([latent], [grid], timesteps.to(CPU).to(float64), rotation, text, vace: null, residual: null)[0].MoveToOuterDisposeScope();
    }

    /// <summary>What the blocks are modulated by at a noise level, before each adds its own: shifts, scales and gates, [6·D] float32.</summary>
    /// <param name="timestep">Noise level on the scale 0..1000.</param>
    public Tensor Modulation(double timestep)
    {
        using var scope = NewDisposeScope();
        using var upcast = UpcastBuffer.Begin();
        var (_, modulation) = condition_embedder.Time(full([1, 1], timestep, dtype: float64), Device);
        return modulation.flatten().MoveToOuterDisposeScope();
    }

    /// <summary>Computes what the blocks need of a text, and of given pictures, once, so that every step of a run can share it.</summary>
    /// <param name="context">Text features, padded with zero rows that are attended to: [B, text, text_dim].</param>
    /// <param name="image">Features of the given pictures, for models that take them: [B, image tokens, image_dim].</param>
    /// <returns>Keys and values of every block; the caller disposes them.</returns>
    /// <exception cref="ArgumentException">The shapes do not go together, or the model takes pictures and there are none.</exception>
    public TextKeysValues PrepareText(Tensor context, Tensor? image = null)
    {
        if (context.dim() != 3 || context.shape[2] != Config.TextDim)
            throw new ArgumentException($"The text must be [B, text, {Config.TextDim}], not [{string.Join(", ", context.shape)}].", nameof(context));
        CheckImage(context, image);

        using var scope = NewDisposeScope();
        using var upcast = UpcastBuffer.Begin();
        var text = condition_embedder.text_embedder.call(context); // [B, T, D]
        var pictures = image is null ? null : condition_embedder.image_embedder!.call(image); // [B, I, D]
        WanBlock[] all = [.. blocks, .. vace_blocks ?? []];
        var pairs = new (Tensor Key, Tensor Value)[all.Length];
        for (var i = 0; i < pairs.Length; i++)
        {
            var (key, value) = all[i].attn2.KeyValue(text, pictures);
            pairs[i] = (key.DetachFromDisposeScope(), value.DetachFromDisposeScope());
        }

        return new TextKeysValues(context.shape[0], pairs);
    }

    private IReadOnlyList<Tensor> Run(Tensor[] latents, TokenGrid[] grids, Tensor timesteps, Tensor rotation, TextKeysValues text, VaceContext? vace, BlockResidual? residual)
    {
        using var upcast = UpcastBuffer.Begin();
        var (batch, groups) = (timesteps.shape[0], timesteps.shape[1]);
        var x = cat(latents.Select(patch_embedding.call).ToArray(), 1); // [B, L, D]
        x = x.view(batch, groups, -1, Config.Dim); // [B, G, L/G, D]

        var (time, modulation) = condition_embedder.Time(timesteps, x.device); // [B, G, 1, D], [B, G, 6, D]
        x = residual is null ? Blocks(x, modulation, rotation, text, vace) : Blocks(x, modulation, rotation, text, vace, residual);

        var head = (scale_shift_table.to(float32) + time).chunk(2, dim: 2); // 2 × [B, G, 1, D]
        x = Norms.Modulated(x, shift: head[0], scale: head[1], eps);
        x = proj_out.call(x.view(batch, -1, Config.Dim)); // [B, L, p·q·r·C]

        var tokens = x.split(grids.Select(grid => grid.Tokens).ToArray(), 1);
        return [.. tokens.Select((segment, i) => Unpatchify(segment, grids[i]))];
    }

    private Tensor Blocks(Tensor x, Tensor modulation, Tensor rotation, TextKeysValues text, VaceContext? vace, BlockResidual residual)
    {
        if (residual is { Reuse: true, Tokens: { } known })
            return x.to(float32) + known.view(x.shape);
        // The blocks let go of the tokens they have read.
        using var input = x.alias();
        var result = Blocks(x, modulation, rotation, text, vace);
        using var difference = (result - input).flatten(1, 2); // [B, L, D]
        residual.Keep(difference);
        return result;
    }

    private Tensor Blocks(Tensor x, Tensor modulation, Tensor rotation, TextKeysValues text, VaceContext? vace) // x: [B, G, L/G, D]
    {
        var hinting = vace is null ? null : vace_blocks![0].Begin(vace_patch_embedding!.call(vace.Latents).view(x.shape), x);
        for (int i = 0, n = 0; i < blocks.Count; i++)
        {
            // Each block's tokens are let go when the next has read them: all of them together would be the largest part of a pass.
            var (main, hints) = (x, hinting is not null && n < vace_blocks!.Count && Config.VaceLayers![n] == i);
            using (main)
                x = Block(i, hints ? blocks.Count + n : After(i), () => blocks[i].call(main, modulation, rotation, text.Pairs[i].Key, text.Pairs[i].Value));
            if (!hints)
                continue;

            // The reference runs all of these first; they do not see what the main blocks do, so the hints need not be kept.
            var (key, value) = text.Pairs[blocks.Count + n];
            var context = hinting!;
            Tensor? hint = null;
            using (context)
            {
                hinting = Block(blocks.Count + n, After(i), () =>
                {
                    var result = vace_blocks![n].call(context, modulation, rotation, key, value);
                    hint = vace_blocks[n].Hint(result);
                    return result;
                });
            }

            using (var plain = x)
            using (hint)
                x = plain.add(hint!, alpha: vace!.Scale);
            n++;
        }

        return x;
    }

    // The main block after one; after the last comes the first of the next pass.
    private int After(int block) => (block + 1) % blocks.Count;

    // A block by its place among all, those of VACE after the main ones.
    private Tensor Block(int index, int next, Func<Tensor> compute) => stream is null ? compute() : stream.Run(index, next, compute);

    /// <summary>Lets the blocks' weights go through a device one block after the other; what lies outside of the blocks is copied there.</summary>
    /// <param name="device">Where the network's own parameters are.</param>
    internal void StreamBlocks(Device device)
    {
        WanBlock[] all = [.. blocks, .. vace_blocks ?? []];
        var streamed = all.SelectMany(block => block.modules()).OfType<IStoredLayer>().ToHashSet();
        foreach (var layer in modules().OfType<IStoredLayer>().Where(layer => !streamed.Contains(layer)))
            using (var mapped = layer.Stored)
                layer.Stored = mapped?.CopyTo(device);
        stream?.Dispose();
        stream = new BlockStream(all, device);
    }

    /// <summary>How often the weights went to the device, where the network shares it with another in turns.</summary>
    public int Placements => stay?.Placements ?? 0;

    /// <summary>Whether the weights are on the device where the network shares it in turns.</summary>
    public bool HasTurn => stay?.Here ?? false;

    /// <summary>Brings the weights to the device where the network shares it in turns (<see cref="WeightPlacement.InTurns"/>); elsewhere nothing happens.</summary>
    public void BeginTurn() => stay?.Begin();

    /// <summary>Leaves the device to another; the weights stay in their file.</summary>
    public void EndTurn() => stay?.Leave();

    /// <summary>From now on the large weights are on a device between <see cref="BeginTurn"/> and <see cref="EndTurn"/> only.</summary>
    /// <param name="device">Where the network's own parameters are.</param>
    internal void TakeTurns(Device device)
    {
        stay?.Dispose();
        stay = new DeviceStay(this, device);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            stay?.Dispose();
            stream?.Dispose();
        }

        base.Dispose(disposing);
    }

    private Tensor Unpatchify(Tensor tokens, TokenGrid grid) => tokens
        .view(tokens.shape[0], grid.Frames, grid.Rows, grid.Columns, patch[0], patch[1], patch[2], Config.OutChannels)
        .permute(0, 7, 1, 4, 2, 5, 3, 6) // [B, C, f, p, h, q, w, r]
        .reshape(tokens.shape[0], Config.OutChannels, grid.Frames * patch[0], grid.Rows * patch[1], grid.Columns * patch[2]);

    private void Check(IReadOnlyList<LatentSegment> segments, TextKeysValues text)
    {
        if (segments.Count == 0)
            throw new ArgumentException("There are no latents.", nameof(segments));

        foreach (var (latent, timesteps, positions) in segments)
        {
            if (latent.dim() != 5 || latent.shape[0] != text.Batch || latent.shape[1] != Config.InChannels)
                throw new ArgumentException($"Latents must be [{text.Batch}, {Config.InChannels}, F, H, W], not [{string.Join(", ", latent.shape)}].", nameof(segments));
            if (positions.Count != latent.shape[2])
                throw new ArgumentException($"{latent.shape[2]} latent frames have {positions.Count} time positions.", nameof(segments));
            if (!timesteps.shape.SequenceEqual([latent.shape[0], latent.shape[2]]))
                throw new ArgumentException($"Timesteps must be [{latent.shape[0]}, {latent.shape[2]}], one per latent frame, not [{string.Join(", ", timesteps.shape)}].", nameof(segments));
        }
    }

    private void Check(IReadOnlyList<LatentSegment> segments, VaceContext? vace)
    {
        if (vace is null)
            return;
        if (Config.VaceInChannels is not { } channels || vace_blocks is null)
            throw new ArgumentException("This transformer is not a VACE model and takes no VACE context.", nameof(vace));
        if (segments.Count != 1)
            throw new ArgumentException("A VACE model takes one run of latents; what is given goes into its context.", nameof(segments));
        var latent = segments[0].Latent.shape;
        if (!vace.Latents.shape.SequenceEqual([latent[0], channels, .. latent[2..]]))
            throw new ArgumentException($"The VACE context must be [{latent[0]}, {channels}, {string.Join(", ", latent[2..])}], not [{string.Join(", ", vace.Latents.shape)}].", nameof(vace));
    }

    private void CheckImage(Tensor context, Tensor? image)
    {
        if (Config.ImageDim is not { } width)
        {
            if (image is not null)
                throw new ArgumentException("This transformer takes no features of pictures.", nameof(image));
            return;
        }

        if (image is null)
            throw new ArgumentException("This transformer needs the features of the given pictures.", nameof(image));
        if (image.dim() != 3 || image.shape[0] != context.shape[0] || image.shape[2] != width || (Config.PosEmbedSeqLen is { } tokens && image.shape[1] != tokens))
        {
            throw new ArgumentException($"The pictures must be [{context.shape[0]}, {Config.PosEmbedSeqLen?.ToString(CultureInfo.InvariantCulture) ?? "image tokens"}, {width}], "
                + $"not [{string.Join(", ", image.shape)}].", nameof(image));
        }

        if (context.shape[1] != Config.TextLen)
            throw new ArgumentException($"With pictures the text must have exactly {Config.TextLen} rows, zeros behind, not {context.shape[1]}.", nameof(context));
    }

    /// <summary>Draws weights to train from, as Wan does: Xavier for linear layers, small normals for the embeddings, a head of zero.</summary>
    /// <param name="generator">Source of randomness, on the CPU.</param>
    public void Initialize(Generator generator)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in named_parameters())
        {
            if (name.EndsWith("scale_shift_table", StringComparison.Ordinal))
                parameter.copy_(randn(parameter.shape, generator: generator) / Math.Sqrt(Config.Dim));
            else if (name.StartsWith("proj_out.", StringComparison.Ordinal) || name.EndsWith(".bias", StringComparison.Ordinal))
                parameter.zero_();
            else if (parameter.dim() == 1)
                parameter.fill_(1);
            else if (name.Contains("text_embedder", StringComparison.Ordinal) || name.Contains("time_embedder", StringComparison.Ordinal))
                parameter.copy_(randn(parameter.shape, generator: generator) * 0.02);
            else
            {
                var inputs = parameter.numel() / parameter.shape[0];
                var bound = Math.Sqrt(6.0 / (inputs + parameter.shape[0]));
                parameter.copy_((rand(parameter.shape, generator: generator) * 2 - 1) * bound);
            }
        }
    }

    /// <summary>How a latent divides into tokens.</summary>
    private readonly record struct TokenGrid(long Frames, long Rows, long Columns)
    {
        public long TokensPerFrame => Rows * Columns;

        public long Tokens => Frames * Rows * Columns;

        public static TokenGrid Of(Tensor latent, int[] patch) => latent.dim() == 5 && latent.shape[3] >= patch[1] && latent.shape[4] >= patch[2]
            ? new TokenGrid(latent.shape[2] / patch[0], latent.shape[3] / patch[1], latent.shape[4] / patch[2])
            : throw new ArgumentException($"A latent must be [B, C, F, H, W] with sides of at least one patch, not [{string.Join(", ", latent.shape)}].");
    }

    /// <summary>Latent grid to tokens: a convolution whose stride is its kernel, so a linear map of each patch.</summary>
    private sealed class PatchEmbedding : Module<Tensor, Tensor>
    {
        private readonly Parameter weight; // [D, C, p, q, r]
        private readonly Parameter bias; // [D]
        private readonly int[] patch;

        public PatchEmbedding(int channels, int dim, int[] patch)
            : base(nameof(PatchEmbedding))
        {
            this.patch = patch;
            weight = NewWeights.Small(zeros([dim, channels, patch[0], patch[1], patch[2]]));
            bias = NewWeights.Small(zeros(dim));
            RegisterComponents();
        }

        public ScalarType? ComputeType { get; set; }

        public override Tensor forward(Tensor latent) // [B, C, F, H, W] → [B, L, D]
        {
            using var scope = NewDisposeScope();
            var (batch, channels) = (latent.shape[0], latent.shape[1]);
            var (f, h, w) = (latent.shape[2] / patch[0], latent.shape[3] / patch[1], latent.shape[4] / patch[2]);
            var patches = latent
                .narrow(2, 0, f * patch[0]).narrow(3, 0, h * patch[1]).narrow(4, 0, w * patch[2])
                .reshape(batch, channels, f, patch[0], h, patch[1], w, patch[2])
                .permute(0, 2, 4, 6, 1, 3, 5, 7) // [B, f, h, w, C, p, q, r]
                .reshape(batch, f * h * w, -1);
            return Linear.Map(patches, weight.flatten(1), bias, ComputeType ?? weight.dtype).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Noise level and text to the model's width.</summary>
    private sealed class ConditionEmbedder : Module
    {
        private readonly TwoLayers time_embedder;
        private readonly Linear time_proj;
        public readonly TwoLayers text_embedder;
        public readonly ImageEmbedder? image_embedder;
        private readonly int frequencies;
        private readonly int dim;

        public ConditionEmbedder(WanTransformerConfig config)
            : base(nameof(ConditionEmbedder))
        {
            frequencies = config.FreqDim / 2;
            dim = config.Dim;
            time_embedder = new TwoLayers(config.FreqDim, dim, x => x.silu(), island: true);
            time_proj = new Linear(dim, 6 * dim, island: true);
            text_embedder = new TwoLayers(config.TextDim, dim, Gelu, island: false);
            if (config.ImageDim is { } width)
                image_embedder = new ImageEmbedder(width, dim, config.PosEmbedSeqLen);
            RegisterComponents();
        }

        public (Tensor Time, Tensor Modulation) Time(Tensor timesteps, Device device) // [B, G] → [B, G, 1, D], [B, G, 6, D]
        {
            using var scope = NewDisposeScope();
            // Few values occur, at all tokens of many frames: each goes through the layers once.
            var values = timesteps.contiguous().data<double>().ToArray();
            var distinct = values.Distinct().ToArray();
            var row = distinct.Select((value, i) => (value, i)).ToDictionary(pair => pair.value, pair => (long)pair.i);
            var rows = tensor(values.Select(value => row[value]).ToArray(), device: device);

            var exponents = arange(frequencies, dtype: float64) * (-Math.Log(10000) / frequencies);
            var angles = outer(tensor(distinct), exponents.exp()); // [U, 128], float64: timesteps reach 1000
            var sinusoid = cat([angles.cos(), angles.sin()], 1).to(float32).to(device); // [U, 256]

            var time = time_embedder.call(sinusoid); // [U, D]
            var modulation = time_proj.call(functional.silu(time)); // [U, 6·D]
            var (b, g) = (timesteps.shape[0], timesteps.shape[1]);
            return (
                time.index_select(0, rows).view(b, g, 1, dim).MoveToOuterDisposeScope(),
                modulation.index_select(0, rows).view(b, g, 6, dim).MoveToOuterDisposeScope());
        }
    }

    /// <summary>Features of pictures to the model's width.</summary>
    private sealed class ImageEmbedder : Module<Tensor, Tensor>
    {
        private const double Eps = 1e-5; // unlike everywhere else in the transformer

        private readonly AffineNorm norm1;
        private readonly FeedForward ff;
        private readonly AffineNorm norm2;
        private readonly Parameter? pos_embed; // [1, 514, C]: tells the first picture from the last

        public ImageEmbedder(int width, int dim, int? positions)
            : base(nameof(ImageEmbedder))
        {
            norm1 = new AffineNorm(width, Eps);
            ff = new FeedForward(width, width, dim, x => functional.gelu(x));
            norm2 = new AffineNorm(dim, Eps);
            if (positions is { } tokens)
                pos_embed = NewWeights.Small(zeros(1, tokens, width));
            RegisterComponents();
        }

        public override Tensor forward(Tensor features) // [B, I, C] → [B, I, D]
        {
            using var scope = NewDisposeScope();
            var x = features.to(float32);
            if (pos_embed is not null)
                x = x + pos_embed.to(float32);
            return norm2.call(ff.call(norm1.call(x)).to(float32)).MoveToOuterDisposeScope();
        }
    }

    private enum BlockRole
    {
        Main,
        FirstVace,
        Vace,
    }

    private sealed class WanBlock : Module<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>
    {
        private readonly Parameter scale_shift_table; // [1, 6, D]: shift, scale, gate of attention, then of the feed-forward part
        private readonly SelfAttention attn1;
        private readonly AffineNorm norm2;
        public readonly CrossAttention attn2;
        private readonly FeedForward ffn;
        private readonly Linear? proj_in; // VACE: lets the first block in
        private readonly Linear? proj_out; // VACE: makes hints
        private readonly double eps;

        public WanBlock(WanTransformerConfig config, BlockRole role)
            : base(nameof(WanBlock))
        {
            eps = config.Eps;
            scale_shift_table = NewWeights.Small(zeros(1, 6, config.Dim));
            attn1 = new SelfAttention(config);
            norm2 = new AffineNorm(config.Dim, config.Eps);
            attn2 = new CrossAttention(config);
            ffn = new FeedForward(config.Dim, config.FfnDim, config.Dim, Gelu);
            if (role == BlockRole.FirstVace)
                proj_in = new Linear(config.Dim, config.Dim);
            if (role != BlockRole.Main)
                proj_out = new Linear(config.Dim, config.Dim);
            RegisterComponents();
        }

        /// <summary>What the first VACE block begins with: its context and the noisy tokens.</summary>
        public Tensor Begin(Tensor context, Tensor x) // 2 × [B, G, n, D]
        {
            using var scope = NewDisposeScope();
            return (proj_in!.call(context) + x).MoveToOuterDisposeScope();
        }

        /// <summary>What a VACE block tells the main block of its place.</summary>
        public Tensor Hint(Tensor context) // [B, G, n, D]
        {
            using var scope = NewDisposeScope();
            return proj_out!.call(context).to(float32).MoveToOuterDisposeScope();
        }

        // The stream comes in the type of the patch embedding and is float32 from the first gated sum on.
        public override Tensor forward(Tensor x, Tensor modulation, Tensor rotation, Tensor textKey, Tensor textValue) // x: [B, G, n, D]
        {
            using var scope = NewDisposeScope();
            var m = (scale_shift_table.to(float32) + modulation).chunk(6, dim: 2); // 6 × [B, G, 1, D]

            var y = Norms.Modulated(x, shift: m[0], scale: m[1], eps).flatten(1, 2); // [B, L, D]
            x = x.to(float32).addcmul(attn1.call(y, rotation).to(float32).view(x.shape), m[2], 1);

            y = norm2.call(x).flatten(1, 2); // [B, L, D]
            x = x + attn2.call(y, textKey, textValue).to(float32).view(x.shape);

            y = Norms.Modulated(x, shift: m[3], scale: m[4], eps); // [B, G, n, D]
            x = x.addcmul(ffn.call(y).to(float32), m[5], 1);
            return x.MoveToOuterDisposeScope();
        }
    }

    private sealed class SelfAttention : Module<Tensor, Tensor, Tensor>
    {
        private readonly Linear to_q;
        private readonly Linear to_k;
        private readonly Linear to_v;
        private readonly RmsNorm norm_q;
        private readonly RmsNorm norm_k;
        private readonly ModuleList<Linear> to_out;
        private readonly int heads;

        public SelfAttention(WanTransformerConfig config)
            : base(nameof(SelfAttention))
        {
            var dim = config.Dim;
            heads = config.NumAttentionHeads;
            to_q = new Linear(dim, dim);
            to_k = new Linear(dim, dim);
            to_v = new Linear(dim, dim);
            norm_q = new RmsNorm(dim, config.Eps);
            norm_k = new RmsNorm(dim, config.Eps);
            to_out = new ModuleList<Linear>(new Linear(dim, dim));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor rotation) // [B, L, D]
        {
            using var scope = NewDisposeScope();
            var v = to_v.call(x);
            // The norm runs over the whole width, before the heads part.
            var q = RotaryPositions.Rotate(norm_q.call(to_q.call(x)), rotation, heads).to(v.dtype); // [B, L, heads, d]
            var k = RotaryPositions.Rotate(norm_k.call(to_k.call(x)), rotation, heads).to(v.dtype);
            var y = functional.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), Heads(v, heads)); // [B, heads, L, d]
            return to_out[0].call(y.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
        }
    }

    private sealed class CrossAttention : Module<Tensor, Tensor, Tensor, Tensor>
    {
        private readonly Linear to_q;
        private readonly Linear to_k;
        private readonly Linear to_v;
        private readonly RmsNorm norm_q;
        private readonly RmsNorm norm_k;
        private readonly Linear? add_k_proj; // for pictures
        private readonly Linear? add_v_proj;
        private readonly RmsNorm? norm_added_k;
        private readonly ModuleList<Linear> to_out;
        private readonly int heads;
        private readonly int textLength;

        public CrossAttention(WanTransformerConfig config)
            : base(nameof(CrossAttention))
        {
            var dim = config.Dim;
            heads = config.NumAttentionHeads;
            textLength = config.TextLen;
            if (config.ImageDim is not null)
            {
                add_k_proj = new Linear(dim, dim);
                add_v_proj = new Linear(dim, dim);
                norm_added_k = new RmsNorm(dim, config.Eps);
            }
            to_q = new Linear(dim, dim);
            to_k = new Linear(dim, dim);
            to_v = new Linear(dim, dim);
            norm_q = new RmsNorm(dim, config.Eps);
            norm_k = new RmsNorm(dim, config.Eps);
            to_out = new ModuleList<Linear>(new Linear(dim, dim));
            RegisterComponents();
        }

        public (Tensor Key, Tensor Value) KeyValue(Tensor text, Tensor? pictures) // [B, T, D], [B, I, D] → 2 × [B, heads, I + T, d]
        {
            using var scope = NewDisposeScope();
            var value = to_v.call(text);
            var key = norm_k.call(to_k.call(text)).to(value.dtype);
            if (pictures is not null)
            {
                value = cat([add_v_proj!.call(pictures), value], 1);
                key = cat([norm_added_k!.call(add_k_proj!.call(pictures)).to(value.dtype), key], 1);
            }

            return (Heads(key, heads).MoveToOuterDisposeScope(), Heads(value, heads).MoveToOuterDisposeScope());
        }

        public override Tensor forward(Tensor x, Tensor key, Tensor value) // [B, L, D]
        {
            using var scope = NewDisposeScope();
            var q = Heads(norm_q.call(to_q.call(x)).to(value.dtype), heads);
            var pictures = add_k_proj is null ? 0 : key.shape[2] - textLength;
            // No mask: padding is attended to.
            var y = functional.scaled_dot_product_attention(q, key.narrow(2, pictures, key.shape[2] - pictures), value.narrow(2, pictures, key.shape[2] - pictures));
            if (pictures > 0)
                y = y + functional.scaled_dot_product_attention(q, key.narrow(2, 0, pictures), value.narrow(2, 0, pictures));
            return to_out[0].call(y.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
        }
    }

    private sealed class FeedForward : Module<Tensor, Tensor>
    {
        private readonly ModuleList<Module<Tensor, Tensor>> net;

        public FeedForward(int inputs, int hidden, int outputs, Func<Tensor, Tensor> activation)
            : base(nameof(FeedForward))
        {
            net = new ModuleList<Module<Tensor, Tensor>>(new GeluLinear(inputs, hidden, activation), Identity(), new Linear(hidden, outputs));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var hidden = net[0].call(x);
            return net[2].call(hidden);
        }
    }

    private sealed class GeluLinear : Module<Tensor, Tensor>
    {
        private readonly Linear proj;
        private readonly Func<Tensor, Tensor> activation;

        public GeluLinear(int dim, int hidden, Func<Tensor, Tensor> activation)
            : base(nameof(GeluLinear))
        {
            this.activation = activation;
            proj = new Linear(dim, hidden);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return activation(proj.call(x)).MoveToOuterDisposeScope();
        }
    }

    private sealed class TwoLayers : Module<Tensor, Tensor>
    {
        private readonly Linear linear_1;
        private readonly Linear linear_2;
        private readonly Func<Tensor, Tensor> activation;

        public TwoLayers(int inputs, int dim, Func<Tensor, Tensor> activation, bool island)
            : base(nameof(TwoLayers))
        {
            this.activation = activation;
            linear_1 = new Linear(inputs, dim, island: island);
            linear_2 = new Linear(dim, dim, island: island);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return linear_2.call(activation(linear_1.call(x))).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Layer norm with weight and bias.</summary>
    private sealed class AffineNorm : Module<Tensor, Tensor>
    {
        private readonly Parameter weight;
        private readonly Parameter bias;
        private readonly double eps;

        public AffineNorm(int dim, double eps)
            : base(nameof(AffineNorm))
        {
            this.eps = eps;
            weight = NewWeights.Small(ones(dim));
            bias = NewWeights.Small(zeros(dim));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return functional.layer_norm(x, [x.shape[^1]], weight.to(float32), bias.to(float32), eps).MoveToOuterDisposeScope();
        }
    }

    /// <summary>Root mean square norm: computed in float32, rounded to the type of the input, then weighted.</summary>
    private sealed class RmsNorm : Module<Tensor, Tensor>
    {
        private readonly Parameter weight;
        private readonly double eps;

        public RmsNorm(int dim, double eps)
            : base(nameof(RmsNorm))
        {
            this.eps = eps;
            weight = NewWeights.Small(ones(dim));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var wide = x.to(float32);
            var scale = (wide.square().mean([-1], keepdim: true) + eps).rsqrt();
            return ((wide * scale).to(x.dtype) * weight).to(float32).MoveToOuterDisposeScope();
        }
    }

    private static class Norms
    {
        /// <summary>Layer norm without weights, rounded to the type of the input, then <c>x·(1 + scale) + shift</c> in float32.</summary>
        public static Tensor Modulated(Tensor x, Tensor shift, Tensor scale, double eps)
        {
            using var scope = NewDisposeScope();
            var y = functional.layer_norm(x.to(float32), [x.shape[^1]], null, null, eps).to(x.dtype).to(float32);
            return shift.addcmul(y, scale + 1, 1).MoveToOuterDisposeScope();
        }
    }

    // In place where nobody else has its input: it is the largest tensor there is.
    private static Tensor Gelu(Tensor x) => functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh, inplace: !is_grad_enabled());

    private static Tensor Heads(Tensor x, int heads) => x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2); // [B, heads, L, d]
}
