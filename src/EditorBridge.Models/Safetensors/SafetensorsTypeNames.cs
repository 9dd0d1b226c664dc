using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Safetensors;

/// <summary>How safetensors headers call element types.</summary>
public static class SafetensorsTypeNames
{
    private static readonly Dictionary<string, TensorType> Types =
        Enum.GetValues<TensorType>().Where(type => !type.IsBlocked()).ToDictionary(HeaderName, StringComparer.Ordinal);

    /// <summary>The name used in headers, such as <c>BF16</c> or <c>F8_E4M3</c>.</summary>
    /// <param name="type">A plain element type.</param>
    public static string HeaderName(this TensorType type) => type switch
    {
        TensorType.Bool => "BOOL",
        TensorType.F8E4M3 => "F8_E4M3",
        TensorType.F8E5M2 => "F8_E5M2",
        TensorType.F8E8M0 => "F8_E8M0",
        _ => type.ToString(),
    };

    /// <summary>The type a header names; null for one that this project does not read.</summary>
    /// <param name="name">As in the header.</param>
    public static TensorType? Parse(string? name) => name is not null && Types.TryGetValue(name, out var type) ? type : null;
}
