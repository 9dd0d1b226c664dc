using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Variants;

namespace EditorBridge.Models.Tests.Variants;

public class WanVariantTests
{
    [Theory]
    [InlineData(48, 48, 3072, "", WanLine.TextImageToVideo22, "Wan 2.2 TI2V-5B")]
    [InlineData(48, 48, 256, "", WanLine.TextImageToVideo22, "a small model in the form of Wan 2.2 TI2V")]
    [InlineData(16, 16, 1536, "", WanLine.TextToVideo, "Wan 2.1 T2V-1.3B")]
    [InlineData(16, 16, 5120, "", WanLine.TextToVideo, "Wan 2.1 T2V-14B or an expert of Wan 2.2 T2V-A14B")]
    [InlineData(36, 16, 5120, "", WanLine.ImageToVideo22, "an expert of Wan 2.2 I2V-A14B")]
    [InlineData(36, 16, 5120, "img_emb.proj.0.weight", WanLine.ImageToVideo21, "Wan 2.1 I2V-14B")]
    [InlineData(36, 16, 5120, "condition_embedder.image_embedder.norm1.weight", WanLine.ImageToVideo21, "Wan 2.1 I2V-14B")]
    [InlineData(36, 16, 5120, "img_emb.emb_pos", WanLine.FirstLastFrame21, "Wan 2.1 FLF2V-14B")]
    [InlineData(16, 16, 1536, "vace_blocks.0.before_proj.weight", WanLine.Vace, "Wan 2.1 VACE-1.3B")]
    public void EachLineIsKnownInEveryNaming(long input, long output, long dim, string extra, WanLine line, string name)
    {
        foreach (var (prefix, head) in new[] { ("", "head.head.weight"), ("", "proj_out.weight"), ("model.diffusion_model.", "head.head.weight") })
        {
            var tensors = new List<TensorEntry>
            {
                Entry(prefix + "patch_embedding.weight", dim, input, 1, 2, 2), Entry(prefix + head, output * 4, dim),
                Entry(prefix + "blocks.0.x", 1), Entry(prefix + "blocks.1.x", 1), Entry(prefix + "blocks.1.y", 1), Entry(prefix + "blocks.10.x", 1),
            };
            if (extra.Length > 0)
                tensors.Add(Entry(prefix + extra, 1));
            var variant = WanVariant.Recognise(tensors, "m").OrThrow();
            Assert.Equal((line, name, dim, 3), (variant.Line, variant.Name, variant.Dim, variant.Layers));
            Assert.Equal(extra.Length == 0 && output == 16, variant.ComesAsPair);
        }
    }

    [Theory]
    [InlineData(48, 48, null, null, null, WanLine.TextImageToVideo22)]
    [InlineData(16, 16, null, null, null, WanLine.TextToVideo)]
    [InlineData(36, 16, null, null, null, WanLine.ImageToVideo22)]
    [InlineData(36, 16, 1280, null, null, WanLine.ImageToVideo21)]
    [InlineData(36, 16, 1280, 514, null, WanLine.FirstLastFrame21)]
    [InlineData(16, 16, null, null, 96, WanLine.Vace)]
    public void TheConfigTellsTheSame(int input, int output, int? image, int? positions, int? vace, WanLine line)
    {
        var config = new WanTransformerConfig
        {
            NumAttentionHeads = 2, AttentionHeadDim = 8, InChannels = input, OutChannels = output, TextDim = 8, FfnDim = 8, NumLayers = 2,
            ImageDim = image, PosEmbedSeqLen = positions, VaceInChannels = vace, VaceLayers = vace is null ? null : [0],
        };
        Assert.Equal(line, WanVariant.Recognise(config, "m").OrThrow().Line);
    }

    [Fact]
    public void OthersAreRefused()
    {
        Assert.Contains("'m' is not a Wan transformer", WanVariant.Recognise([], "m").Problem);
        Assert.Contains("takes 4 and gives 4 channels",
            WanVariant.Recognise([Entry("patch_embedding.weight", 64, 4, 1, 2, 2), Entry("head.head.weight", 16, 64)], "m").Problem);
    }

    [Theory]
    [InlineData("ref_conv.weight", "(Fun)")]
    [InlineData("audio_injector.injector.0.q.weight", "(S2V)")]
    [InlineData("face_adapter.fuser_blocks.0.q.weight", "(Animate)")]
    public void RelativesAreNotTakenForAnother(string part, string name)
    {
        TensorEntry[] tensors = [Entry("patch_embedding.weight", 5120, 16, 1, 2, 2), Entry("head.head.weight", 64, 5120), Entry("model.diffusion_model." + part, 1)];
        var problem = WanVariant.Recognise(tensors, "m").Problem!;
        Assert.Contains(part, problem);
        Assert.Contains(name, problem);
    }

    private static TensorEntry Entry(string name, params long[] shape) => new(name, TensorType.BF16, shape, 0, 0);
}
