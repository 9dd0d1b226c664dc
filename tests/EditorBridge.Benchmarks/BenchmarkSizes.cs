using EditorBridge.Models.Configs;

namespace EditorBridge.Benchmarks;

/// <summary>Sizes of the published networks, and of small ones of the same form for a quick look at the program itself.</summary>
internal static class BenchmarkSizes
{
    public static readonly WanTransformerConfig T2V13B = new()
    {
        NumAttentionHeads = 12, AttentionHeadDim = 128, InChannels = 16, OutChannels = 16, TextDim = 4096, FfnDim = 8960, NumLayers = 30,
    };

    public static readonly WanTransformerConfig Vace13B = T2V13B with { VaceLayers = [.. Enumerable.Range(0, 15).Select(i => 2 * i)], VaceInChannels = 96 };

    public static readonly WanTransformerConfig Ti2v5B = new()
    {
        NumAttentionHeads = 24, AttentionHeadDim = 128, InChannels = 48, OutChannels = 48, TextDim = 4096, FfnDim = 14336, NumLayers = 30,
    };

    public static readonly UMT5Config UMT5Xxl = new() { VocabSize = 256384, DModel = 4096, DKv = 64, DFf = 10240, NumHeads = 64, NumLayers = 24 };

    /// <summary>The form of a transformer at a width of one head.</summary>
    public static WanTransformerConfig Small(WanTransformerConfig config) => config with
    {
        NumAttentionHeads = 1, AttentionHeadDim = 48, FfnDim = 96, NumLayers = 2, TextDim = 32, TextLen = 16, VaceLayers = config.VaceLayers is null ? null : [0],
    };

    public static UMT5Config Small(UMT5Config config) => config with { VocabSize = 8192, DModel = 32, DKv = 8, DFf = 64, NumHeads = 2, NumLayers = 2 };

    public static WanVaeConfig Small(WanVaeConfig config) => config with { BaseDim = 8, DecoderBaseDim = 8 };
}
