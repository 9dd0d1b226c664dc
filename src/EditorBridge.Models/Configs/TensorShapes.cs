using System.Globalization;
using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Configs;

/// <summary>Shapes of a checkpoint's tensors, asked for under the names of several layouts.</summary>
internal sealed class TensorShapes
{
    private readonly Dictionary<string, IReadOnlyList<long>> shapes;

    public TensorShapes(INamedTensors weights)
        => shapes = weights.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.Shape, StringComparer.Ordinal);

    /// <summary>The shape of the first of these names that is there; null when none is, or its axes are of another number or length than fits an int.</summary>
    public int[]? Find(int axes, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (shapes.TryGetValue(name, out var shape))
                return shape.Count == axes && shape.All(size => size is > 0 and <= int.MaxValue) ? [.. shape.Select(size => (int)size)] : null;
        return null;
    }

    /// <summary>Number of blocks: names that start with one of the prefixes and a number; null when there are none or one in between is missing.</summary>
    public int? Blocks(params string[] prefixes)
    {
        var numbers = new HashSet<int>();
        foreach (var name in shapes.Keys)
            foreach (var prefix in prefixes)
                if (name.StartsWith(prefix, StringComparison.Ordinal) && name.IndexOf('.', prefix.Length) is > 0 and var end
                    && int.TryParse(name.AsSpan(prefix.Length..end), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                    numbers.Add(number);
        return numbers.Count > 0 && numbers.Max() == numbers.Count - 1 ? numbers.Count : null;
    }
}
