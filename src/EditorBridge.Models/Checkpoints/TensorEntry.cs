namespace EditorBridge.Models.Checkpoints;

/// <summary>What a header says of one tensor.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Type">How its values are stored.</param>
/// <param name="Shape">Sizes, row by row, the last one fastest; empty for a scalar.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Length">Bytes.</param>
public record TensorEntry(string Name, TensorType Type, IReadOnlyList<long> Shape, long Offset, long Length)
{
    /// <summary>Number of values.</summary>
    public long Elements => Length / Type.Size() * Type.BlockElements();
}
