using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Tests.Gguf;
using EditorBridge.Tests.Shared;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Tests.Weights;

public sealed class StoredWeightTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Name of a type, of GGUF's where it is packed.</summary>
    public static TheoryData<string> Types() => ["F32", "F16", "BF16", "F8E4M3", "scaled", "unaligned", "Q8_0", "Q4_0"];

    [Theory]
    [MemberData(nameof(Types))]
    public void ValuesAreThoseOfTheUnpackedWeight(string type)
    {
        using var scope = NewDisposeScope();
        using var checkpoint = Checkpoint.Open(Write(type, 6, 64)).OrThrow();
        var tensor = checkpoint.Tensors["x.weight"];
        var expected = StoredWeights.Tensor(tensor).to(float32);
        using var stored = StoredWeight.Of(tensor, [6, 64]);
        using var last = StoredWeight.Of(tensor, [2, 64], part: 2, parts: 3);
        var indices = torch.tensor([5L, 0, 5]);
        checkpoint.Dispose(); // what is stored keeps the mapping
        Assert.True(stored.Values(float32, CPU).allclose(expected, 0, 0));
        Assert.True(stored.Rows(3, 2, float32, CPU).allclose(expected.narrow(0, 3, 2), 0, 0));
        Assert.True(last.Values(float32, CPU).allclose(expected.narrow(0, 4, 2), 0, 0));
        Assert.True(stored.Select(indices, float32).allclose(expected.index_select(0, indices), 0, 0));
        Assert.True(stored.Linear(ones(2, 3, 64), ones(6)).allclose(nn.functional.linear(ones(2, 3, 64), expected, ones(6)), 0, 0));
        using var copy = stored.CopyTo(CPU);
        Assert.True(copy.Values(float32, CPU).allclose(expected, type.StartsWith('Q') || type == "unaligned" ? 0.01 : 0, 0));
    }

    [Fact]
    public void ALargeProductIsMadePieceByPiece()
    {
        using var scope = NewDisposeScope();
        const int Outputs = 3000, Inputs = 3072; // more than two pieces
        using var checkpoint = Checkpoint.Open(Write("BF16", Outputs, Inputs)).OrThrow();
        var weight = StoredWeights.Tensor(checkpoint.Tensors["x.weight"]).to(float32);
        using var stored = StoredWeight.Of(checkpoint.Tensors["x.weight"], [Outputs, Inputs]);
        var (x, bias) = (randn(2, 5, Inputs), randn(Outputs));
        foreach (var b in new[] { bias, null })
        {
            var expected = nn.functional.linear(x, weight, b);
            var actual = stored.Linear(x, b);
            Assert.Equal(expected.shape, actual.shape);
            Assert.InRange((actual - expected).abs().max().item<float>() / expected.abs().max().item<float>(), 0, 2e-6);
        }
    }

    [Fact]
    public void WhatIsAddedComesWithEveryUse()
    {
        using var scope = NewDisposeScope();
        var path = Write("F32", 6, 64);
        using var checkpoint = Checkpoint.Open(path).OrThrow();
        var tensor = checkpoint.Tensors["x.weight"];
        var (left, right) = (randn(6, 2), randn(2, 64));
        var plain = StoredWeights.Tensor(tensor);
        var expected = plain + left.mm(right) * 0.5 + plain * 2;
        using var stored = StoredWeight.Of(tensor, [6, 64]);
        stored.Add(left.clone(), right.clone(), 0.5);
        stored.Add(StoredWeight.Of(tensor, [6, 64]), 2);
        Assert.True(stored.Values(float32, CPU).allclose(expected, 1e-5, 1e-6));
        Assert.True(stored.Rows(4, 2, float32, CPU).allclose(expected.narrow(0, 4, 2), 1e-5, 1e-6));
        using var copy = stored.CopyTo(CPU);
        Assert.True(copy.Values(float32, CPU).allclose(expected, 1e-5, 1e-6));
    }

    [Fact]
    public void TheMappingGoesWithTheLastWeight()
    {
        using var scope = NewDisposeScope();
        var checkpoint = Checkpoint.Open(Write("Q8_0", 6, 64)).OrThrow();
        var mapping = checkpoint.Tensors["x.weight"].File.Mapping;
        var stored = StoredWeight.Of(checkpoint.Tensors["x.weight"], [6, 64]);
        checkpoint.Dispose();
        Assert.False(mapping.IsClosed);
        stored.Dispose();
        Assert.True(mapping.IsClosed);
    }

    private string Write(string type, int rows, int columns) => Write(folder, type, rows, columns);

    internal static string Write(TemporaryFolder folder, string type, int rows, int columns)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var values = randn(rows, columns, generator: generator);
        var path = folder.File(type + (type.StartsWith('Q') ? ".gguf" : ".safetensors"));
        switch (type)
        {
            case "Q8_0" or "Q4_0":
                var (code, size) = type == "Q8_0" ? (8u, 34) : (2u, 18);
                var bytes = new byte[rows * columns / 32 * size];
                new Random(5).NextBytes(bytes);
                for (var at = 0; at < bytes.Length; at += size)
                    BitConverter.TryWriteBytes(bytes.AsSpan(at), (Half)(0.01 * (1 + (at % 5))));
                File.WriteAllBytes(path, new GgufWriter().Tensor("x.weight", code, [(ulong)rows, (ulong)columns], bytes).Bytes());
                break;
            case "scaled":
                WeightSaver.Save(
                    new Dictionary<string, Tensor> { ["x.weight"] = values.to((ScalarType)24), ["x.scale_weight"] = torch.tensor(0.25f), ["scaled_fp8"] = zeros(0) }, path);
                break;
            case "unaligned":
                var header = """{"x.weight":{"dtype":"F32","shape":[6,64],"data_offsets":[0,1536]}}"""u8;
                Assert.NotEqual(0, header.Length % 4);
                File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. values.bytes]);
                break;
            default:
                WeightSaver.Save(new Dictionary<string, Tensor> { ["x.weight"] = values }, path, MappedTensors.ScalarType(Enum.Parse<TensorType>(type)));
                break;
        }

        return path;
    }
}
