namespace EditorBridge.Models.Checkpoints;

/// <summary>How a tensor's values are stored: plain element types, then the block formats of GGUF.</summary>
public enum TensorType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Signed 8-bit integer.</summary>
    I8,

    /// <summary>8-bit float, 4 exponent and 3 mantissa bits, no infinities (e4m3fn).</summary>
    F8E4M3,

    /// <summary>8-bit float, 5 exponent and 2 mantissa bits.</summary>
    F8E5M2,

    /// <summary>8-bit power of two (e8m0), a scale.</summary>
    F8E8M0,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE half.</summary>
    F16,

    /// <summary>The upper half of an IEEE single.</summary>
    BF16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>IEEE single.</summary>
    F32,

    /// <summary>IEEE double.</summary>
    F64,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,

    /// <summary>Blocks of 32: a scale, 4 bits a value.</summary>
    Q4_0,

    /// <summary>Blocks of 32: a scale and a minimum, 4 bits a value.</summary>
    Q4_1,

    /// <summary>Blocks of 32: a scale, 5 bits a value.</summary>
    Q5_0,

    /// <summary>Blocks of 32: a scale and a minimum, 5 bits a value.</summary>
    Q5_1,

    /// <summary>Blocks of 32: a scale, 8 bits a value.</summary>
    Q8_0,

    /// <summary>Blocks of 256 in groups of 16 with 4-bit scales and minima, 2 bits a value.</summary>
    Q2_K,

    /// <summary>Blocks of 256 in groups of 16 with 6-bit scales, 3 bits a value.</summary>
    Q3_K,

    /// <summary>Blocks of 256 in groups of 32 with 6-bit scales and minima, 4 bits a value.</summary>
    Q4_K,

    /// <summary>Blocks of 256 in groups of 32 with 6-bit scales and minima, 5 bits a value.</summary>
    Q5_K,

    /// <summary>Blocks of 256 in groups of 16 with 8-bit scales, 6 bits a value.</summary>
    Q6_K,
}

/// <summary>Sizes of <see cref="TensorType"/>.</summary>
public static class TensorTypes
{
    /// <summary>Whether values come in blocks that share scales, so that no single one can be addressed.</summary>
    /// <param name="type">The type.</param>
    public static bool IsBlocked(this TensorType type) => type >= TensorType.Q4_0;

    /// <summary>Whether values are real numbers: floats, plain or in blocks. Integers are indices, text, or codes of a quantisation that is not known here.</summary>
    /// <param name="type">The type.</param>
    public static bool IsReal(this TensorType type)
        => type is TensorType.F8E4M3 or TensorType.F8E5M2 or TensorType.F16 or TensorType.BF16 or TensorType.F32 or TensorType.F64 || type.IsBlocked();

    /// <summary>Values that are stored together: 1 for plain types.</summary>
    /// <param name="type">The type.</param>
    public static int BlockElements(this TensorType type) => type switch
    {
        >= TensorType.Q2_K => 256,
        >= TensorType.Q4_0 => 32,
        _ => 1,
    };

    /// <summary>Bytes of one block: of one value for plain types.</summary>
    /// <param name="type">The type.</param>
    public static int Size(this TensorType type) => type switch
    {
        <= TensorType.F8E8M0 => 1,
        <= TensorType.BF16 => 2,
        <= TensorType.F32 => 4,
        <= TensorType.U64 => 8,
        TensorType.Q4_0 => 18,
        TensorType.Q4_1 => 20,
        TensorType.Q5_0 => 22,
        TensorType.Q5_1 => 24,
        TensorType.Q8_0 => 34,
        TensorType.Q2_K => 84,
        TensorType.Q3_K => 110,
        TensorType.Q4_K => 144,
        TensorType.Q5_K => 176,
        TensorType.Q6_K => 210,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <summary>Bytes of a tensor; null when they are more than 64 bits count or its rows are not whole blocks.</summary>
    /// <param name="type">The type.</param>
    /// <param name="shape">Sizes, none negative.</param>
    public static long? Bytes(this TensorType type, IReadOnlyList<long> shape)
    {
        var block = type.BlockElements();
        if (block > 1 && (shape.Count == 0 || shape[^1] % block != 0))
            return null;
        long bytes = type.Size();
        for (var axis = 0; axis < shape.Count; axis++)
        {
            var size = axis == shape.Count - 1 ? shape[axis] / block : shape[axis];
            if (size != 0 && bytes > long.MaxValue / size)
                return null;
            bytes *= size;
        }
        return bytes;
    }
}
