using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Gguf;

/// <summary>A tensor type of the GGUF format that is read.</summary>
internal readonly record struct GgufType(TensorType Type)
{
    private static readonly Dictionary<uint, TensorType> Known = new()
    {
        [0] = TensorType.F32, [1] = TensorType.F16, [2] = TensorType.Q4_0, [3] = TensorType.Q4_1, [6] = TensorType.Q5_0, [7] = TensorType.Q5_1,
        [8] = TensorType.Q8_0, [10] = TensorType.Q2_K, [11] = TensorType.Q3_K, [12] = TensorType.Q4_K, [13] = TensorType.Q5_K, [14] = TensorType.Q6_K,
        [24] = TensorType.I8, [25] = TensorType.I16, [26] = TensorType.I32, [27] = TensorType.I64, [28] = TensorType.F64, [30] = TensorType.BF16,
    };

    private static readonly Dictionary<uint, string> Others = new()
    {
        [9] = "Q8_1", [15] = "Q8_K", [16] = "IQ2_XXS", [17] = "IQ2_XS", [18] = "IQ3_XXS", [19] = "IQ1_S", [20] = "IQ4_NL", [21] = "IQ3_S", [22] = "IQ2_S",
        [23] = "IQ4_XS", [29] = "IQ1_M", [34] = "TQ1_0", [35] = "TQ2_0", [39] = "MXFP4",
    };

    /// <summary>The type of a number in a header.</summary>
    public static bool TryFind(uint number, out GgufType type)
    {
        var found = Known.TryGetValue(number, out var known);
        type = new(known);
        return found;
    }

    /// <summary>How people call a type that is not read.</summary>
    public static string NameOf(uint number) => Others.GetValueOrDefault(number) ?? $"number {number}";
}
