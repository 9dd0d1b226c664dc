namespace EditorBridge.Diffusion.Weights;

/// <summary>What came of adding a LoRA to a network.</summary>
public sealed record LoraReport
{
    /// <summary>Weights and biases that were changed.</summary>
    public required int Changed { get; init; }

    /// <summary>Keys of image conditioning that this network does not have: a LoRA made for image to video does without them.</summary>
    public required IReadOnlyList<string> ImageOnly { get; init; }

    /// <summary>Other keys of the file for which the network has no place.</summary>
    public required IReadOnlyList<string> Unmatched { get; init; }

    /// <summary>Keys whose shape is not that of the network, each with both shapes.</summary>
    public required IReadOnlyList<string> Misshaped { get; init; }
}
