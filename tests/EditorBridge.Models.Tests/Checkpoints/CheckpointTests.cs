using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Safetensors;

namespace EditorBridge.Models.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("checkpoints-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void ShardsAreOneSetOfTensors()
    {
        Write("one.safetensors", ("a", [1f, 2f]));
        Write("two.safetensors", ("b", [3f]));
        Index(("a", "one.safetensors"), ("b", "two.safetensors"));
        using var checkpoint = Checkpoint.Open(folder).OrThrow();
        Assert.Equal(folder, checkpoint.Path);
        Assert.Equal(["a", "b"], checkpoint.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([1f, 2f], Read(checkpoint.Tensors["a"]));
        Assert.EndsWith("two.safetensors", checkpoint.Tensors["b"].File.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void ATensorInTwoShardsIsRefusedByName()
    {
        Write("one.safetensors", ("a", [1f]));
        Write("two.safetensors", ("a", [3f]));
        Index(("a", "one.safetensors"), ("b", "two.safetensors"));
        var problem = Checkpoint.Open(folder).Problem!;
        Assert.Contains("Tensor 'a' is in", problem);
        Assert.Contains("two.safetensors", problem);
    }

    [Fact]
    public void ATensorThatIsNotWhereTheIndexSaysIsNamed()
    {
        Write("one.safetensors", ("a", [1f]));
        Write("two.safetensors", ("b", [3f]));
        Index(("a", "one.safetensors"), ("b", "two.safetensors"), ("c", "two.safetensors"));
        Assert.Contains("Tensor 'c' is missing in '" + Path.Combine(folder, "two.safetensors"), Checkpoint.Open(folder).Problem);
        Index(("a", "two.safetensors"), ("b", "one.safetensors"));
        Assert.Contains("Tensor 'a' is missing in", Checkpoint.Open(folder).Problem);
        Index();
        Assert.Contains("names no weight files", Checkpoint.Open(folder).Problem);
    }

    [Fact]
    public void ATruncatedShardIsNamed()
    {
        Write("one.safetensors", ("a", [1f]));
        Write("two.safetensors", ("b", [3f, 4f]));
        var path = Path.Combine(folder, "two.safetensors");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^3]);
        Index(("a", "one.safetensors"), ("b", "two.safetensors"));
        var problem = Checkpoint.Open(folder).Problem!;
        Assert.Contains(path, problem);
        Assert.Contains("'b'", problem);
    }

    [Fact]
    public void ValuesAreReadAsFloatsAndRoundedToEvenAsBFloat16()
    {
        float[] values = [1, 1.00390625f, 1.01171875f, -2.5f, float.PositiveInfinity, float.NaN, 3.4e38f];
        Write("one.safetensors", ("a", values));
        using var checkpoint = Checkpoint.Open(Path.Combine(folder, "one.safetensors")).OrThrow();
        var tensor = checkpoint.Tensors["a"];
        Assert.Equal(values, Read(tensor));
        var half = new ushort[values.Length];
        tensor.ReadBFloat16(0, half);
        Assert.Equal([0x3f80, 0x3f80, 0x3f82, 0xc020, 0x7f80, 0x7fc0, 0x7f80], half);
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Read(1, new float[values.Length]));
    }

    [Theory]
    [InlineData(TensorType.F16, new byte[] { 0x00, 0x3c, 0x01, 0x80 }, new[] { 1f, -5.9604645e-8f })]
    [InlineData(TensorType.BF16, new byte[] { 0x80, 0x3f, 0x20, 0xc0 }, new[] { 1f, -2.5f })]
    [InlineData(TensorType.F8E4M3, new byte[] { 0x38, 0x7e, 0x01, 0x80, 0xff, 0x77 }, new[] { 1f, 448f, 0.001953125f, -0f, float.NaN, 240f })]
    [InlineData(TensorType.F8E5M2, new byte[] { 0x3c, 0x7b, 0x01, 0xfc }, new[] { 1f, 57344f, 1.5258789e-5f, float.NegativeInfinity })]
    public void SmallFloatsAreDecoded(TensorType type, byte[] bytes, float[] expected)
    {
        var values = new float[expected.Length];
        TensorDecoding.Decode(type, bytes, values);
        Assert.Equal(expected, values);
    }

    internal static float[] Read(NamedTensor tensor)
    {
        var values = new float[tensor.Elements];
        tensor.Read(0, values);
        return values;
    }

    private void Write(string name, params (string Name, float[] Values)[] tensors) => SafetensorsWriter.Write(
        Path.Combine(folder, name),
        tensors.Select(tensor => new SafetensorsSource(
            tensor.Name, TensorType.F32, [tensor.Values.Length], stream => stream.Write(tensor.Values.SelectMany(BitConverter.GetBytes).ToArray()))));

    private void Index(params (string Tensor, string File)[] places) => File.WriteAllText(
        Path.Combine(folder, "model.safetensors.index.json"),
        "{\"weight_map\": {" + string.Join(", ", places.Select(place => $"\"{place.Tensor}\": \"{place.File}\"")) + "}}");
}
