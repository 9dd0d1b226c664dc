using System.Text.Json.Serialization;

namespace EditorBridge.Models.Configs;

/// <summary>Sizes of a Wan video VAE, as in the <c>config.json</c> of its Diffusers folder. What a file leaves out is as in Wan 2.1.</summary>
public sealed record WanVaeConfig
{
    /// <summary>Encoder width of the first level, in channels.</summary>
    public int BaseDim { get; init; } = 96;

    /// <summary>Decoder width of the last level, in channels; null: as the encoder.</summary>
    public int? DecoderBaseDim { get; init; }

    /// <summary>Latent channels.</summary>
    public int ZDim { get; init; } = 16;

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
    public bool IsResidual { get; init; }

    /// <summary>Channels after the pixel patches are folded in: 3 · patch².</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels before the pixel patches are unfolded: 3 · patch².</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Side of the pixel patches, in pixels; null: no patches.</summary>
    public int? PatchSize { get; init; }

    /// <summary>Frames per latent after the first.</summary>
    public int ScaleFactorTemporal { get; init; } = 4;

    /// <summary>Pixels per latent along a side.</summary>
    public int ScaleFactorSpatial { get; init; } = 8;

    /// <summary>Decoder width of the last level, whether it is named or not.</summary>
    [JsonIgnore]
    public int DecoderDim => DecoderBaseDim ?? BaseDim;

    /// <summary>Side of the pixel patches, 1 without.</summary>
    [JsonIgnore]
    public int Patch => PatchSize ?? 1;

    /// <summary>The VAE of every Wan 2.1 checkpoint and of Wan 2.2 A14B.</summary>
    public static WanVaeConfig Wan21 { get; } = new()
    {
        LatentsMean =
        [
            -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
        ],
        LatentsStd =
        [
            2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
        ],
    };

    /// <summary>The VAE of Wan 2.2 TI2V-5B.</summary>
    public static WanVaeConfig Wan22 { get; } = new()
    {
        BaseDim = 160,
        DecoderBaseDim = 256,
        ZDim = 48,
        IsResidual = true,
        InChannels = 12,
        OutChannels = 12,
        PatchSize = 2,
        ScaleFactorSpatial = 16,
        LatentsMean =
        [
            -0.2289, -0.0052, -0.1323, -0.2339, -0.2799, 0.0174, 0.1838, 0.1557, -0.1382, 0.0542, 0.2813, 0.0891, 0.1570, -0.0098, 0.0375, -0.1825,
            -0.2246, -0.1207, -0.0698, 0.5109, 0.2665, -0.2108, -0.2158, 0.2502, -0.2055, -0.0322, 0.1109, 0.1567, -0.0729, 0.0899, -0.2799, -0.1230,
            -0.0313, -0.1649, 0.0117, 0.0723, -0.2839, -0.2083, -0.0520, 0.3748, 0.0152, 0.1957, 0.1433, -0.2944, 0.3573, -0.0548, -0.1681, -0.0667,
        ],
        LatentsStd =
        [
            0.4765, 1.0364, 0.4514, 1.1677, 0.5313, 0.4990, 0.4818, 0.5013, 0.8158, 1.0344, 0.5894, 1.0901, 0.6885, 0.6165, 0.8454, 0.4978,
            0.5759, 0.3523, 0.7135, 0.6804, 0.5833, 1.4146, 0.8986, 0.5659, 0.7069, 0.5338, 0.4889, 0.4917, 0.4069, 0.4999, 0.6866, 0.4093,
            0.5709, 0.6065, 0.6415, 0.4944, 0.5726, 1.2042, 0.5458, 1.6887, 0.3971, 1.0600, 0.3943, 0.5537, 0.5444, 0.4089, 0.7468, 0.7744,
        ],
    };

    /// <summary>What makes these sizes unusable, or null. (Called by <see cref="ConfigFile"/>.)</summary>
    public string? Problem()
    {
        if (BaseDim < 1 || DecoderBaseDim < 1 || ZDim < 1 || NumResBlocks < 1 || DimMult.Count < 2 || DimMult.Any(mult => mult < 1))
            return "its widths or depths are not positive";
        if (TemporalDownsample.Count != DimMult.Count - 1)
            return $"'temperal_downsample' has {TemporalDownsample.Count} values for {DimMult.Count} levels, {DimMult.Count - 1} are needed";
        if (LatentsMean.Count != ZDim || LatentsStd.Count != ZDim || LatentsStd.Any(std => !(std > 0) || !double.IsFinite(std)))
            return $"'latents_mean' and 'latents_std' must hold {ZDim} values each, the latter positive";
        if (Patch < 1 || InChannels != 3 * Patch * Patch || OutChannels != InChannels)
            return $"{InChannels} and {OutChannels} channels do not go with pixel patches of {Patch}";
        if (!IsResidual && DimMult.Reverse().Take(DimMult.Count - 1).Any(mult => mult * DecoderDim % 2 != 0))
            return "its decoder's widths cannot be halved, as the layout of Wan 2.1 does at every step up";
        if (ScaleFactorTemporal != 1 << TemporalDownsample.Count(down => down) || ScaleFactorSpatial != Patch << (DimMult.Count - 1))
            return "its scale factors do not go with its levels";
        return null;
    }
}
