using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Variants;

/// <summary>The networks a model is made of, and what can be added to one.</summary>
public enum NetworkKind
{
    /// <summary>The diffusion transformer.</summary>
    Transformer,

    /// <summary>The video VAE.</summary>
    Vae,

    /// <summary>The text encoder.</summary>
    TextEncoder,

    /// <summary>The image encoder.</summary>
    ImageEncoder,

    /// <summary>A LoRA.</summary>
    Lora,
}

/// <summary>Tells from tensors which network a file holds, whatever it is called.</summary>
public static class NetworkKinds
{
    private static readonly (string Name, NetworkKind Kind)[] Marks =
    [
        ("head.modulation", NetworkKind.Transformer), ("condition_embedder.time_proj.weight", NetworkKind.Transformer),
        ("decoder.conv1.weight", NetworkKind.Vae), ("decoder.conv_in.weight", NetworkKind.Vae),
        ("shared.weight", NetworkKind.TextEncoder), ("token_embedding.weight", NetworkKind.TextEncoder), ("token_embd.weight", NetworkKind.TextEncoder),
        ("vision_model.embeddings.patch_embedding.weight", NetworkKind.ImageEncoder), ("visual.patch_embedding.weight", NetworkKind.ImageEncoder),
    ];

    private static readonly string[] LoraParts = [".lora_A.", ".lora_B.", ".lora_down.", ".lora_up.", ".lora.down.", ".lora.up."];

    /// <summary>The network of a checkpoint; null for one that is none of a Wan model.</summary>
    /// <param name="weights">Its tensors.</param>
    public static NetworkKind? Of(INamedTensors weights)
    {
        if (weights.Tensors.Keys.Any(name => LoraParts.Any(part => name.Contains(part, StringComparison.Ordinal))))
            return NetworkKind.Lora;
        foreach (var (name, kind) in Marks)
            if (weights.Tensors.ContainsKey(name))
                return kind;
        return null;
    }
}
