namespace EditorBridge.Timeline;

/// <summary>One replacement in a document: the bytes of a span give way to others. Everything outside splices stays as it is.</summary>
/// <param name="Start">First byte replaced, counted in the original.</param>
/// <param name="Length">Number of bytes replaced; zero for an insertion.</param>
/// <param name="Replacement">The new bytes, UTF-8.</param>
public readonly record struct TextSplice(int Start, int Length, ReadOnlyMemory<byte> Replacement)
{
    /// <summary>The first byte after the span.</summary>
    public int End => Start + Length;

    /// <summary>Carries splices out.</summary>
    /// <param name="original">The document.</param>
    /// <param name="splices">Splices in ascending order that do not overlap; insertions at one place keep their order.</param>
    /// <exception cref="ArgumentException">They overlap, are out of order or leave the document.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> original, IReadOnlyList<TextSplice> splices)
    {
        ArgumentNullException.ThrowIfNull(splices);
        var length = original.Length;
        var from = 0;
        foreach (var splice in splices)
        {
            if (splice.Start < from || splice.Length < 0 || splice.End > original.Length)
                throw new ArgumentException($"The splice at byte {splice.Start} overlaps another or leaves the document.", nameof(splices));
            from = splice.End;
            length += splice.Replacement.Length - splice.Length;
        }

        var result = new byte[length];
        var (read, write) = (0, 0);
        foreach (var splice in splices)
        {
            original[read..splice.Start].CopyTo(result.AsSpan(write));
            write += splice.Start - read;
            splice.Replacement.Span.CopyTo(result.AsSpan(write));
            write += splice.Replacement.Length;
            read = splice.End;
        }

        original[read..].CopyTo(result.AsSpan(write));
        return result;
    }
}
