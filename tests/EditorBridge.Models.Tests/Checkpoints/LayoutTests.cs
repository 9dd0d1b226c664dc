using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Safetensors;

namespace EditorBridge.Models.Tests.Checkpoints;

public sealed class LayoutTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("layouts-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("diffusion_model.")]
    [InlineData("model.diffusion_model.")]
    public void ScaledFp8ComesUnwrapped(string prefix)
    {
        var path = Write(
            new("scaled_fp8", TensorType.F8E4M3, [0], _ => { }),
            Source(prefix + "blocks.0.ffn.0.weight", TensorType.F8E4M3, [2], [0x38, 0xc0]),
            Source(prefix + "blocks.0.ffn.0.scale_weight", TensorType.F32, [], BitConverter.GetBytes(0.25f)),
            Source(prefix + "blocks.0.ffn.0.scale_input", TensorType.F32, [], BitConverter.GetBytes(9f)),
            Source(prefix + "blocks.0.ffn.0.bias", TensorType.F32, [1], BitConverter.GetBytes(9f)));
        using var checkpoint = Checkpoint.Open(path).OrThrow();
        Assert.Equal(["blocks.0.ffn.0.bias", "blocks.0.ffn.0.weight"], checkpoint.Tensors.Keys.Order(StringComparer.Ordinal));
        var weight = checkpoint.Tensors["blocks.0.ffn.0.weight"];
        Assert.False(weight.IsPlain);
        Assert.Equal([0.25f, -0.5f], CheckpointTests.Read(weight));
        var half = new ushort[2];
        weight.ReadBFloat16(0, half);
        Assert.Equal([0x3e80, 0xbf00], half);
    }

    [Fact]
    public void AScaleThatCannotBeUsedIsNamed()
    {
        var alone = Write(Source("a.scale_weight", TensorType.F32, [], BitConverter.GetBytes(1f)));
        Assert.Contains("'a.scale_weight' but no tensor 'a.weight'", Checkpoint.Open(alone).Problem);
        var many = Write(Source("a.weight", TensorType.F8E4M3, [2], [0, 0]), Source("a.scale_weight", TensorType.F32, [2], new byte[8]));
        Assert.Contains("'a.scale_weight' as F32 [2]", Checkpoint.Open(many).Problem);
        var none = Write(Source("a.weight", TensorType.F8E4M3, [2], [0, 0]), Source("a.scale_weight", TensorType.F32, [], BitConverter.GetBytes(float.NaN)));
        Assert.Contains("'a.scale_weight', which is not a number", Checkpoint.Open(none).Problem);
    }

    [Fact]
    public void ANameWithAndWithoutPrefixIsRefused()
    {
        var path = Write(Source("x", TensorType.U8, [1], [1]), Source("diffusion_model.x", TensorType.U8, [1], [1]));
        Assert.Contains("'x' with and without the prefix 'diffusion_model.'", Checkpoint.Open(path).Problem);
    }

    [Fact]
    public void ADiffusersFolderOfTwoExperts()
    {
        Touch("transformer/x", "transformer_2/x", "vae/x", "text_encoder/x", "tokenizer/spiece.model");
        var parts = ModelParts.Find(folder).OrThrow();
        Assert.Equal((ModelLayout.Diffusers, Path.Combine(folder, "transformer"), Path.Combine(folder, "transformer_2")), (parts.Layout, parts.Transformer, parts.LowNoiseTransformer));
        Assert.Null(parts.ImageEncoder);
        Directory.Delete(Path.Combine(folder, "vae"), recursive: true);
        Assert.Contains("There is no 'vae'", ModelParts.Find(folder).Problem);
    }

    [Fact]
    public void AnOriginalRepository()
    {
        Touch("models_t5_umt5-xxl-enc-bf16.pth", "Wan2.1_VAE.pth", "models_clip_open-clip.pth", "google/umt5-xxl/spiece.model", "diffusion_pytorch_model.safetensors");
        var parts = ModelParts.Find(folder).OrThrow();
        Assert.Equal((ModelLayout.Original, folder, null), (parts.Layout, parts.Transformer, parts.LowNoiseTransformer));
        Assert.EndsWith("Wan2.1_VAE.pth", parts.Vae, StringComparison.Ordinal);
        Assert.EndsWith("models_clip_open-clip.pth", parts.ImageEncoder, StringComparison.Ordinal);

        Touch("high_noise_model/x", "low_noise_model/x");
        parts = ModelParts.Find(folder).OrThrow();
        Assert.Equal((Path.Combine(folder, "high_noise_model"), Path.Combine(folder, "low_noise_model")), (parts.Transformer, parts.LowNoiseTransformer));
        File.Delete(Path.Combine(folder, "Wan2.1_VAE.pth"));
        Assert.Contains("Wan2.1_VAE.pth", ModelParts.Find(folder).Problem);
    }

    [Fact]
    public void AFolderOfSomethingElseIsSaid() => Assert.Contains("is no model folder", ModelParts.Find(folder).Problem);

    [Fact]
    public void ComfyFoldersAreToldApartByTheirTensors()
    {
        var t2v = Network("diffusion_models/wan2.1_t2v.safetensors", ("head.modulation", [1, 2, 8]), ("head.head.weight", [64, 8]));
        var ti2v = Network("diffusion_models/ti2v.safetensors", ("model.diffusion_model.head.modulation", [1, 2, 8]), ("model.diffusion_model.head.head.weight", [192, 8]));
        var old = Network("vae/a.safetensors", ("decoder.conv1.weight", [8, 16, 1, 1, 1]), ("conv2.weight", [16, 16, 1, 1, 1]));
        var @new = Network("vae/b.safetensors", ("decoder.conv1.weight", [8, 48, 1, 1, 1]), ("conv2.weight", [48, 48, 1, 1, 1]));
        Network("vae/c.safetensors", ("something.else", [9000]));
        File.WriteAllText(Path.Combine(folder, "vae", "d.safetensors"), "broken");
        Network("clip/small.safetensors", ("shared.weight", [4, 4]), ("encoder.block.0.layer_norm.weight", [4]));
        var text = Network("text_encoders/umt5.safetensors", ("shared.weight", [400, 4]), ("encoder.block.0.layer_norm.weight", [4]));

        var parts = ModelParts.Find(t2v).OrThrow();
        Assert.Equal((ModelLayout.ComfyUI, t2v, null, old, text, null), (parts.Layout, parts.Transformer, parts.LowNoiseTransformer, parts.Vae, parts.TextEncoder, parts.Tokenizer));
        Assert.Equal(@new, ModelParts.Find(ti2v).OrThrow().Vae);
        File.Delete(@new);
        Assert.Contains("no Wan VAE of 48 latent channels", ModelParts.Find(ti2v).Problem);
        Assert.Contains("does not hold a Wan transformer", ModelParts.Find(old).Problem);

        var i2v = Network("diffusion_models/i2v.safetensors", ("head.modulation", [1, 2, 8]), ("head.head.weight", [64, 8]), ("img_emb.proj.1.weight", [4, 4]));
        Assert.Contains("no CLIP vision tower", ModelParts.Find(i2v).Problem);
        var clip = Network("clip_vision/clip_vision_h.safetensors", ("vision_model.embeddings.patch_embedding.weight", [4, 3, 14, 14]));
        Assert.Equal(clip, ModelParts.Find(i2v).OrThrow().ImageEncoder);
    }

    [Theory]
    [InlineData("wan2.2_t2v_high_noise_14B.safetensors", "wan2.2_t2v_low_noise_14B.safetensors")]
    [InlineData("Wan2.2-T2V-A14B-HighNoise-Q8_0.safetensors", "Wan2.2-T2V-A14B-LowNoise-Q8_0.safetensors")]
    public void ExpertsAreFoundFromEitherOfThem(string high, string low)
    {
        (string, long[])[] tensors = [("head.modulation", [1, 2, 8]), ("head.head.weight", [64, 8])];
        Network("vae/a.safetensors", ("decoder.conv1.weight", [8, 16, 1, 1, 1]), ("conv2.weight", [16, 16, 1, 1, 1]));
        Network("text_encoders/umt5.safetensors", ("shared.weight", [4, 4]), ("encoder.block.0.layer_norm.weight", [4]));
        var (first, second) = (Network("diffusion_models/" + high, tensors), Path.Combine(folder, "diffusion_models", low));
        Assert.Contains($"is one expert of two; '{second}' is not beside it", ModelParts.Find(first).Problem);
        Network("diffusion_models/" + low, tensors);
        foreach (var either in new[] { first, second })
        {
            var parts = ModelParts.Find(either).OrThrow();
            Assert.Equal((first, second), (parts.Transformer, parts.LowNoiseTransformer));
        }
    }

    private string Network(string name, params (string Name, long[] Shape)[] tensors)
    {
        var path = Path.Combine([folder, .. name.Split('/')]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        SafetensorsWriter.Write(path, tensors.Select(tensor => Source(tensor.Name, TensorType.U8, tensor.Shape, new byte[tensor.Shape.Aggregate(1L, (product, size) => product * size)])));
        return path;
    }

    private static SafetensorsSource Source(string name, TensorType type, IReadOnlyList<long> shape, byte[] bytes)
        => new(name, type, shape, stream => stream.Write(bytes));

    private string Write(params SafetensorsSource[] tensors)
    {
        var path = Path.Combine(folder, "one.safetensors");
        SafetensorsWriter.Write(path, tensors);
        return path;
    }

    private void Touch(params string[] names)
    {
        foreach (var name in names)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, []);
        }
    }
}
