using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Configs;

/// <summary>
/// The sizes of a network from its tensors alone, for files that come without <c>config.json</c>: ComfyUI's, GGUF and the authors' own, in every naming.
/// </summary>
public static class ConfigFromTensors
{
    private const int HeadWidth = 128; // of every Wan transformer

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
