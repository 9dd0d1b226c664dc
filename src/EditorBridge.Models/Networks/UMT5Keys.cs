namespace EditorBridge.Models.Networks;

/// <summary>Key names of UMT5 checkpoints.</summary>
public static class UMT5Keys
{
    /// <summary>
    /// The Hugging Face name, which is this implementation's, of a checkpoint's key: keys of the Wan checkpoints (<c>models_t5_umt5-xxl-enc</c>) and of GGUF files are
    /// translated, others come back unchanged; none for what the encoder does not use (the second copy of the token table, the tokenizer that ComfyUI packs in).
    /// </summary>
    /// <param name="key">Key of a checkpoint.</param>
    public static IReadOnlyList<string> ToHuggingFace(string key) => One(key) is { } name ? [name] : [];

    private static string? One(string key)
    {
        if (key is "encoder.embed_tokens.weight" or "spiece_model")
            return null;
        if (key is "token_embedding.weight" or "token_embd.weight")
            return "shared.weight";
        if (key is "norm.weight" or "enc.output_norm.weight")
            return "encoder.final_layer_norm.weight";
        var parts = (key.StartsWith("enc.blk.", StringComparison.Ordinal) ? "blocks" + key["enc.blk".Length..] : key).Split('.', 3);
        if (parts.Length < 3 || parts[0] != "blocks")
            return key;
        var block = $"encoder.block.{parts[1]}.layer.";
        return parts[2] switch
        {
            "norm1.weight" or "attn_norm.weight" => block + "0.layer_norm.weight",
            "norm2.weight" or "ffn_norm.weight" => block + "1.layer_norm.weight",
            "attn.q.weight" or "attn_q.weight" => block + "0.SelfAttention.q.weight",
            "attn.k.weight" or "attn_k.weight" => block + "0.SelfAttention.k.weight",
            "attn.v.weight" or "attn_v.weight" => block + "0.SelfAttention.v.weight",
            "attn.o.weight" or "attn_o.weight" => block + "0.SelfAttention.o.weight",
            "pos_embedding.embedding.weight" or "attn_rel_b.weight" => block + "0.SelfAttention.relative_attention_bias.weight",
            "ffn.gate.0.weight" or "ffn_gate.weight" => block + "1.DenseReluDense.wi_0.weight",
            "ffn.fc1.weight" or "ffn_up.weight" => block + "1.DenseReluDense.wi_1.weight",
            "ffn.fc2.weight" or "ffn_down.weight" => block + "1.DenseReluDense.wo.weight",
            _ => key,
        };
    }
}
