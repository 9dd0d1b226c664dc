using EditorBridge.Models.Configs;

namespace EditorBridge.Training.Dit;

/// <summary>Sizes of the networks of sketch beside its video autoencoder.</summary>
public static class SketchSizes
{
    /// <summary>The transformer: 8 M parameters.</summary>
    public static WanTransformerConfig Transformer { get; } = new()
    {
        NumAttentionHeads = 4, AttentionHeadDim = 64, InChannels = 48, OutChannels = 48, TextDim = 192, TextLen = 64, FreqDim = 256, FfnDim = 768, NumLayers = 8,
    };

    /// <summary>The text encoder: 1.7 M parameters.</summary>
    public static UMT5Config Text { get; } = new()
    {
        VocabSize = 1024, DModel = 192, DKv = 48, DFf = 384, NumHeads = 4, NumLayers = 4,
    };

    /// <summary>Most context frames a side: 4·2+1.</summary>
    public const int ContextFrames = 9;
}
