using CsCheck;
using EditorBridge.Models.Pickles;

namespace EditorBridge.Models.Tests.Pickles;

/// <summary>Hostile files: whatever the bytes, reading ends with tensors that lie inside the file, or with a reason.</summary>
public sealed class PickleFuzzTests
{
    private static readonly byte[] Usual = [.. "(N})]tuseaqhKRbQ.cX"u8, 0x85, 0x86, 0x88, 0x8a, 0x93];

    [Theory]
    [InlineData("archive.pth")]
    [InlineData("before-1.6.pth")]
    public void ChangedBytesOfAGoodFile(string name)
    {
        var whole = File.ReadAllBytes(PickledFileTests.Data(name));
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Int[0, 3]).Array[1, 4].Sample(changes =>
        {
            var bytes = (byte[])whole.Clone();
            foreach (var (at, value, run) in changes)
                bytes.AsSpan(at, Math.Min(run + 1, bytes.Length - at)).Fill(value);
            Check(bytes);
        }, iter: 5000);
    }

    [Fact]
    public void ArbitraryInstructions() => Gen.Select(Gen.Int[0, Usual.Length - 1].Select(i => Usual[i]).Array[0, 40], Gen.Byte.Array[0, 8])
        .Sample(input => Check(PickleWriter.Archive([0x80, 2, .. input.Item1, .. input.Item2, (byte)'.'], ("data/0", new byte[8]))), iter: 3000);

    private static void Check(byte[] bytes)
    {
        var result = PickledFile.Read(new MemoryStream(bytes), "fuzzed");
        if (!result.Ok)
        {
            Assert.Contains("'fuzzed'", result.Problem);
            return;
        }
        Assert.All(result.Value, tensor =>
        {
            Assert.InRange(tensor.Offset, 0, bytes.Length);
            Assert.InRange(tensor.Length, 0, bytes.Length - tensor.Offset);
        });
    }
}
