using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Lora;

/// <summary>
/// What a LoRA adds to one layer: strength · (alpha / rank) · up · down to its weight, or a full difference (Hu et al., "LoRA: Low-Rank Adaptation of
/// Large Language Models", 2021).
/// </summary>
/// <param name="Name">The layer as the file spells it, without what stands before and behind.</param>
public sealed record LoraLayer(string Name)
{
    /// <summary>[rank, in, …]; null without a product.</summary>
    public NamedTensor? Down { get; init; }

    /// <summary>[out, rank, …]; null without a product.</summary>
    public NamedTensor? Up { get; init; }

    /// <summary>What the product is scaled by, over the rank; null: the rank itself, so that nothing is scaled.</summary>
    public float? Alpha { get; init; }

    /// <summary>Added to the weight, of its shape.</summary>
    public NamedTensor? Difference { get; init; }

    /// <summary>Added to the bias, of its shape.</summary>
    public NamedTensor? BiasDifference { get; init; }

    /// <summary>Rows of <see cref="Down"/>; 0 without a product.</summary>
    public long Rank => Down?.Shape[0] ?? 0;
}
