using System.Text.RegularExpressions;

namespace EditorBridge.Models.Networks;

/// <summary>Key names of the original Wan checkpoints.</summary>
public static partial class WanTransformerKeys
{
    private static readonly (string From, string To)[] Parts =
    [
        ("time_embedding.0.", "condition_embedder.time_embedder.linear_1."),
        ("time_embedding.2.", "condition_embedder.time_embedder.linear_2."),
        ("text_embedding.0.", "condition_embedder.text_embedder.linear_1."),
        ("text_embedding.2.", "condition_embedder.text_embedder.linear_2."),
        ("time_projection.1.", "condition_embedder.time_proj."),
        ("head.head.", "proj_out."),
        ("head.modulation", "scale_shift_table"),
        ("img_emb.proj.0.", "condition_embedder.image_embedder.norm1."),
        ("img_emb.proj.1.", "condition_embedder.image_embedder.ff.net.0.proj."),
        ("img_emb.proj.3.", "condition_embedder.image_embedder.ff.net.2."),
        ("img_emb.proj.4.", "condition_embedder.image_embedder.norm2."),
        ("img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed"),
    ];

    private static readonly (string From, string To)[] BlockParts =
    [
        ("modulation", "scale_shift_table"),
        ("norm3.", "norm2."), // the affine norm before cross attention has another number there
        ("ffn.0.", "ffn.net.0.proj."),
        ("ffn.2.", "ffn.net.2."),
        ("self_attn.", "attn1."),
        ("cross_attn.", "attn2."),
        ("before_proj.", "proj_in."),
        ("after_proj.", "proj_out."),
    ];

    private static readonly (string From, string To)[] AttentionParts =
    [
        ("q.", "to_q."), ("k.", "to_k."), ("v.", "to_v."), ("o.", "to_out.0."),
        ("k_img.", "add_k_proj."), ("v_img.", "add_v_proj."), ("norm_k_img.", "norm_added_k."),
    ];

    /// <summary>The Diffusers name, which is this implementation's, of a key of the original checkpoints; other keys come back unchanged.</summary>
    /// <param name="key">Key of a checkpoint.</param>
    public static string FromOriginal(string key)
    {
        if (Block().Match(key) is not { Success: true } block)
            return Replace(key, Parts);

        var inner = Replace(key[block.Length..], BlockParts);
        if (Attention().Match(inner) is { Success: true } attention)
            inner = attention.Value + Replace(inner[attention.Length..], AttentionParts);

        return block.Value + inner;
    }

    private static string Replace(string key, (string From, string To)[] parts)
    {
        foreach (var (from, to) in parts)
            if (key.StartsWith(from, StringComparison.Ordinal))
                return to + key[from.Length..];

        return key;
    }

    [GeneratedRegex(@"^(vace_)?blocks\.\d+\.")]
    private static partial Regex Block();

    [GeneratedRegex(@"^attn[12]\.")]
    private static partial Regex Attention();
}
