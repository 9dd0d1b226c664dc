using System.Buffers.Binary;

namespace EditorBridge.Models.Checkpoints;

/// <summary>
/// The block formats of GGUF as floats, from the layouts of ggml (ggml-common.h, block_q4_0 to block_q6_K). Bits of one value may lie in
/// two places; a block starts or ends with its scales as halfs.
/// </summary>
internal static class BlockDecoding
{
    /// <summary>Decodes whole blocks.</summary>
    public static void Decode(TensorType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        var (size, elements) = (type.Size(), type.BlockElements());
        for (var (at, to) = (0, 0); at < bytes.Length; at += size, to += elements)
        {
            var block = bytes.Slice(at, size);
            var y = values.Slice(to, elements);
            switch (type)
            {
                case TensorType.Q4_0:
                    Nibbles(block[2..], default, Half(block), -8 * Half(block), y);
                    break;
                case TensorType.Q4_1:
                    Nibbles(block[4..], default, Half(block), Half(block[2..]), y);
                    break;
                case TensorType.Q5_0:
                    Nibbles(block[6..], block.Slice(2, 4), Half(block), -16 * Half(block), y);
                    break;
                case TensorType.Q5_1:
                    Nibbles(block[8..], block.Slice(4, 4), Half(block), Half(block[2..]), y);
                    break;
                case TensorType.Q8_0:
                    var scale = Half(block);
                    for (var i = 0; i < 32; i++)
                        y[i] = scale * (sbyte)block[2 + i];
                    break;
                case TensorType.Q2_K:
                    Q2K(block, y);
                    break;
                case TensorType.Q3_K:
                    Q3K(block, y);
                    break;
                case TensorType.Q4_K:
                    Q4K(block, default, block.Slice(16, 128), y);
                    break;
                case TensorType.Q5_K:
                    Q4K(block, block.Slice(16, 32), block.Slice(48, 128), y);
                    break;
                case TensorType.Q6_K:
                    Q6K(block, y);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(type));
            }
        }
    }

    private static float Half(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    // 32 values: low nibbles are the first half, high nibbles the second; a fifth bit each may lie in one word.
    private static void Nibbles(ReadOnlySpan<byte> low, ReadOnlySpan<byte> fifth, float scale, float offset, Span<float> y)
    {
        var bits = fifth.IsEmpty ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(fifth);
        for (var i = 0; i < 16; i++)
        {
            y[i] = (scale * ((low[i] & 15) | (int)(bits >> i & 1) << 4)) + offset;
            y[i + 16] = (scale * (low[i] >> 4 | (int)(bits >> (i + 16) & 1) << 4)) + offset;
        }
    }

    // 16 groups of 16: scale and minimum in a byte; a byte of values serves four groups, 32 apart.
    private static void Q2K(ReadOnlySpan<byte> block, Span<float> y)
    {
        var scales = block[..16];
        var quants = block.Slice(16, 64);
        var (d, min) = (Half(block[80..]), Half(block[82..]));
        for (var group = 0; group < 16; group++)
        {
            var (scale, offset) = (d * (scales[group] & 15), min * (scales[group] >> 4));
            var (from, shift) = ((group / 8 * 32) + (group % 2 * 16), group % 8 / 2 * 2);
            for (var i = 0; i < 16; i++)
                y[(group * 16) + i] = (scale * (quants[from + i] >> shift & 3)) - offset;
        }
    }

    // As Q2_K, with the third bit of all values in 32 bytes and 6-bit scales around 32 whose upper bits lie behind the lower ones.
    private static void Q3K(ReadOnlySpan<byte> block, Span<float> y)
    {
        var third = block[..32];
        var quants = block.Slice(32, 64);
        var scales = block.Slice(96, 12);
        var d = Half(block[108..]);
        for (var group = 0; group < 16; group++)
        {
            var low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
            var scale = d * ((low | (scales[8 + (group % 4)] >> (group / 4 * 2) & 3) << 4) - 32);
            var (within, shift) = (group % 2 * 16, group % 8 / 2 * 2);
            var from = quants.Slice((group / 8 * 32) + within, 16);
            for (var i = 0; i < 16; i++)
            {
                // A third bit that is not set takes 4 away.
                var quant = (from[i] >> shift & 3) | (third[within + i] >> (group / 2) & 1) << 2;
                y[(group * 16) + i] = scale * (quant - 4);
            }
        }
    }

    // 8 groups of 32 in pairs that share 32 bytes, low nibbles first; Q5_K has a fifth bit, bit 'group' of 32 more bytes.
    private static void Q4K(ReadOnlySpan<byte> block, ReadOnlySpan<byte> fifth, ReadOnlySpan<byte> quants, Span<float> y)
    {
        var (d, min) = (Half(block), Half(block[2..]));
        var scales = block.Slice(4, 12);
        for (var group = 0; group < 8; group++)
        {
            var (six, sixMin) = group < 4
                ? (scales[group] & 63, scales[group + 4] & 63)
                : ((scales[group + 4] & 15) | scales[group - 4] >> 6 << 4, scales[group + 4] >> 4 | scales[group] >> 6 << 4);
            var (scale, offset, shift) = (d * six, min * sixMin, group % 2 * 4);
            var from = quants.Slice(group / 2 * 32, 32);
            var to = y.Slice(group * 32, 32);
            for (var i = 0; i < 32; i++)
            {
                var quant = from[i] >> shift & 15;
                if (!fifth.IsEmpty)
                    quant |= (fifth[i] >> group & 1) << 4;
                to[i] = (scale * quant) - offset;
            }
        }
    }

    // Two halves of 128 in groups of 16: a half's low four bits lie in 64 bytes, its upper two in 32.
    private static void Q6K(ReadOnlySpan<byte> block, Span<float> y)
    {
        var d = Half(block[208..]);
        for (var group = 0; group < 16; group++)
        {
            var (half, quarter, within) = (group / 8, group / 2 % 4, group % 2 * 16);
            var low = block.Slice((half * 64) + (quarter % 2 * 32) + within, 16);
            var high = block.Slice(128 + (half * 32) + within, 16);
            var to = y.Slice(group * 16, 16);
            var (scale, lowShift, highShift) = (d * (sbyte)block[192 + group], quarter / 2 * 4, quarter * 2);
            for (var i = 0; i < 16; i++)
                to[i] = scale * (((low[i] >> lowShift & 15) | (high[i] >> highShift & 3) << 4) - 32);
        }
    }
}
