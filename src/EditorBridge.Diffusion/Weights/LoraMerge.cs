using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Lora;
using TorchSharp;

namespace EditorBridge.Diffusion.Weights;

/// <summary>Adds LoRAs to the weights of a transformer that has been loaded: packed weights are unpacked by then.</summary>
public static class LoraMerge
{
    private static readonly string[] ImageParts = ["img", "image_embedder", "add_k_proj", "add_v_proj", "norm_added_k"];

    /// <summary>Adds one LoRA. Several add up in the order of the calls.</summary>
    /// <param name="network">The transformer; its weights are its own, not views of a file.</param>
    /// <param name="lora">The LoRA.</param>
    /// <param name="strength">Factor of all it adds; 1 is as it was trained, negative values take away.</param>
    /// <param name="lowNoise">Whether the network is the low-noise expert: a file that holds layers for both gives it its own.</param>
    /// <returns>What was changed, and what had no place.</returns>
    /// <exception cref="InvalidDataException">Nothing fits: the LoRA was made for another network. The message names keys and shapes.</exception>
    public static LoraReport Into(torch.nn.Module network, LoraFile lora, double strength, bool lowNoise = false)
    {
        if (!double.IsFinite(strength))
            throw new ArgumentOutOfRangeException(nameof(strength));
        var weights = network.state_dict();
        // Underscores for points: some spellings cannot be told back.
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var key in weights.Keys)
        {
            places.TryAdd(Plain(key), key);
            places.TryAdd(Plain(WanTransformerKeys.ToOriginal(key)), key);
        }

        var (changed, imageOnly, unmatched, misshaped) = (0, new List<string>(), new List<string>(), new List<string>());
        unmatched.AddRange(lora.Unread);
        using var noGrad = torch.no_grad();
        foreach (var layer in lowNoise && lora.LowNoiseLayers.Count > 0 ? lora.LowNoiseLayers : lora.Layers)
        {
            void Add(NamedTensor from, string? place, Func<long[], torch.Tensor?> delta)
            {
                if (place is null)
                {
                    (ImageParts.Any(part => from.Name.Contains(part, StringComparison.Ordinal)) ? imageOnly : unmatched).Add(from.Name);
                    return;
                }
                using var scope = torch.NewDisposeScope();
                var target = weights[place];
                if (delta(target.shape) is not { } difference)
                {
                    misshaped.Add($"'{from.Name}' is [{string.Join(", ", from.Shape)}], '{place}' is [{string.Join(", ", target.shape)}]");
                    return;
                }
                // In float32 even where the weights are shorter, so that they are rounded once.
                target.copy_(target.to(torch.float32).add(difference.to(target.device), strength));
                changed++;
            }

            var weight = places.GetValueOrDefault(Plain(layer.Name) + "_weight");
            if (layer is { Down: { } down, Up: { } up })
                Add(down, weight, shape => Product(up, down, shape, (layer.Alpha ?? layer.Rank) / layer.Rank));
            if (layer.Difference is { } whole)
                Add(whole, weight ?? places.GetValueOrDefault(Plain(layer.Name)), shape => Whole(whole, shape));
            if (layer.BiasDifference is { } bias)
                Add(bias, places.GetValueOrDefault(Plain(layer.Name) + "_bias"), shape => Whole(bias, shape));
        }

        if (changed == 0)
            throw new InvalidDataException(
                $"The LoRA '{lora.Path}' was made for another network: nothing in it fits {network.GetName()}. "
                + string.Join("; ", misshaped.Concat(unmatched.Concat(imageOnly).Select(key => $"'{key}' has no place")).Take(5)) + ".");
        return new LoraReport { Changed = changed, ImageOnly = imageOnly, Unmatched = unmatched, Misshaped = misshaped };
    }

    private static string Plain(string key) => key.Replace('.', '_');

    // Convolutions too: [out, rank, 1, 1, 1] and [rank, in, 1, 2, 2] multiply as matrices.
    private static torch.Tensor? Product(NamedTensor up, NamedTensor down, long[] shape, float scale)
    {
        var (rows, columns) = (up.Shape[0], down.Elements / down.Shape[0]);
        if (shape.Length < 2 || shape[0] != rows || shape[1] != down.Shape[1] || shape.Skip(1).Aggregate(1L, (product, size) => product * size) != columns)
            return null;
        var (left, right) = (StoredWeights.Tensor(up).to(torch.float32).reshape(rows, -1), StoredWeights.Tensor(down).to(torch.float32).reshape(-1, columns));
        return left.mm(right).mul_(scale).reshape(shape);
    }

    private static torch.Tensor? Whole(NamedTensor difference, long[] shape)
        => difference.Shape.SequenceEqual(shape) ? StoredWeights.Tensor(difference).to(torch.float32) : null;
}
