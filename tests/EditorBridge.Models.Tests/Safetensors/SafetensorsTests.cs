using System.Text;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Safetensors;

namespace EditorBridge.Models.Tests.Safetensors;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("safetensors-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void WhatIsWrittenIsReadBack()
    {
        var path = Path.Combine(folder, "a.safetensors");
        SafetensorsWriter.Write(path,
            [Source("half", TensorType.F16, [3], [1, 2, 3, 4, 5, 6]), Source("ä\"b", TensorType.U8, [], [7]), Source("none", TensorType.F32, [0, 4], [])],
            new Dictionary<string, string> { ["format"] = "pt", ["über"] = "é" });
        using var file = SafetensorsFile.Open(path).OrThrow();
        Assert.Equal(["half", "none", "ä\"b"], file.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([1, 2, 3, 4, 5, 6], file.Tensors["half"].Bytes.ToArray());
        Assert.Equal([7], file.Tensors["ä\"b"].Bytes.ToArray());
        Assert.Empty(file.Tensors["ä\"b"].Shape);
        Assert.Equal([0, 4], file.Tensors["none"].Shape);
        Assert.Equal("é", file.Header.Metadata["über"]);
        Assert.Equal(0, file.Header.Tensors[0].Offset % 8);
        Assert.Single(Directory.GetFiles(folder));
    }

    [Fact]
    public void AnIncompleteWriteLeavesTheOldFile()
    {
        var path = Path.Combine(folder, "a.safetensors");
        SafetensorsWriter.Write(path, [Source("x", TensorType.U8, [1], [1])]);
        var before = File.ReadAllBytes(path);
        Assert.Throws<InvalidOperationException>(() => SafetensorsWriter.Write(path, [Source("x", TensorType.U8, [2], [1])]));
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(folder));
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 1, "ends at 2, but the file holds 1 bytes")]
    [InlineData("""{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 3, "is 3 bytes long", "its tensors end at")]
    [InlineData("""{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "names 'x' twice")]
    [InlineData("""{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "overlaps it")]
    [InlineData("""{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "leaves a hole before tensor 'x'")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,2]}}""", 2, "its shape needs 4 bytes, its range holds 2")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "its shape is too large")]
    [InlineData("""{"x":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,4]}}""", 4, "its shape needs 0 bytes")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "'shape' is not a list of sizes")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "'shape' is not a list of sizes")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "ends (0) before it begins (4)")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "'data_offsets' is not a pair")]
    [InlineData("""{"x":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}""", 4, "element type 'Q4' is not supported")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1]}}""", 4, "is missing")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"pickle":1}}""", 4, "'pickle' is unknown")]
    [InlineData("""{"x":[]}""", 0, "something else than an object under 'x'")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "has metadata 'a' twice or not as text")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} trailing""", 4, "malformed header")]
    [InlineData("""{"x":{"dtype":"F32","sh""", 4, "malformed header")]
    [InlineData(""" {}""", 0, "does not start with '{'")]
    [InlineData("", 0, "does not start with '{'")]
    public void ADamagedFileIsRefusedWithItsReason(string header, int data, params string[] reasons)
    {
        var path = Path.Combine(folder, "bad.safetensors");
        var json = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[data]]);
        var result = SafetensorsFile.Open(path);
        Assert.False(result.Ok);
        Assert.Contains(path, result.Problem);
        Assert.True(reasons.Any(reason => result.Problem.Contains(reason, StringComparison.Ordinal)), result.Problem);
    }

    [Theory]
    [InlineData(new byte[] { }, "too short")]
    [InlineData(new byte[] { 1, 2, 3 }, "too short")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 1 }, "more than the 100000000 allowed")]
    [InlineData(new byte[] { 0, 225, 245, 5, 0, 0, 0, 0, 1 }, "ends inside its header")]
    public void AForeignFileIsRefusedWithItsReason(byte[] bytes, string reason)
    {
        var path = Path.Combine(folder, "bad.safetensors");
        File.WriteAllBytes(path, bytes);
        Assert.Contains(reason, SafetensorsFile.Open(path).Problem);
    }

    [Fact]
    public void AMissingFileIsSaid() => Assert.Contains("nowhere.safetensors", SafetensorsFile.Open(Path.Combine(folder, "nowhere.safetensors")).Problem);

    [Fact]
    public void AnIndexMayNotLeaveItsFolder()
    {
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), """{"weight_map": {"a": "../../etc/passwd"}}""");
        Assert.Contains("outside its folder", WeightFiles.In(folder).Problem);
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), """{"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}""");
        Assert.Contains("names 'one.safetensors', which is not there", WeightFiles.In(folder).Problem);
        File.WriteAllBytes(Path.Combine(folder, "one.safetensors"), []);
        File.WriteAllBytes(Path.Combine(folder, "two.safetensors"), []);
        Assert.Equal(2, WeightFiles.In(folder).OrThrow().Count);
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), "[]");
        Assert.Contains("is not an index", WeightFiles.In(folder).Problem);
    }

    internal static SafetensorsSource Source(string name, TensorType type, IReadOnlyList<long> shape, byte[] bytes)
        => new(name, type, shape, stream => stream.Write(bytes));
}
