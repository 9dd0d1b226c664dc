using EditorBridge.Models.Configs;

namespace EditorBridge.Models.Networks;

/// <summary>The names and shapes of the tensors that each network is made of, from its sizes alone; names as in Diffusers and Hugging Face.</summary>
public static class NetworkTensors
{
    /// <summary>Those of a diffusion transformer.</summary>
    /// <param name="config">Its sizes.</param>
    public static IReadOnlyDictionary<string, WantedTensor> Transformer(WanTransformerConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var (tensors, dim, patch) = (new TensorNames(), config.Dim, config.PatchSize);
        tensors.Add("patch_embedding.weight", dim, config.InChannels, patch[0], patch[1], patch[2]).Add("patch_embedding.bias", dim);
        const string Embedder = "condition_embedder.";
        tensors.Linear(Embedder + "time_embedder.linear_1", config.FreqDim, dim).Linear(Embedder + "time_embedder.linear_2", dim, dim)
            .Linear(Embedder + "time_proj", dim, 6 * dim)
            .Linear(Embedder + "text_embedder.linear_1", config.TextDim, dim).Linear(Embedder + "text_embedder.linear_2", dim, dim);
        if (config.ImageDim is { } width)
        {
            const string Image = Embedder + "image_embedder.";
            tensors.Norm(Image + "norm1", width).Norm(Image + "norm2", dim).Linear(Image + "ff.net.0.proj", width, width).Linear(Image + "ff.net.2", width, dim);
            if (config.PosEmbedSeqLen is { } tokens)
                tensors.Add(Image + "pos_embed", 1, tokens, width);
        }

        for (var i = 0; i < config.NumLayers; i++)
            Block(tensors, $"blocks.{i}.", config);
        if (config is { VaceLayers: { } layers, VaceInChannels: { } channels })
        {
            tensors.Add("vace_patch_embedding.weight", dim, channels, patch[0], patch[1], patch[2]).Add("vace_patch_embedding.bias", dim)
                .Linear("vace_blocks.0.proj_in", dim, dim);
            for (var i = 0; i < layers.Count; i++)
            {
                Block(tensors, $"vace_blocks.{i}.", config);
                tensors.Linear($"vace_blocks.{i}.proj_out", dim, dim);
            }
        }

        return tensors.Linear("proj_out", dim, config.OutChannels * patch[0] * patch[1] * patch[2]).Add("scale_shift_table", 1, 2, dim).All;
    }

    /// <summary>Those of a UMT5 text encoder.</summary>
    /// <param name="config">Its sizes.</param>
    public static IReadOnlyDictionary<string, WantedTensor> TextEncoder(UMT5Config config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var (tensors, width, inner) = (new TensorNames(), config.DModel, config.NumHeads * config.DKv);
        tensors.Add("shared.weight", config.VocabSize, width).Add("encoder.final_layer_norm.weight", width);
        for (var i = 0; i < config.NumLayers; i++)
        {
            var (attention, forward) = ($"encoder.block.{i}.layer.0.", $"encoder.block.{i}.layer.1.");
            tensors.Add(attention + "layer_norm.weight", width).Add(attention + "SelfAttention.relative_attention_bias.weight", config.RelativeAttentionNumBuckets, config.NumHeads)
                .Add(attention + "SelfAttention.q.weight", inner, width).Add(attention + "SelfAttention.k.weight", inner, width)
                .Add(attention + "SelfAttention.v.weight", inner, width).Add(attention + "SelfAttention.o.weight", width, inner)
                .Add(forward + "layer_norm.weight", width).Add(forward + "DenseReluDense.wi_0.weight", config.DFf, width)
                .Add(forward + "DenseReluDense.wi_1.weight", config.DFf, width).Add(forward + "DenseReluDense.wo.weight", width, config.DFf);
        }

        return tensors.All;
    }

    /// <summary>Those of a CLIP vision tower.</summary>
    /// <param name="config">Its sizes.</param>
    public static IReadOnlyDictionary<string, WantedTensor> ImageEncoder(ClipVisionConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var (tensors, width) = (new TensorNames(), config.HiddenSize);
        const string Embeddings = "vision_model.embeddings.";
        tensors.Add(Embeddings + "class_embedding", width).Add(Embeddings + "patch_embedding.weight", width, 3, config.PatchSize, config.PatchSize)
            .Add(Embeddings + "position_embedding.weight", config.Tokens, width).Norm("vision_model.pre_layrnorm", width);
        for (var i = 0; i < config.NumHiddenLayers; i++)
        {
            var layer = $"vision_model.encoder.layers.{i}.";
            tensors.Norm(layer + "layer_norm1", width).Norm(layer + "layer_norm2", width)
                .Linear(layer + "self_attn.q_proj", width, width).Linear(layer + "self_attn.k_proj", width, width)
                .Linear(layer + "self_attn.v_proj", width, width).Linear(layer + "self_attn.out_proj", width, width)
                .Linear(layer + "mlp.fc1", width, config.IntermediateSize).Linear(layer + "mlp.fc2", config.IntermediateSize, width);
        }

        return tensors.All;
    }

    /// <summary>Those of a video VAE of 2.1 or 2.2.</summary>
    /// <param name="config">Its sizes.</param>
    public static IReadOnlyDictionary<string, WantedTensor> Vae(WanVaeConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var tensors = new TensorNames();
        Encoder(tensors, config);
        tensors.Convolution("quant_conv", 2 * config.ZDim, 2 * config.ZDim, 1, 1).Convolution("post_quant_conv", config.ZDim, config.ZDim, 1, 1);
        Decoder(tensors, config);
        return tensors.All;
    }

