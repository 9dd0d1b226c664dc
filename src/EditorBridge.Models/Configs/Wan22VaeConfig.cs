using System.Text.Json.Serialization;

namespace EditorBridge.Models.Configs;

/// <summary>Sizes of a Wan 2.2 video VAE, as in the <c>config.json</c> of its Diffusers folder. Defaults: TI2V-5B.</summary>
public sealed record Wan22VaeConfig
{
    /// <summary>Encoder width of the first level, in channels.</summary>
    public int BaseDim { get; init; } = 160;

    /// <summary>Decoder width of the last level, in channels.</summary>
    public int DecoderBaseDim { get; init; } = 256;

    /// <summary>Latent channels.</summary>
    public int ZDim { get; init; } = 48;

    /// <summary>Width of each level as a multiple of the first.</summary>
    public IReadOnlyList<int> DimMult { get; init; } = [1, 2, 4, 4];

    /// <summary>Residual blocks of an encoder level; a decoder level has one more.</summary>
    public int NumResBlocks { get; init; } = 2;

    /// <summary>Levels (all but the last) that halve time as well as space. The checkpoints spell it so.</summary>
    [JsonPropertyName("temperal_downsample")]
    public IReadOnlyList<bool> TemporalDownsample { get; init; } = [false, true, true];

    /// <summary>Mean of each latent channel over the training data.</summary>
    public required IReadOnlyList<double> LatentsMean { get; init; }

    /// <summary>Standard deviation of each latent channel over the training data.</summary>
    public required IReadOnlyList<double> LatentsStd { get; init; }

    /// <summary>Whether levels have the parameter-free shortcuts of 2.2.</summary>
    public bool IsResidual { get; init; } = true;

    /// <summary>Channels after the pixel patches are folded in: 3 · patch².</summary>
    public int InChannels { get; init; } = 12;

    /// <summary>Channels before the pixel patches are unfolded: 3 · patch².</summary>
    public int OutChannels { get; init; } = 12;

    /// <summary>Side of the pixel patches, in pixels.</summary>
    public int PatchSize { get; init; } = 2;

    /// <summary>Frames per latent after the first.</summary>
    public int ScaleFactorTemporal { get; init; } = 4;

    /// <summary>Pixels per latent along a side.</summary>
    public int ScaleFactorSpatial { get; init; } = 16;

    /// <summary>What makes these sizes unusable, or null. (Called by <see cref="ConfigFile"/>.)</summary>
    public string? Problem()
    {
        if (BaseDim < 1 || DecoderBaseDim < 1 || ZDim < 1 || NumResBlocks < 1 || DimMult.Count < 2 || DimMult.Any(mult => mult < 1))
            return "its widths or depths are not positive";
        if (TemporalDownsample.Count != DimMult.Count - 1)
            return $"'temperal_downsample' has {TemporalDownsample.Count} values for {DimMult.Count} levels, {DimMult.Count - 1} are needed";
        if (LatentsMean.Count != ZDim || LatentsStd.Count != ZDim || LatentsStd.Any(std => !(std > 0) || !double.IsFinite(std)))
            return $"'latents_mean' and 'latents_std' must hold {ZDim} values each, the latter positive";
        if (PatchSize < 1 || InChannels != 3 * PatchSize * PatchSize || OutChannels != InChannels)
            return $"{InChannels} and {OutChannels} channels do not go with pixel patches of {PatchSize}";
        if (!IsResidual)
            return "'is_residual' is false: this is the layout of Wan 2.1, not 2.2";
        if (ScaleFactorTemporal != 1 << TemporalDownsample.Count(down => down) || ScaleFactorSpatial != PatchSize << (DimMult.Count - 1))
            return "its scale factors do not go with its levels";
        return null;
    }
}
