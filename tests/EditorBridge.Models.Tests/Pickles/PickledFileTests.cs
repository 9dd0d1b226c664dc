using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Pickles;
using EditorBridge.Models.Tests.Checkpoints;

namespace EditorBridge.Models.Tests.Pickles;

public sealed class PickledFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("pickles-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // Written by Python's own pickler with the globals, persistent ids and layout of torch.save.
    [Theory]
    [InlineData("archive.pth")]
    [InlineData("protocol4.pth")]
    [InlineData("before-1.6.pth")]
    public void WhatPythonPickledIsRead(string name)
    {
        using var file = Checkpoint.Open(Data(name)).OrThrow();
        Assert.Equal(["a.tail", "a.weight", "b.bias", "steps"], file.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([2, 3], file.Tensors["a.weight"].Shape);
        Assert.Equal([1f, 2, 3, 4, 5, 6], CheckpointTests.Read(file.Tensors["a.weight"]));
        Assert.Equal([5f, 6], CheckpointTests.Read(file.Tensors["a.tail"]));
        Assert.Equal(TensorType.BF16, file.Tensors["b.bias"].Type);
        Assert.Equal([1f, -2.5f], CheckpointTests.Read(file.Tensors["b.bias"]));
        Assert.Empty(file.Tensors["steps"].Shape);
        Assert.Equal(7, BitConverter.ToInt64(file.Tensors["steps"].Bytes));
    }

    [Fact]
    public void AFolderWithOnePickledFileIsOpened()
    {
        File.Copy(Data("archive.pth"), Path.Combine(folder, "Wan2.1_VAE.pth"));
        using var file = Checkpoint.Open(folder).OrThrow();
        Assert.Equal(4, file.Tensors.Count);
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("builtins", "getattr")]
    [InlineData("torch", "load")]
    [InlineData("torch.hub", "load")]
    [InlineData("collections", "namedtuple")]
    [InlineData("torch._utils", "_rebuild_wrapper_subclass")]
    [InlineData("torch._utils._rebuild_tensor_v2", "__globals__")]
    [InlineData("torch", "ComplexFloatStorage")]
    public void AnythingElseThanTensorDataIsRefusedByName(string module, string name)
    {
        var call = new PickleWriter().Global(module, name).Text("touch /tmp/owned").Op(0x85).Op('R').Stop();
        Assert.Contains($"names '{module}.{name}', which is not tensor data", Problem(call));
        var stacked = new PickleWriter().Text(module).Text(name).Op(0x93).Stop();
        Assert.Contains($"names '{module}.{name}', which is not tensor data", Problem(stacked));
    }

    [Theory]
    [InlineData('i', "os\nsystem\n", "INST")]
    [InlineData('o', "", "OBJ")]
    [InlineData('\x81', "", "NEWOBJ")]
    [InlineData('\x92', "", "NEWOBJ_EX")]
    [InlineData('\x82', "\x1", "EXT1")]
    [InlineData('\x83', "\x1\x1", "EXT2")]
    [InlineData('P', "0\n", "PERSID")]
    [InlineData('S', "'x'\n", "STRING")]
    [InlineData('I', "1\n", "INT")]
    [InlineData('0', "", "POP")]
    [InlineData('2', "", "DUP")]
    [InlineData('\x8f', "", "EMPTY_SET")]
    [InlineData('\x97', "", "NEXT_BUFFER")]
    [InlineData('\x01', "", "0x01")]
    public void OtherInstructionsAreRefusedByName(char opcode, string operand, string name)
        => Assert.Contains($"the pickle instruction {name},", Problem(new PickleWriter().Op([(byte)opcode, .. Encoding.Latin1.GetBytes(operand)]).Stop()));

    [Fact]
    public void KnownNamesMayNotBeCombinedOtherwise()
    {
        Assert.Contains("REDUCE", Problem(new PickleWriter().Global("torch", "FloatStorage").Op(')').Op('R').Stop()));
        Assert.Contains("REDUCE", Problem(new PickleWriter().Text("os.system").Op(')').Op('R').Stop()));
        Assert.Contains("REDUCE", Problem(new PickleWriter().Global("torch._utils", "_rebuild_tensor_v2").Op(')').Op('R').Stop()));
        Assert.Contains("BUILD", Problem(new PickleWriter().Global("torch", "FloatStorage").Op('}').Op('b').Stop()));
        Assert.Contains("BINPERSID", Problem(new PickleWriter().Text("storage").Op('Q').Stop()));
        Assert.Contains("damaged", Problem(new PickleWriter().Op('t').Stop()));
        Assert.Contains("damaged", Problem(new PickleWriter().Op('h', "\x5").Stop()));
        Assert.Contains("damaged", Problem(new PickleWriter().Op('N').Op('N').Op('s').Stop()));
        Assert.Contains("ends too early", Problem(new PickleWriter().Op('N').Op('N').Stop()));
        Assert.Contains("something else than a dictionary", Problem(new PickleWriter().Op('N').Stop()));
        Assert.Contains("ends inside its pickle", Problem(new PickleWriter().Op((byte)'X', 255, 255, 255, 255).Stop()));
        Assert.Contains("protocol other than", Problem([0x80, 9, (byte)'.']));
        Assert.Contains("holds no tensors", Problem(new PickleWriter().Op('}').Stop()));
    }

    [Theory]
    [InlineData(4, 0, new long[] { 2, 3 }, new long[] { 3, 1 }, "'x' reach beyond its data")]
    [InlineData(4, 3, new long[] { 2 }, new long[] { 1 }, "'x' reach beyond its data")]
    [InlineData(4, long.MaxValue, new long[] { 0 }, new long[] { 1 }, "'x' reach beyond its data")]
    [InlineData(4, 0, new long[] { long.MaxValue, 4 }, new long[] { 4, 1 }, "'x' reach beyond its data")]
    [InlineData(4, 0, new long[] { 4611686018427387904, 4 }, new long[] { 4, 1 }, "'x' reach beyond its data")]
    [InlineData(4, 0, new long[] { -1 }, new long[] { 1 }, "sizes are not sizes")]
    [InlineData(4, -1, new long[] { 1 }, new long[] { 1 }, "reach beyond its data")]
    [InlineData(5, 0, new long[] { 1 }, new long[] { 1 }, "16 bytes for the 5 elements that tensor 'x' is part of")]
    [InlineData(long.MaxValue, 0, new long[] { 1 }, new long[] { 1 }, "16 bytes for the 9223372036854775807 elements")]
    [InlineData(4, 0, new long[] { 2, 2 }, new long[] { 1, 2 }, "'x' not stored row by row")]
    [InlineData(4, 0, new long[] { 4 }, new long[] { 0 }, "'x' not stored row by row")]
    [InlineData(4, 0, new long[] { 2, 2 }, new long[] { 1 }, "with 2 sizes and 1 strides")]
    public void ATensorThatLiesIsNamed(long elements, long offset, long[] shape, long[] strides, string reason)
    {
        var pickle = new PickleWriter().Op('}').Op('(').Tensor("x", "FloatStorage", "0", elements, offset, shape, strides).Op('u').Stop();
        Assert.Contains(reason, Problem(pickle, ("data/0", new byte[16])));
    }

    [Fact]
    public void MissingAndDoubledPartsAreNamed()
    {
        PickleWriter One() => new PickleWriter().Op('}').Op('(').Tensor("x", "FloatStorage", "0", 4, 0, [4], [1]);
        Assert.Contains("lacks the member 'data/0'", Problem(One().Op('u').Stop()));
        Assert.Contains("names tensor 'x' twice", Problem(One().Tensor("x", "FloatStorage", "0", 4, 0, [4], [1]).Op('u').Stop(), ("data/0", new byte[16])));
        Assert.Contains("another byte order", Problem(One().Op('u').Stop(), ("data/0", new byte[16]), ("byteorder", "big"u8.ToArray())));
        Assert.Contains("twice in its archive", Problem(One().Op('u').Stop(), ("data/0", new byte[16]), ("data/0", new byte[16])));
    }

    [Fact]
    public void ACompressedMemberIsRefused()
    {
        var path = Path.Combine(folder, "packed.pth");
        using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
            using (var entry = zip.CreateEntry("archive/data.pkl", CompressionLevel.SmallestSize).Open())
                entry.Write(new byte[1000]);
        Assert.Contains("compressed member 'archive/data.pkl'", Checkpoint.Open(path).Problem);
    }

    [Fact]
    public void ATruncatedFileIsRefused()
    {
        foreach (var name in new[] { "archive.pth", "before-1.6.pth" })
        {
            var whole = File.ReadAllBytes(Data(name));
            for (var length = 0; length < whole.Length; length += 7)
                Assert.False(PickledFile.Read(new MemoryStream(whole[..length]), "cut").Ok);
        }
    }

    internal static string Data(string name, [CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "Data", name);

    private string Problem(byte[] pickle, params (string Name, byte[] Bytes)[] members)
    {
        var path = Path.Combine(folder, "bad.pth");
        File.WriteAllBytes(path, PickleWriter.Archive(pickle, members));
        var result = Checkpoint.Open(path);
        Assert.False(result.Ok);
        Assert.Contains(path, result.Problem);
        return result.Problem;
    }
}
