using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Configs;

/// <summary>
/// The sizes of a network from its tensors alone, for files that come without <c>config.json</c>: ComfyUI's, GGUF and the authors' own, in every naming.
/// </summary>
public static class ConfigFromTensors
{
    private const int HeadWidth = 128; // of every Wan transformer
    private const int ClipHeadWidth = 80; // of ViT-H/14

    /// <summary>The sizes of a diffusion transformer.</summary>
    /// <param name="weights">Its tensors.</param>
    public static ReadResult<WanTransformerConfig> Transformer(INamedTensors weights)
    {
        var shapes = new TensorShapes(weights);
        var layers = shapes.Blocks("blocks.");
        if (shapes.Find(5, "patch_embedding.weight") is not [var dim, var channels, var frames, var rows, var columns]
            || shapes.Find(2, "head.head.weight", "proj_out.weight") is not [var head, _]
            || shapes.Find(2, "blocks.0.ffn.0.weight", "blocks.0.ffn.net.0.proj.weight") is not [var hidden, _]
            || shapes.Find(2, "text_embedding.0.weight", "condition_embedder.text_embedder.linear_1.weight") is not [_, var text]
            || shapes.Find(2, "time_embedding.0.weight", "condition_embedder.time_embedder.linear_1.weight") is not [_, var frequencies]
            || layers is null)
            return Failed<WanTransformerConfig>(weights, "a Wan transformer: a block, its patch, time or text embedding or its head is missing");
        if (dim % HeadWidth != 0)
            return ReadResult<WanTransformerConfig>.Failed(
                $"'{weights.Path}' holds a transformer of width {dim}, which is not made of heads of {HeadWidth}; its config.json is needed.");

        var image = shapes.Find(2, "img_emb.proj.1.weight", "condition_embedder.image_embedder.ff.net.0.proj.weight");
        var positions = shapes.Find(3, "img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed");
        var vace = shapes.Find(5, "vace_patch_embedding.weight");
        return Checked(weights, new WanTransformerConfig
        {
            PatchSize = [frames, rows, columns],
            NumAttentionHeads = dim / HeadWidth,
            AttentionHeadDim = HeadWidth,
            InChannels = channels,
            OutChannels = head / (frames * rows * columns),
            TextDim = text,
            FreqDim = frequencies,
            FfnDim = hidden,
            NumLayers = layers.Value,
            ImageDim = image?[1],
            AddedKvProjDim = image is null ? null : dim,
            PosEmbedSeqLen = positions?[1],
            VaceLayers = vace is null ? null : Spread(shapes.Blocks("vace_blocks.") ?? 0, layers.Value),
            VaceInChannels = vace?[1],
        }, config => config.Problem());
    }

    /// <summary>The sizes of a UMT5 text encoder.</summary>
    /// <param name="weights">Its tensors.</param>
    public static ReadResult<UMT5Config> TextEncoder(INamedTensors weights)
    {
        var shapes = new TensorShapes(weights);
        const string Block = "encoder.block.0.layer.";
        var layers = shapes.Blocks("encoder.block.", "blocks.", "enc.blk.");
        if (shapes.Find(2, "shared.weight", "token_embedding.weight", "token_embd.weight") is not [var vocabulary, var width]
            || shapes.Find(2, Block + "0.SelfAttention.q.weight", "blocks.0.attn.q.weight", "enc.blk.0.attn_q.weight") is not [var inner, _]
            || shapes.Find(2, Block + "0.SelfAttention.relative_attention_bias.weight", "blocks.0.pos_embedding.embedding.weight", "enc.blk.0.attn_rel_b.weight") is not [var buckets, var heads]
            || shapes.Find(2, Block + "1.DenseReluDense.wi_0.weight", "blocks.0.ffn.gate.0.weight", "enc.blk.0.ffn_gate.weight") is not [var hidden, _]
            || layers is null)
            return Failed<UMT5Config>(weights, "a UMT5 text encoder: its token table, a block or its position table is missing");
        return Checked(weights, new UMT5Config
        {
            VocabSize = vocabulary,
            DModel = width,
            DKv = inner / heads,
            DFf = hidden,
            NumHeads = heads,
            NumLayers = layers.Value,
            RelativeAttentionNumBuckets = buckets,
        }, config => config.Problem());
    }

