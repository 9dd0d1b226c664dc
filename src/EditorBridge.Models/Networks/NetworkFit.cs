using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Variants;

namespace EditorBridge.Models.Networks;

/// <summary>Whether the files of a network hold all of it, told from their headers: what loading it would find out, before anything is loaded.</summary>
public static class NetworkFit
{
    /// <summary>What is missing, left over or misshaped, in one sentence; null where the network is whole.</summary>
    /// <param name="kind">Which network it is to be.</param>
    /// <param name="path">Its file or folder.</param>
    /// <param name="layout">How the model's files are laid out.</param>
    public static string? Problem(NetworkKind kind, string path, ModelLayout layout)
    {
        var weights = Checkpoint.Open(path);
        if (!weights.Ok) return weights.Problem;
        using (weights.Value) return Problem(kind, path, layout, weights.Value);
    }

    /// <summary>What is missing, left over or misshaped, in one sentence; null where the network is whole.</summary>
    /// <param name="kind">Which network it is to be.</param>
    /// <param name="path">Its file or folder.</param>
    /// <param name="layout">How the model's files are laid out.</param>
    /// <param name="weights">What was opened there.</param>
    public static string? Problem(NetworkKind kind, string path, ModelLayout layout, INamedTensors weights) => kind switch
    {
        NetworkKind.Transformer => Of(
            NetworkSizes.Transformer(path, layout), sizes => sizes.NumLayers, "transformer", NetworkTensors.Transformer, _ => key => [WanTransformerKeys.FromOriginal(key)], weights),
        NetworkKind.Vae => Of(
            NetworkSizes.Vae(path, layout), sizes => (long)sizes.NumResBlocks * sizes.DimMult.Count, "VAE", NetworkTensors.Vae,
            sizes => key => [WanVideoVaeKeys.ToDiffusers(key, sizes.NumResBlocks)], weights),
        NetworkKind.TextEncoder => Of(
            NetworkSizes.TextEncoder(path, layout), sizes => sizes.NumLayers, "text encoder", NetworkTensors.TextEncoder, _ => UMT5Keys.ToHuggingFace, weights),
        NetworkKind.ImageEncoder => Of(
            NetworkSizes.ImageEncoder(path, layout), sizes => sizes.NumHiddenLayers, "image encoder", NetworkTensors.ImageEncoder, _ => ClipVisionKeys.ToHuggingFace, weights),
        _ => null,
    };

    private static string? Of<T>(
        ReadResult<T> sizes, Func<T, long> blocks, string what, Func<T, IReadOnlyDictionary<string, WantedTensor>> wanted, Func<T, Func<string, IReadOnlyList<string>>> rename, INamedTensors weights)
        where T : class
    {
        if (!sizes.Ok) return sizes.Problem;
        // A config can ask for any number of blocks; none of them has to be listed to see that they are not there.
        if (blocks(sizes.Value) > weights.Tensors.Count)
            return $"'{weights.Path}' does not hold the whole {what} it should: it has {weights.Tensors.Count} tensors, too few for {blocks(sizes.Value)} blocks; download it again.";
        var match = TensorMatch.Of(weights, wanted(sizes.Value), rename(sizes.Value));
        return match.Problems.Count == 0 ? null : $"'{weights.Path}' does not hold the whole {what} it should: {match.Summary}; download it again.";
    }
}
