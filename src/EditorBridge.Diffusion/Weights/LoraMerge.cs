using System.Diagnostics.CodeAnalysis;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Lora;
using EditorBridge.Models.Networks;
using TorchSharp;

namespace EditorBridge.Diffusion.Weights;

/// <summary>
/// Adds LoRAs to the weights of a transformer that has been loaded. Weights in memory are changed; those that stay in their file have it added
/// wherever they are used.
/// </summary>
public static class LoraMerge
{
    private static readonly string[] ImageParts = ["img", "image_embedder", "add_k_proj", "add_v_proj", "norm_added_k"];

    /// <summary>Adds one LoRA. Several add up in the order of the calls.</summary>
    /// <param name="network">The transformer.</param>
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

        var layers = network.named_modules().Where(child => child.module is IStoredLayer { Stored: not null })
            .ToDictionary(child => child.name + ".weight", child => ((IStoredLayer)child.module).Stored!);

        var (changed, imageOnly, unmatched, misshaped) = (0, new List<string>(), new List<string>(), new List<string>());
        unmatched.AddRange(lora.Unread);
        using var noGrad = torch.no_grad();
        foreach (var layer in lowNoise && lora.LowNoiseLayers.Count > 0 ? lora.LowNoiseLayers : lora.Layers)
        {
            bool HasPlace(NamedTensor from, [NotNullWhen(true)] string? place)
            {
                if (place is null)
                    (ImageParts.Any(part => from.Name.Contains(part, StringComparison.Ordinal)) ? imageOnly : unmatched).Add(from.Name);
                return place is not null;
            }

            void Done(NamedTensor from, string place, bool fits)
            {
                if (fits)
                    changed++;
                else
                    misshaped.Add($"'{from.Name}' is [{string.Join(", ", from.Shape)}], '{place}' is [{string.Join(", ", weights[place].shape)}]");
            }

            var weight = places.GetValueOrDefault(Plain(layer.Name) + "_weight");
            using var scope = torch.NewDisposeScope();
            if (layer is { Down: { } down, Up: { } up } && HasPlace(down, weight))
            {
                var fits = Fit(up, down, weights[weight].shape);
                Done(down, weight, fits);
                if (fits)
                    AddProduct(weights[weight], layers.GetValueOrDefault(weight), up, down, strength * ((layer.Alpha ?? layer.Rank) / layer.Rank));
            }
            if (layer.Difference is { } whole)
                AddWhole(whole, weight ?? places.GetValueOrDefault(Plain(layer.Name)));
            if (layer.BiasDifference is { } bias)
                AddWhole(bias, places.GetValueOrDefault(Plain(layer.Name) + "_bias"));

            void AddWhole(NamedTensor from, string? place)
            {
                if (!HasPlace(from, place))
                    return;
                var fits = from.Shape.SequenceEqual(weights[place].shape);
                Done(from, place, fits);
                if (fits && layers.GetValueOrDefault(place) is { } stored)
                    stored.Add(StoredWeight.Of(from, weights[place].shape), strength);
                else if (fits)
                    Change(weights[place], StoredWeights.Tensor(from).to(torch.float32), strength);
            }
        }

        if (changed == 0)
            throw new InvalidDataException(
                $"The LoRA '{lora.Path}' was made for another network: nothing in it fits {network.GetName()}. "
                + string.Join("; ", misshaped.Concat(unmatched.Concat(imageOnly).Select(key => $"'{key}' has no place")).Take(5)) + ".");
        return new LoraReport { Changed = changed, ImageOnly = imageOnly, Unmatched = unmatched, Misshaped = misshaped };
    }

    private static string Plain(string key) => key.Replace('.', '_');

    // Convolutions too: [out, rank, 1, 1, 1] and [rank, in, 1, 2, 2] multiply as matrices.
    private static bool Fit(NamedTensor up, NamedTensor down, long[] shape)
        => shape.Length >= 2 && shape[0] == up.Shape[0] && shape[1] == down.Shape[1]
            && shape.Skip(1).Aggregate(1L, (product, size) => product * size) == down.Elements / down.Shape[0];

    private static void AddProduct(torch.Tensor weight, StoredWeight? stored, NamedTensor up, NamedTensor down, double factor)
    {
        var left = StoredWeights.Tensor(up).to(torch.float32).reshape(up.Shape[0], -1);
        var right = StoredWeights.Tensor(down).to(torch.float32).reshape(-1, down.Elements / down.Shape[0]);
        if (stored is null)
            Change(weight, left.mm(right).reshape(weight.shape), factor);
        else
            stored.Add(left, right, factor);
    }

    // In float32 even where the weights are shorter, so that they are rounded once.
    private static void Change(torch.Tensor weight, torch.Tensor difference, double factor)
        => weight.copy_(weight.to(torch.float32).add(difference.to(weight.device), factor));
}
