using System.Runtime.CompilerServices;
using CsCheck;
using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Tests.Gguf;

public class BlockDecodingTests
{
    // Random blocks and what ggml's own decoders (ggml-quants.c) make of them, bit for bit: name, bytes, floats.
    [Fact]
    public void EveryFormatGivesTheReferenceNumbers()
    {
        var seen = new HashSet<TensorType>();
        foreach (var line in File.ReadLines(Data("blocks.txt")))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var type = Enum.Parse<TensorType>(parts[0], ignoreCase: true);
            var bytes = Convert.FromHexString(parts[1]);
            var expected = parts[2].Chunk(8).Select(bits => BitConverter.UInt32BitsToSingle(Convert.ToUInt32(new string(bits), 16))).ToArray();
            Assert.Equal((type.Size(), type.BlockElements()), (bytes.Length, expected.Length));
            var values = new float[expected.Length * 2];
            TensorDecoding.Decode(type, [.. bytes, .. bytes], values);
            for (var i = 0; i < values.Length; i++)
                Assert.True(MathF.Abs(values[i] - expected[i % expected.Length]) <= 1e-6f * MathF.Abs(expected[i % expected.Length]), $"{type}[{i}]: {values[i]}, not {expected[i % expected.Length]}");
            seen.Add(type);
        }
        Assert.Equal(Enum.GetValues<TensorType>().Where(type => type.IsBlocked()), seen.Order());
    }

    [Fact]
    public void WhatIsQuantisedComesBackWithinHalfAStep() => Gen.Float[-2, 2].Array[256].Sample(values =>
    {
        foreach (var (type, steps, symmetric) in new[] { (TensorType.Q4_0, 16, true), (TensorType.Q4_1, 15, false), (TensorType.Q5_0, 32, true), (TensorType.Q5_1, 31, false) })
        {
            var decoded = new float[32];
            var (low, high) = symmetric ? (-2f, 2f) : (values[..32].Min(), values[..32].Max());
            TensorDecoding.Decode(type, Quantise(values[..32], type, (high - low) / steps, low), decoded);
            // Halves of scale and offset round, and symmetric formats cannot reach the upper end.
            Assert.All(decoded.Zip(values), pair => Assert.InRange(MathF.Abs(pair.First - pair.Second), 0, ((high - low) / steps * (symmetric ? 1.01f : 0.51f)) + 4e-3f));
        }
        var bytes = QuantiseQ6K(values, 2f);
        var six = new float[256];
        TensorDecoding.Decode(TensorType.Q6_K, bytes, six);
        Assert.All(six.Zip(values), pair => Assert.InRange(MathF.Abs(pair.First - pair.Second), 0, (2f / 32 * 1.01f) + 1e-3f));
    }, iter: 100);

    [Theory]
    [InlineData(TensorType.Q4_0, new long[] { 3, 33 })]
    [InlineData(TensorType.Q6_K, new long[] { 255 })]
    [InlineData(TensorType.Q8_0, new long[] { })]
    [InlineData(TensorType.Q8_0, new[] { long.MaxValue, 32 })]
    [InlineData(TensorType.F32, new[] { long.MaxValue, 2 })]
    public void ShapesThatCannotBeStoredHaveNoSize(TensorType type, long[] shape) => Assert.Null(type.Bytes(shape));

    internal static string Data(string name, [CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "Data", name);

    private static byte[] Quantise(float[] values, TensorType type, float step, float low)
    {
        var symmetric = type is TensorType.Q4_0 or TensorType.Q5_0;
        var levels = type is TensorType.Q4_0 or TensorType.Q4_1 ? 16 : 32;
        var quants = values.Select(value => Math.Clamp((int)MathF.Round(symmetric ? (value / step) + (levels / 2) : (value - low) / step), 0, levels - 1)).ToArray();
        uint fifth = 0;
        var nibbles = new byte[16];
        for (var i = 0; i < 32; i++)
        {
            nibbles[i % 16] |= (byte)((quants[i] & 15) << (i / 16 * 4));
            fifth |= (uint)(quants[i] >> 4) << i;
        }
        return [
            .. Half(step), .. symmetric ? [] : Half(low), .. levels == 32 ? BitConverter.GetBytes(fifth) : [], .. nibbles];
    }

    private static byte[] QuantiseQ6K(float[] values, float largest)
    {
        var block = new byte[210];
        for (var i = 0; i < 256; i++)
        {
            var quant = Math.Clamp((int)MathF.Round(values[i] / largest * 32) + 32, 0, 63);
            var (half, within) = (i / 128, i % 128);
            block[(half * 64) + (within % 64)] |= (byte)((quant & 15) << (within / 64 * 4));
            block[128 + (half * 32) + (within % 32)] |= (byte)(quant >> 4 << (within / 32 * 2));
        }
        block.AsSpan(192, 16).Fill(1);
        Half(largest / 32).CopyTo(block, 208);
        return block;
    }

    private static byte[] Half(float value) => BitConverter.GetBytes((Half)value);
}
