namespace EditorBridge.Models.Networks;

public static partial class WanTransformerKeys
{
    /// <summary>The original checkpoints' name of a Diffusers key, the inverse of <see cref="FromOriginal"/>; other keys come back unchanged.</summary>
    /// <param name="key">Key of this implementation.</param>
    public static string ToOriginal(string key)
    {
        if (Block().Match(key) is not { Success: true } block)
            return Restore(key, Parts);

        var inner = key[block.Length..];
        if (Attention().Match(inner) is { Success: true } attention)
            inner = attention.Value + Restore(inner[attention.Length..], AttentionParts);

        return block.Value + Restore(inner, BlockParts);
    }

    private static string Restore(string key, (string From, string To)[] parts)
    {
        foreach (var (from, to) in parts)
            if (key.StartsWith(to, StringComparison.Ordinal))
                return from + key[to.Length..];

        return key;
    }
}
