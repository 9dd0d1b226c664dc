using EditorBridge.Diffusion.Native;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Networks;
using TorchSharp;

namespace EditorBridge.Diffusion.Weights;

/// <summary>Fills modules from checkpoints by name.</summary>
public static class WeightLoader
{
    /// <summary>Makes a network and gives it the weights of a checkpoint, which may be disposed afterwards: what is mapped stays mapped with the network.</summary>
    /// <typeparam name="T">The network's type.</typeparam>
    /// <param name="make">Makes the network.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="rename">As for <see cref="LoadParts"/>.</param>
    /// <param name="device">Where it computes; the CPU when not given.</param>
    /// <param name="placement">Where large weights are kept; when not given, unpacked in memory where they are few, otherwise as stored.</param>
    /// <exception cref="InvalidDataException">A key is missing, left over or of another shape; the message names them.</exception>
    public static T Make<T>(Func<T> make, INamedTensors weights, Func<string, IReadOnlyList<string>> rename, torch.Device? device, WeightPlacement? placement)
        where T : torch.nn.Module
    {
        var (place, where) = (placement ?? NewWeights.PlacementOf(weights), device ?? torch.CPU);
        if (place == WeightPlacement.Unpacked)
        {
            var unpacked = make();
            unpacked.to(where);
            LoadParts(unpacked, weights, rename);
            return unpacked;
        }

        LargePieces.GoBackWhenFreed();
        using var noGrad = torch.no_grad();
        using var staying = NewWeights.StayInFile(where);
        var network = make();
        LoadParts(network, weights, rename);
        if (place == WeightPlacement.AsStored && where.type != DeviceType.CPU)
            foreach (var layer in network.modules().OfType<IStoredLayer>())
                using (var mapped = layer.Stored)
                    layer.Stored = mapped?.CopyTo(where);
        return network;
    }

    /// <summary>
    /// Copies every tensor of a checkpoint into the module, converting to the module's type and device; what the module has no memory for
    /// stays in the file.
    /// </summary>
    /// <param name="module">Names of its parameters and persistent buffers are the keys.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="rename">From the checkpoint's key to the module's, null for a key to be left out; identity when not given.</param>
    /// <exception cref="InvalidDataException">A key is missing, left over or of another shape; the message names them.</exception>
    public static void Load(torch.nn.Module module, INamedTensors weights, Func<string, string?>? rename = null)
        => LoadParts(module, weights, key => (rename is null ? key : rename(key)) is { } name ? [name] : []);

    /// <summary>As <see cref="Load(torch.nn.Module, INamedTensors, Func{string, string})"/>, for checkpoints that join what the module keeps apart.</summary>
    /// <param name="module">Names of its parameters and persistent buffers are the keys.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="rename">From the checkpoint's key to the module's: several for a tensor that is split evenly along its first axis, none to leave it out.</param>
    /// <exception cref="InvalidDataException">A key is missing, left over or of another shape (axes of length one in front do not matter); the message names them.</exception>
    public static void LoadParts(torch.nn.Module module, INamedTensors weights, Func<string, IReadOnlyList<string>> rename)
    {
        var wanted = module.state_dict();
        var match = TensorMatch.Of(weights, wanted.ToDictionary(pair => pair.Key, pair => new WantedTensor(pair.Value.shape, pair.Value.is_floating_point())), rename);
        if (match.Problems.Count > 0)
            throw new InvalidDataException($"The weights in '{weights.Path}' do not fit {module.GetName()}: {match.Summary}.");

        using var noGrad = torch.no_grad();
        var layers = module.named_modules().Where(child => child.module is IStoredLayer).ToDictionary(child => child.name + ".weight", child => (IStoredLayer)child.module);
        foreach (var (key, (stored, part, parts)) in match.Found)
        {
            using var scope = torch.NewDisposeScope();
            if (NewWeights.HasNoMemory(wanted[key]))
            {
                layers[key].Stored = StoredWeight.Of(stored, wanted[key].shape, part, parts);
                continue;
            }

            var (target, source) = (wanted[key], StoredWeights.Tensor(stored));
            if (parts > 1)
                source = source.chunk(parts, 0)[part];
            target.copy_(source.view(target.shape)); // The same object comes back: nothing of the module joins the scope.
        }
    }

    /// <summary>Opens a component's weights and fills the module from them.</summary>
    /// <param name="module">Names of its parameters and persistent buffers are the keys.</param>
    /// <param name="path">A weight file, or a folder such as <c>transformer/</c> with one or its shards.</param>
    /// <param name="rename">From the checkpoint's key to the module's, null for a key to be left out; identity when not given.</param>
    /// <exception cref="InvalidDataException">There are no weights, a file is damaged, or a key does not fit.</exception>
    public static void Load(torch.nn.Module module, string path, Func<string, string?>? rename = null)
    {
        using var weights = Checkpoint.Open(path).OrThrow();
        Load(module, weights, rename);
    }
}
