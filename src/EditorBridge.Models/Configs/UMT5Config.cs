namespace EditorBridge.Models.Configs;

/// <summary>Sizes of a UMT5 text encoder, as in its Hugging Face <c>config.json</c>.</summary>
public sealed record UMT5Config
{
    /// <summary>Rows of the token table.</summary>
    public required int VocabSize { get; init; }

    /// <summary>Channels of the residual stream.</summary>
    public required int DModel { get; init; }

    /// <summary>Channels of one head.</summary>
    public required int DKv { get; init; }

    /// <summary>Hidden channels of the gated feed-forward part.</summary>
    public required int DFf { get; init; }

    /// <summary>Attention heads.</summary>
    public required int NumHeads { get; init; }

    /// <summary>Blocks.</summary>
    public required int NumLayers { get; init; }

    /// <summary>Rows of each layer's relative position table.</summary>
    public int RelativeAttentionNumBuckets { get; init; } = 32;

    /// <summary>Distance from which on all share the last bucket.</summary>
    public int RelativeAttentionMaxDistance { get; init; } = 128;

    /// <summary>Added under the root of every norm.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-6;

    /// <summary>What makes these sizes unusable, or null.</summary>
    public string? Problem()
    {
        if (VocabSize < 1 || DModel < 1 || DKv < 1 || DFf < 1 || NumHeads < 1 || NumLayers < 1)
            return "its sizes are not positive";
        return RelativeAttentionNumBuckets < 4 || RelativeAttentionNumBuckets % 4 != 0 || RelativeAttentionMaxDistance <= RelativeAttentionNumBuckets / 4
            ? "its relative position buckets are not usable"
            : null;
    }
}
