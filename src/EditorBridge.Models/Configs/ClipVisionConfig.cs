using System.Text.Json.Serialization;

namespace EditorBridge.Models.Configs;

/// <summary>Sizes of a CLIP vision tower, as in its Hugging Face <c>config.json</c>. Defaults: ViT-H/14, which the image-to-video checkpoints of Wan 2.1 use.</summary>
public sealed record ClipVisionConfig
{
    /// <summary>Channels of the residual stream.</summary>
    public int HiddenSize { get; init; } = 1280;

    /// <summary>Hidden channels of the feed-forward part.</summary>
    public int IntermediateSize { get; init; } = 5120;

    /// <summary>Blocks, the last one included, which Wan leaves out.</summary>
    public int NumHiddenLayers { get; init; } = 32;

    /// <summary>Attention heads.</summary>
    public int NumAttentionHeads { get; init; } = 16;

    /// <summary>Side of the square picture, in pixels.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Side of a token's patch, in pixels.</summary>
    public int PatchSize { get; init; } = 14;

    /// <summary>Activation of the feed-forward part; only the exact <c>gelu</c> is known.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Added under the root of every norm.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>Tokens of a picture: its patches and one for the whole.</summary>
    [JsonIgnore]
    public int Tokens => ImageSize / PatchSize * (ImageSize / PatchSize) + 1;

    /// <summary>What makes these sizes unusable, or null.</summary>
    public string? Problem()
    {
        if (HiddenSize < 1 || IntermediateSize < 1 || NumHiddenLayers < 1 || NumAttentionHeads < 1 || PatchSize < 1 || ImageSize < PatchSize)
            return "its sizes are not positive";
        if (HiddenSize % NumAttentionHeads != 0 || ImageSize % PatchSize != 0)
            return "its width does not divide into heads, or its picture into patches";
        return HiddenAct == "gelu" ? null : $"'hidden_act' is '{HiddenAct}', only gelu is known";
    }
}
