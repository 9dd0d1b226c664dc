using CsCheck;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Gguf;
using EditorBridge.Models.Tests.Checkpoints;

namespace EditorBridge.Models.Tests.Gguf;

public sealed class GgufTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("gguf-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void TensorsAndMetadataAreRead(uint version)
    {
        using var file = Open(Good(version));
        Assert.Equal([2, 3], file.Tensors["a"].Shape);
        Assert.Equal([1f, 2, 3, 4, 5, 6], CheckpointTests.Read(file.Tensors["a"]));
        Assert.Equal([2, 4, 1, 2, 4], file.Tensors["patch_embedding.weight"].Shape);
        Assert.Equal(64, file.Tensors["patch_embedding.weight"].Elements);
        Assert.Equal(2f, CheckpointTests.Read(file.Tensors["patch_embedding.weight"])[63]);
        Assert.Equal(TensorType.BF16, file.Tensors["b"].Type);
        Assert.Equal("wan", file.Header.Metadata["general.architecture"]);
        Assert.Equal(["▁a", "", "b"], file.Texts("tokenizer.ggml.tokens"));
        Assert.Null(file.Texts("general.architecture"));
    }

    [Fact]
    public void TheCheckpointOpensByItsExtension()
    {
        var path = Path.Combine(folder, "wan.gguf");
        File.WriteAllBytes(path, Good(3));
        using var checkpoint = Checkpoint.Open(folder).OrThrow();
        Assert.Equal(3, checkpoint.Tensors.Count);
        Assert.Equal(path, checkpoint.Path);
        Assert.Equal(path, checkpoint.Tensors["a"].File.Path);
    }

    [Fact]
    public void AFlattenedPatchConvolutionGetsItsAxesBack()
    {
        File.WriteAllBytes(Path.Combine(folder, "wan.gguf"), new GgufWriter()
            .Tensor("model.diffusion_model.patch_embedding.bias", 0, [2], new byte[8])
            .Tensor("model.diffusion_model.patch_embedding.weight", 0, [6, 1, 2, 2], [.. Enumerable.Range(0, 24).SelectMany(i => BitConverter.GetBytes((float)i))]).Bytes());
        using var checkpoint = Checkpoint.Open(folder).OrThrow();
        Assert.Equal([2, 3, 1, 2, 2], checkpoint.Tensors["patch_embedding.weight"].Shape);
        Assert.Equal(23f, CheckpointTests.Read(checkpoint.Tensors["patch_embedding.weight"])[23]);
    }

    [Fact]
    public void HeadersThatLieAreRefusedWithTheReason()
    {
        Refused([], "is not a GGUF file");
        Refused([.. "GGUX"u8, .. new byte[40]], "is not a GGUF file");
        Refused(new GgufWriter { Version = 1 }.Bytes(), "version 1; 2 and 3");
        Refused(new GgufWriter { Version = 0x03000000 }.Bytes(), "another byte order");
        Refused(new GgufWriter { AnnouncedTensors = 1UL << 60 }.Bytes(), "announces 1152921504606846976 tensors");
        Refused(new GgufWriter { AnnouncedTensors = 1 }.Tensor("x", 0, [1], new byte[4]).Bytes()[..30], "ends inside its header");
        Refused(new GgufWriter().Tensor("x", 0, [8], new byte[4]).Tensor("y", 0, [1], new byte[4], 32).Bytes()[..^30], "ends inside tensor 'y'");
        Refused(new GgufWriter().Tensor("x", 0, [16], new byte[4]).Tensor("y", 0, [8], new byte[32]).Bytes(), "'y' overlap another");
        Refused(new GgufWriter().Tensor("x", 0, [1], new byte[4], 4).Bytes(), "alignment of 32 does not divide");
        Refused(new GgufWriter().Tensor("x", 0, [1], new byte[4], ulong.MaxValue - 31).Bytes(), "ends inside tensor 'x'");
        Refused(new GgufWriter().Tensor("x", 0, [1UL << 62, 4], new byte[4]).Bytes(), "which F32 cannot store");
        Refused(new GgufWriter().Tensor("x", 0, [ulong.MaxValue], new byte[4]).Bytes(), "'x' with a size of 18446744073709551615");
        Refused(new GgufWriter().Tensor("x", 2, [31], new byte[18]).Bytes(), "'x' as [31], which Q4_0 cannot store");
        Refused(new GgufWriter().Tensor("x", 20, [32], new byte[18]).Bytes(), "'x' of type IQ4_NL");
        Refused(new GgufWriter().Tensor("x", 77, [32], new byte[18]).Bytes(), "'x' of type number 77");
        Refused(new GgufWriter().Tensor("x", 0, [1], new byte[4]).Tensor("x", 0, [1], new byte[4]).Bytes(), "names tensor 'x' twice");
        Refused(new GgufWriter().Tensor("x", 0, [1, 1, 1, 1, 1, 1, 1, 1, 1], new byte[4]).Bytes(), "with 9 axes");
        Refused(new GgufWriter().Value("k", 4, 1, 0, 0, 0).Value("k", 4, 1, 0, 0, 0).Bytes(), "names 'k' twice");
        Refused(new GgufWriter().Value("k", 99, 1).Bytes(), "damaged value under 'k'");
        Refused(new GgufWriter().Value("k", 9, [.. BitConverter.GetBytes(9u), .. new byte[16]]).Bytes(), "damaged value under 'k'");
        Refused(new GgufWriter().Value("k", 9, [.. BitConverter.GetBytes(10u), .. BitConverter.GetBytes(1UL << 61)]).Bytes(), "damaged value under 'k'");
        Refused(new GgufWriter().Value("k", 8, BitConverter.GetBytes(1UL << 62)).Bytes(), "damaged value under 'k'");
        Refused(new GgufWriter().Value("general.alignment", 4, 24, 0, 0, 0).Bytes(), "not a power of two");
        Refused(new GgufWriter().Value("general.alignment", 4, 0, 0, 0, 0).Bytes(), "not a power of two");
        Refused(new GgufWriter().List("comfy.gguf.orig_shape.x", 2, 2).Tensor("x", 0, [3], new byte[12]).Bytes(), "'comfy.gguf.orig_shape.x'");
        Refused(new GgufWriter().List("comfy.gguf.orig_shape.x", -1, -3).Tensor("x", 0, [3], new byte[12]).Bytes(), "'comfy.gguf.orig_shape.x'");
    }

    [Fact]
    public void ChangedBytesOfAGoodFile()
    {
        var whole = Good(3);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Int[0, 7]).Array[1, 3].Sample(changes =>
        {
            var bytes = (byte[])whole.Clone();
            foreach (var (at, value, run) in changes)
                bytes.AsSpan(at, Math.Min(run + 1, bytes.Length - at)).Fill(value);
            var result = GgufHeader.Read(new MemoryStream(bytes), "fuzzed");
            if (!result.Ok)
            {
                Assert.Contains("'fuzzed'", result.Problem);
                return;
            }
            long end = 0;
            foreach (var tensor in result.Value.Tensors)
            {
                Assert.InRange(tensor.Offset, end, bytes.Length);
                Assert.InRange(tensor.Length, 0, bytes.Length - tensor.Offset);
                end = tensor.Offset + tensor.Length;
            }
        }, iter: 10000);
    }

    private static byte[] Good(uint version) => new GgufWriter { Version = version }
        .Value("general.architecture", "wan").Value("general.alignment", 4, 32, 0, 0, 0).Value("b", 7, 1).Value("f", 6, 0, 0, 0x80, 0x3f)
        .List("tokenizer.ggml.tokens", "▁a", "", "b").List("comfy.gguf.orig_shape.patch_embedding.weight", 2, 4, 1, 2, 4)
        .Tensor("a", 0, [2, 3], [.. new[] { 1f, 2, 3, 4, 5, 6 }.SelectMany(BitConverter.GetBytes)])
        .Tensor("patch_embedding.weight", 8, [2, 32], [.. Enumerable.Repeat((byte[])[0, 0x3c, .. Enumerable.Repeat((byte)2, 32)], 2).SelectMany(block => block)])
        .Tensor("b", 30, [2], [0x80, 0x3f, 0x20, 0xc0]).Bytes();

    private GgufFile Open(byte[] bytes)
    {
        var path = Path.Combine(folder, "x.gguf");
        File.WriteAllBytes(path, bytes);
        return GgufFile.Open(path).OrThrow();
    }

    private void Refused(byte[] bytes, string reason)
    {
        var path = Path.Combine(folder, "bad.gguf");
        File.WriteAllBytes(path, bytes);
        var result = GgufFile.Open(path);
        Assert.False(result.Ok);
        Assert.Contains(path, result.Problem);
        Assert.Contains(reason, result.Problem);
    }
}