    private static void Block(TensorNames tensors, string block, WanTransformerConfig config)
    {
        var dim = config.Dim;
        tensors.Add(block + "scale_shift_table", 1, 6, dim).Norm(block + "norm2", dim);
        foreach (var attention in (string[])[block + "attn1.", block + "attn2."])
        {
            tensors.Linear(attention + "to_q", dim, dim).Linear(attention + "to_k", dim, dim).Linear(attention + "to_v", dim, dim).Linear(attention + "to_out.0", dim, dim)
                .Add(attention + "norm_q.weight", dim).Add(attention + "norm_k.weight", dim);
        }

        if (config.ImageDim is not null)
            tensors.Linear(block + "attn2.add_k_proj", dim, dim).Linear(block + "attn2.add_v_proj", dim, dim).Add(block + "attn2.norm_added_k.weight", dim);
        tensors.Linear(block + "ffn.net.0.proj", dim, config.FfnDim).Linear(block + "ffn.net.2", config.FfnDim, dim);
    }

    private static void Encoder(TensorNames tensors, WanVaeConfig config)
    {
        var widths = config.DimMult.Select(mult => mult * config.BaseDim).ToArray();
        tensors.Convolution("encoder.conv_in", config.InChannels, config.BaseDim, 3, 3);
        // Blocks are nested in levels in 2.2; in 2.1 they are counted through.
        for (int level = 0, block = 0; level < widths.Length; level++)
        {
            var (below, width) = (level == 0 ? config.BaseDim : widths[level - 1], widths[level]);
            for (var i = 0; i < config.NumResBlocks; i++)
                Residual(tensors, config.IsResidual ? $"encoder.down_blocks.{level}.resnets.{i}." : $"encoder.down_blocks.{block++}.", i == 0 ? below : width, width);
            if (level == widths.Length - 1)
                continue;
            var sampler = config.IsResidual ? $"encoder.down_blocks.{level}.downsampler." : $"encoder.down_blocks.{block++}.";
            tensors.Frames(sampler + "resample.1", width, width);
            if (config.TemporalDownsample[level])
                tensors.Convolution(sampler + "time_conv", width, width, 3, 1);
        }

        Middle(tensors, "encoder.mid_block.", widths[^1]);
        tensors.Add("encoder.norm_out.gamma", widths[^1], 1, 1, 1).Convolution("encoder.conv_out", widths[^1], 2 * config.ZDim, 3, 3);
    }

    private static void Decoder(TensorNames tensors, WanVaeConfig config)
    {
        var widths = config.DimMult.Reverse().Select(mult => mult * config.DecoderDim).ToArray();
        tensors.Convolution("decoder.conv_in", config.ZDim, widths[0], 3, 3);
        Middle(tensors, "decoder.mid_block.", widths[0]);
        for (var level = 0; level < widths.Length; level++)
        {
            // A step up halves the channels in 2.1.
            var (width, block) = (widths[level], $"decoder.up_blocks.{level}.");
            var below = level == 0 ? widths[0] : config.IsResidual ? widths[level - 1] : widths[level - 1] / 2;
            for (var i = 0; i <= config.NumResBlocks; i++)
                Residual(tensors, $"{block}resnets.{i}.", i == 0 ? below : width, width);
            if (level == widths.Length - 1)
                continue;
            var sampler = block + (config.IsResidual ? "upsampler." : "upsamplers.0.");
            tensors.Frames(sampler + "resample.1", width, config.IsResidual ? width : width / 2);
            if (config.TemporalDownsample[^(level + 1)])
                tensors.Convolution(sampler + "time_conv", width, 2 * width, 3, 1);
        }

        tensors.Add("decoder.norm_out.gamma", widths[^1], 1, 1, 1).Convolution("decoder.conv_out", widths[^1], config.OutChannels, 3, 3);
    }

    private static void Middle(TensorNames tensors, string block, int width)
    {
        Residual(tensors, block + "resnets.0.", width, width);
        tensors.Add(block + "attentions.0.norm.gamma", width, 1, 1)
            .Add(block + "attentions.0.to_qkv.weight", 3 * width, width, 1, 1).Add(block + "attentions.0.to_qkv.bias", 3 * width)
            .Add(block + "attentions.0.proj.weight", width, width, 1, 1).Add(block + "attentions.0.proj.bias", width);
        Residual(tensors, block + "resnets.1.", width, width);
    }

    private static void Residual(TensorNames tensors, string block, int inputs, int outputs)
    {
        tensors.Add(block + "norm1.gamma", inputs, 1, 1, 1).Convolution(block + "conv1", inputs, outputs, 3, 3)
            .Add(block + "norm2.gamma", outputs, 1, 1, 1).Convolution(block + "conv2", outputs, outputs, 3, 3);
        if (inputs != outputs)
            tensors.Convolution(block + "conv_shortcut", inputs, outputs, 1, 1);
    }

    private sealed class TensorNames
    {
        private readonly Dictionary<string, WantedTensor> all = new(StringComparer.Ordinal);

        public IReadOnlyDictionary<string, WantedTensor> All => all;

        public TensorNames Add(string name, params long[] shape)
        {
            all.Add(name, new WantedTensor(shape));
            return this;
        }

        public TensorNames Linear(string layer, long inputs, long outputs) => Add(layer + ".weight", outputs, inputs).Add(layer + ".bias", outputs);

        public TensorNames Norm(string layer, long width) => Add(layer + ".weight", width).Add(layer + ".bias", width);

        public TensorNames Frames(string layer, long inputs, long outputs) => Add(layer + ".weight", outputs, inputs, 3, 3).Add(layer + ".bias", outputs);

        // Kernel (frames, side, side).
        public TensorNames Convolution(string layer, long inputs, long outputs, long frames, long side) =>
            Add(layer + ".weight", outputs, inputs, frames, side, side).Add(layer + ".bias", outputs);
    }
}
