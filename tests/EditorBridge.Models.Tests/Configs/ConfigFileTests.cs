using EditorBridge.Models.Configs;

namespace EditorBridge.Models.Tests.Configs;

public sealed class ConfigFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("configs-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void MissingFieldsHaveTheirDefaults()
    {
        var path = Write("""{"num_attention_heads": 4, "attention_head_dim": 64, "in_channels": 48, "out_channels": 48, "text_dim": 192, "ffn_dim": 1024, "num_layers": 8, "added_kv_proj_dim": null}""");
        var config = ConfigFile.ReadTransformer(path).OrThrow();
        Assert.Equal(256, config.Dim);
        Assert.Equal(256, config.FreqDim);
        Assert.Equal(1e-6, config.Eps);
        Assert.Equal([1, 2, 2], config.PatchSize);
        Assert.Equal(512, config.TextLen);
        Assert.True(config.CrossAttnNorm);
        Assert.Null(config.AddedKvProjDim);
    }

    [Fact]
    public void WhatIsWrittenIsReadBack()
    {
        var vae = WanVaeConfig.Wan22 with { BaseDim = 24, ZDim = 2, LatentsMean = [0.25, -1], LatentsStd = [1, 2] };
        var read = ConfigFile.ReadVae(Write(ConfigFile.Write(vae))).OrThrow();
        Assert.Equal(vae.LatentsMean, read.LatentsMean);
        Assert.Equal(vae with { LatentsMean = [], LatentsStd = [], DimMult = [], TemporalDownsample = [] },
            read with { LatentsMean = [], LatentsStd = [], DimMult = [], TemporalDownsample = [] });
        Assert.Contains("\"temperal_downsample\"", ConfigFile.Write(vae));
        var text = new UMT5Config { VocabSize = 1024, DModel = 192, DKv = 48, DFf = 384, NumHeads = 4, NumLayers = 4 };
        Assert.Equal(text, ConfigFile.ReadTextEncoder(Write(ConfigFile.Write(text))).OrThrow());
    }

    [Theory]
    [InlineData("", "is not the config")]
    [InlineData("{}", "is not the config")]
    [InlineData("null", "is empty")]
    [InlineData("""{"z_dim": 1, "latents_mean": [0], "latents_std": [0]}""", "'latents_mean' and 'latents_std' must hold 1 values")]
    [InlineData("""{"z_dim": 1, "latents_mean": [0], "latents_std": [1], "in_channels": 12}""", "pixel patches of 1")]
    [InlineData("""{"z_dim": 1, "latents_mean": [0], "latents_std": [1], "decoder_base_dim": 0}""", "not positive")]
    [InlineData("""{"z_dim": 1, "latents_mean": [0], "latents_std": [1], "patch_size": 2, "in_channels": 12, "out_channels": 12}""", "scale factors")]
    [InlineData("""{"z_dim": 1, "latents_mean": [0], "latents_std": [1], "dim_mult": [1]}""", "not positive")]
    public void WhatCannotBeUsedIsSaid(string json, string reason) => Assert.Contains(reason, ConfigFile.ReadVae(Write(json)).Problem);

    private string Write(string json)
    {
        var path = Path.Combine(folder, "config.json");
        File.WriteAllText(path, json);
        return path;
    }
}
