using System.Text;
using CsCheck;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Safetensors;

namespace EditorBridge.Models.Tests.Safetensors;

/// <summary>Hostile headers: whatever the bytes, reading ends with a file whose ranges lie inside it, or with a reason.</summary>
public sealed class SafetensorsFuzzTests
{
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ",", ":", "\"x\"", "\"y\"", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"F32\"", "\"BOOL\"", "\"__metadata__\"",
        "0", "1", "4", "8", "-1", "9223372036854775807", "18446744073709551616", "1e300", "null", "true", "\"\\ud800\"", "\u0000", " ", "\"",
        "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}", "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}",
    ];

    [Fact]
    public void JsonLikeHeaders() => Gen.Select(Gen.Int[0, Pieces.Length - 1].Select(i => Pieces[i]).Array[0, 30], Gen.Int[0, 20])
        .Sample(input => Check(Encoding.UTF8.GetBytes("{" + string.Concat(input.Item1)), input.Item2), iter: 5000);

    [Fact]
    public void ArbitraryBytes() => Gen.Select(Gen.Byte.Array[0, 60], Gen.Int[0, 20]).Sample(input => Check(input.Item1, input.Item2), iter: 5000);

    [Fact]
    public void FlippedBytesOfAGoodFile()
    {
        using var stream = new MemoryStream();
        var good = """{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"y":{"dtype":"BF16","shape":[],"data_offsets":[8,10]}}"""u8.ToArray();
        var whole = (byte[])[.. BitConverter.GetBytes((long)good.Length), .. good, .. new byte[10]];
        Assert.True(SafetensorsHeader.Read(new MemoryStream(whole), whole.Length, "good").Ok);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Int[0, whole.Length]).Sample(input =>
        {
            var bytes = (byte[])whole.Clone();
            bytes[input.Item1] = input.Item2;
            CheckFile(bytes);
            CheckFile(bytes[..input.Item3]);
        }, iter: 5000);
    }

    private static void Check(byte[] header, int data) => CheckFile([.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[data]]);

    private static void CheckFile(byte[] bytes)
    {
        var result = SafetensorsHeader.Read(new MemoryStream(bytes), bytes.Length, "fuzzed");
        if (!result.Ok)
        {
            Assert.Contains("'fuzzed'", result.Problem);
            return;
        }
        var end = 8 + BitConverter.ToInt64(bytes);
        foreach (var tensor in result.Value.Tensors)
        {
            Assert.Equal(end, tensor.Offset);
            Assert.Equal(tensor.Length, tensor.Shape.Aggregate((long)tensor.Type.Size(), (length, size) => length * size));
            end += tensor.Length;
        }
        Assert.Equal(bytes.Length, end);
    }
}
