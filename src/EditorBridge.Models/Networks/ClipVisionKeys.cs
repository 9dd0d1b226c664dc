namespace EditorBridge.Models.Networks;

/// <summary>Key names of CLIP checkpoints.</summary>
public static class ClipVisionKeys
{
    private static readonly string[] Unused = ["visual.post_norm.", "visual.head", "vision_model.post_layernorm.", "visual_projection.", "vision_model.embeddings.position_ids", "textual.", "log_scale"];

    private static readonly (string From, string To)[] Parts =
    [
        ("visual.patch_embedding.weight", "vision_model.embeddings.patch_embedding.weight"),
        ("visual.cls_embedding", "vision_model.embeddings.class_embedding"),
        ("visual.pos_embedding", "vision_model.embeddings.position_embedding.weight"),
        ("visual.pre_norm.", "vision_model.pre_layrnorm."),
    ];

    private static readonly (string From, string To)[] BlockParts =
    [
        ("norm1.", "layer_norm1."), ("norm2.", "layer_norm2."), ("mlp.0.", "mlp.fc1."), ("mlp.2.", "mlp.fc2."), ("attn.proj.", "self_attn.out_proj."),
    ];

    /// <summary>
    /// The Hugging Face names, which are this implementation's, of a key of the original checkpoints: three for the joined queries, keys and
    /// values, none for what the networks here do not use (the last norm, the projection, the text tower). Other keys come back unchanged.
    /// </summary>
    /// <param name="key">Key of a checkpoint.</param>
    public static IReadOnlyList<string> ToHuggingFace(string key)
    {
        if (Unused.Any(start => key.StartsWith(start, StringComparison.Ordinal)))
            return [];
        if (key.Split('.', 4) is ["visual", "transformer", var index, var inner])
        {
            var block = $"vision_model.encoder.layers.{index}.";
            if (inner.StartsWith("attn.to_qkv.", StringComparison.Ordinal))
                return [.. "qkv".Select(letter => $"{block}self_attn.{letter}_proj.{inner["attn.to_qkv.".Length..]}")];
            return [block + Replace(inner, BlockParts)];
        }

        return [Replace(key, Parts)];
    }

    private static string Replace(string key, (string From, string To)[] parts)
    {
        foreach (var (from, to) in parts)
            if (key.StartsWith(from, StringComparison.Ordinal))
                return to + key[from.Length..];

        return key;
    }
}
