using System.Buffers.Binary;
using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Tests.Models;

/// <summary>Packs values into the blocks of GGUF, the plain way: to the nearest step between each group's ends.</summary>
internal static class GgufBlocks
{
    /// <summary>The blocks of a tensor whose rows are whole blocks long.</summary>
    /// <param name="type">Q8_0 or Q4_K.</param>
    /// <param name="values">Its values.</param>
    public static byte[] Pack(TensorType type, ReadOnlySpan<float> values)
    {
        var bytes = new byte[values.Length / type.BlockElements() * type.Size()];
        for (var block = 0; block < values.Length / type.BlockElements(); block++)
        {
            var from = values.Slice(block * type.BlockElements(), type.BlockElements());
            var to = bytes.AsSpan(block * type.Size(), type.Size());
            if (type == TensorType.Q8_0) Q8(from, to);
            else if (type == TensorType.Q4_K) Q4K(from, to);
            else throw new ArgumentOutOfRangeException(nameof(type));
        }

        return bytes;
    }

    // A scale, then 32 signed bytes.
    private static void Q8(ReadOnlySpan<float> values, Span<byte> block)
    {
        var peak = 0f;
        foreach (var value in values) peak = Math.Max(peak, Math.Abs(value));
        var scale = Half(block, peak / 127);
        for (var i = 0; i < values.Length; i++) block[2 + i] = (byte)(sbyte)Math.Clamp(MathF.Round(values[i] / scale), -127, 127);
    }

    // Eight groups of 32 in nibbles, each with a scale and a minimum of six bits, which count in two halves of the block.
    private static void Q4K(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<float> steps = stackalloc float[8], minima = stackalloc float[8];
        var (widest, lowest) = (0f, 0f);
        for (var group = 0; group < 8; group++)
        {
            var (low, high) = (0f, float.MinValue);
            foreach (var value in values.Slice(group * 32, 32)) (low, high) = (Math.Min(low, value), Math.Max(high, value));
            (steps[group], minima[group]) = (Math.Max(high - low, 0) / 15, -low);
            (widest, lowest) = (Math.Max(widest, steps[group]), Math.Max(lowest, minima[group]));
        }

        var (unit, unitMin) = (Half(block, widest / 63), Half(block[2..], lowest / 63));
        var scales = block.Slice(4, 12);
        for (var group = 0; group < 8; group++)
        {
            var (six, sixMin) = (Six(steps[group] / unit), Six(minima[group] / unitMin));
            if (group < 4) (scales[group], scales[group + 4]) = ((byte)(scales[group] | six), (byte)(scales[group + 4] | sixMin));
            else
            {
                scales[group + 4] = (byte)((six & 15) | (sixMin & 15) << 4);
                scales[group - 4] |= (byte)(six >> 4 << 6);
                scales[group] |= (byte)(sixMin >> 4 << 6);
            }

            var (step, offset) = (unit * six, unitMin * sixMin);
            for (var i = 0; i < 32; i++)
            {
                var quant = step == 0 ? 0 : (int)Math.Clamp(MathF.Round((values[(group * 32) + i] + offset) / step), 0, 15);
                block[16 + (group / 2 * 32) + i] |= (byte)(quant << (group % 2 * 4));
            }
        }

        static int Six(float value) => float.IsFinite(value) ? (int)Math.Clamp(MathF.Round(value), 0, 63) : 0;
    }

    // As it will be read again.
    private static float Half(Span<byte> bytes, float value)
    {
        var half = (Half)Math.Max(value, 1e-6f);
        BinaryPrimitives.WriteHalfLittleEndian(bytes, half);
        return (float)half;
    }
}
