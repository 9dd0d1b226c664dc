using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace EditorBridge.Models.Checkpoints;

/// <summary>Stored bytes to single floats, little endian.</summary>
public static class TensorDecoding
{
    private static readonly float[] E4M3 = [.. Enumerable.Range(0, 256).Select(code => FromE4M3((byte)code))];

    /// <summary>Decodes values.</summary>
    /// <param name="type">How they are stored.</param>
    /// <param name="bytes">Whole values or blocks.</param>
    /// <param name="values">As many as the bytes hold.</param>
    /// <exception cref="NotSupportedException">The type holds no real numbers that a float can show.</exception>
    public static void Decode(TensorType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        if (bytes.Length / type.Size() * type.BlockElements() != values.Length || bytes.Length % type.Size() != 0)
            throw new ArgumentException($"{bytes.Length} bytes of {type} are not {values.Length} values.", nameof(bytes));
        switch (type)
        {
            case TensorType.F32:
                bytes.CopyTo(MemoryMarshal.AsBytes(values));
                break;
            case TensorType.F16:
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]);
                break;
            case TensorType.BF16:
                for (var i = 0; i < values.Length; i++)
                    values[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16);
                break;
            case TensorType.F8E4M3:
                for (var i = 0; i < values.Length; i++)
                    values[i] = E4M3[bytes[i]];
                break;
            case TensorType.F8E5M2: // the upper half of an IEEE half
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)BitConverter.UInt16BitsToHalf((ushort)(bytes[i] << 8));
                break;
            case TensorType.F64:
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..]);
                break;
            case >= TensorType.Q4_0:
                BlockDecoding.Decode(type, bytes, values);
                break;
            default:
                throw new NotSupportedException($"Tensors of type {type} are not weights.");
        }
    }

    private static float FromE4M3(byte code)
    {
        var (exponent, mantissa) = ((code >> 3) & 15, code & 7);
        var size = exponent == 15 && mantissa == 7 ? float.NaN
            : exponent == 0 ? MathF.ScaleB(mantissa, -9)
            : MathF.ScaleB(8 + mantissa, exponent - 10);
        return code >= 128 ? -size : size;
    }
}
