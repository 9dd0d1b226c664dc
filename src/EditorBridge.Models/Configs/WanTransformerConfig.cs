namespace EditorBridge.Models.Configs;

/// <summary>Sizes of a Wan diffusion transformer, as in the <c>config.json</c> of its Diffusers folder.</summary>
public sealed record WanTransformerConfig
{
    /// <summary>Latent frames, rows and columns of one token.</summary>
    public IReadOnlyList<int> PatchSize { get; init; } = [1, 2, 2];

    /// <summary>Attention heads.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>Channels of one head.</summary>
    public required int AttentionHeadDim { get; init; }

    /// <summary>Latent channels that come in (with the image channels of I2V checkpoints).</summary>
    public required int InChannels { get; init; }

    /// <summary>Latent channels that go out.</summary>
    public required int OutChannels { get; init; }

    /// <summary>Channels of the text encoder.</summary>
    public required int TextDim { get; init; }

    /// <summary>Text tokens the context is padded to.</summary>
    public int TextLen { get; init; } = 512;

    /// <summary>Channels of the timestep sinusoid.</summary>
    public int FreqDim { get; init; } = 256;

    /// <summary>Hidden channels of the feed-forward part.</summary>
    public required int FfnDim { get; init; }

    /// <summary>Blocks.</summary>
    public required int NumLayers { get; init; }

    /// <summary>Whether the norm before cross attention has weights.</summary>
    public bool CrossAttnNorm { get; init; } = true;

    /// <summary>Norm of queries and keys; only <c>rms_norm_across_heads</c> occurs.</summary>
    public string? QkNorm { get; init; } = "rms_norm_across_heads";

    /// <summary>Added under the root of every norm.</summary>
    public double Eps { get; init; } = 1e-6;

    /// <summary>Channels of the image encoder of the 2.1 I2V checkpoints; null without.</summary>
    public int? ImageDim { get; init; }

    /// <summary>Channels of the image keys and values of the 2.1 I2V checkpoints; null without.</summary>
    public int? AddedKvProjDim { get; init; }

    /// <summary>Positions the rotary table was made for; longer ones are computed.</summary>
    public int RopeMaxSeqLen { get; init; } = 1024;

    /// <summary>Learned image positions of FLF2V; null without.</summary>
    public int? PosEmbedSeqLen { get; init; }

    /// <summary>Blocks that take a VACE hint; null without VACE.</summary>
    public IReadOnlyList<int>? VaceLayers { get; init; }

    /// <summary>Channels of the VACE context; null without VACE.</summary>
    public int? VaceInChannels { get; init; }

    /// <summary>Channels of the residual stream: heads times head channels.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public int Dim => NumAttentionHeads * AttentionHeadDim;

    /// <summary>What makes these sizes unusable, or null.</summary>
    public string? Problem()
    {
        if (NumAttentionHeads < 1 || AttentionHeadDim < 2 || InChannels < 1 || OutChannels < 1 || TextDim < 1 || TextLen < 1 || FreqDim < 2
            || FfnDim < 1 || NumLayers < 1)
            return "its sizes are not positive";
        if (AttentionHeadDim % 2 != 0 || FreqDim % 2 != 0)
            return "'attention_head_dim' and 'freq_dim' must be even";
        if (PatchSize.Count != 3 || PatchSize.Any(size => size < 1))
            return "'patch_size' must be three positive sizes";
        if (ImageDim < 1 || PosEmbedSeqLen < 1 || VaceInChannels < 1)
            return "its sizes are not positive";
        if (ImageDim is null != AddedKvProjDim is null || (PosEmbedSeqLen is not null && ImageDim is null))
            return "'image_dim', 'added_kv_proj_dim' and 'pos_embed_seq_len' belong together";
        if (AddedKvProjDim is { } added && added != Dim)
            return $"'added_kv_proj_dim' is {added}, only the model's width, {Dim}, is known";
        if (VaceLayers is null != VaceInChannels is null || VaceLayers is { Count: 0 }
            || (VaceLayers is { } layers && (layers[0] != 0 || layers[^1] >= NumLayers || layers.Zip(layers.Skip(1)).Any(pair => pair.First >= pair.Second))))
            return "'vace_layers' must rise from 0 and stay below 'num_layers', and 'vace_in_channels' go with them";
        return QkNorm is null or "rms_norm_across_heads" ? null : $"'qk_norm' is '{QkNorm}', only rms_norm_across_heads is known";
    }
}