    /// <summary>The sizes of a CLIP vision tower.</summary>
    /// <param name="weights">Its tensors.</param>
    public static ReadResult<ClipVisionConfig> ImageEncoder(INamedTensors weights)
    {
        var shapes = new TensorShapes(weights);
        var layers = shapes.Blocks("vision_model.encoder.layers.", "visual.transformer.");
        var positions = shapes.Find(2, "vision_model.embeddings.position_embedding.weight")?[0] ?? shapes.Find(3, "visual.pos_embedding")?[1];
        if (shapes.Find(4, "vision_model.embeddings.patch_embedding.weight", "visual.patch_embedding.weight") is not [var width, _, var patch, _]
            || shapes.Find(2, "vision_model.encoder.layers.0.mlp.fc1.weight", "visual.transformer.0.mlp.0.weight") is not [var hidden, _]
            || layers is null || positions is null)
            return Failed<ClipVisionConfig>(weights, "a CLIP vision tower: its patch or position embedding or a block is missing");
        if (width % ClipHeadWidth != 0)
            return ReadResult<ClipVisionConfig>.Failed(
                $"'{weights.Path}' holds a vision tower of width {width}, which is not made of heads of {ClipHeadWidth}; its config.json is needed.");
        return Checked(weights, new ClipVisionConfig
        {
            HiddenSize = width,
            IntermediateSize = hidden,
            NumHiddenLayers = layers.Value,
            NumAttentionHeads = width / ClipHeadWidth,
            ImageSize = (int)Math.Sqrt(positions.Value - 1) * patch,
            PatchSize = patch,
        }, config => config.Problem());
    }

    /// <summary>The sizes of a video VAE of Wan 2.1 or 2.2; their latent statistics, which no tensor holds, are the published ones.</summary>
    /// <param name="weights">Its tensors.</param>
    public static ReadResult<WanVaeConfig> Vae(INamedTensors weights)
    {
        var shapes = new TensorShapes(weights);
        if (shapes.Find(5, "conv2.weight", "post_quant_conv.weight") is not [var latents, ..]
            || shapes.Find(5, "encoder.conv1.weight", "encoder.conv_in.weight") is not [var encoder, ..]
            || shapes.Find(4, "decoder.head.0.gamma", "decoder.norm_out.gamma") is not [var decoder, ..])
            return Failed<WanVaeConfig>(weights, "a Wan VAE: its first or last convolutions are missing");
        // 2.2 nests its blocks in levels, 2.1 counts them through.
        var nested = shapes.Find(4, "encoder.downsamples.0.downsamples.0.residual.0.gamma", "encoder.down_blocks.0.resnets.0.norm1.gamma") is not null;
        var known = nested ? WanVaeConfig.Wan22 : WanVaeConfig.Wan21;
        return known.ZDim == latents
            ? Checked(weights, known with { BaseDim = encoder, DecoderBaseDim = decoder == encoder ? null : decoder }, config => config.Problem())
            : ReadResult<WanVaeConfig>.Failed(
                $"'{weights.Path}' holds a VAE of {latents} latent channels, whose mean and deviation are not known; its config.json is needed.");
    }

    // Context blocks stand before every second (1.3B) or fifth (14B) block, from the first on.
    private static IReadOnlyList<int> Spread(int count, int layers)
        => [.. Enumerable.Range(0, count).Select(i => i * ((layers + count - 1) / count))];

    private static ReadResult<T> Failed<T>(INamedTensors weights, string what)
        where T : class
        => ReadResult<T>.Failed($"'{weights.Path}' does not hold {what}.");

    private static ReadResult<T> Checked<T>(INamedTensors weights, T config, Func<T, string?> problem)
        where T : class
        => problem(config) is { } why ? ReadResult<T>.Failed($"'{weights.Path}' cannot be used: {why}.") : ReadResult<T>.Of(config);
}
