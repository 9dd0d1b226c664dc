using EditorBridge.Diffusion.Images;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>The networks of a model, filled from its files.</summary>
internal sealed class ModelNetworks : IDisposable
{
    private readonly List<nn.Module> all = [];

    private ModelNetworks()
    {
    }

    public UMT5Encoder TextEncoder { get; private set; } = null!;

    public WanTransformer Transformer { get; private set; } = null!;

    public WanTransformer? LowNoiseTransformer { get; private set; }

    public WanVideoVae Vae { get; private set; } = null!;

    public ClipVisionTower? ImageEncoder { get; private set; }

    /// <summary>Loads them one after the other.</summary>
    /// <param name="parts">Where they lie.</param>
    /// <param name="device">Where they go.</param>
    /// <param name="arrangement">Where the transformers' weights are; null where they suit the device.</param>
    /// <exception cref="InvalidDataException">A file cannot be used, or the networks do not go together.</exception>
    public static ModelNetworks Load(ModelParts parts, Device device, MemoryArrangement? arrangement = null)
    {
        var networks = new ModelNetworks();
        try
        {
            networks.Fill(parts, device, PlacementOf(arrangement));
            return networks;
        }
        catch
        {
            networks.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => all.ForEach(network => network.Dispose());

    private void Fill(ModelParts parts, Device device, WeightPlacement? placement)
    {
        TextEncoder = Made(parts.TextEncoder, parts.Layout, NetworkSizes.TextEncoder, (sizes, weights) => UMT5Encoder.Load(sizes, weights, device));
        Transformer = OfTransformer(parts.Transformer, parts.Layout, device, placement);
        if (parts.LowNoiseTransformer is { } low) LowNoiseTransformer = OfTransformer(low, parts.Layout, device, placement);
        Vae = Made(parts.Vae, parts.Layout, NetworkSizes.Vae, (sizes, weights) => WanVideoVae.Load(sizes, weights, device));
        if (parts.ImageEncoder is { } image)
            ImageEncoder = Made(image, parts.Layout, NetworkSizes.ImageEncoder, (sizes, weights) => ClipVisionTower.Load(sizes, weights, device));
        Match();
        foreach (var network in all)
        {
            network.eval();
            foreach (var parameter in network.parameters())
            {
                parameter.requires_grad = false;
                // The weights outlive whatever scope the caller has open.
                parameter.DetachFromDisposeScope();
            }

            foreach (var buffer in network.buffers()) buffer.DetachFromDisposeScope();
        }
    }

    private void Match()
    {
        var (main, low) = (Transformer.Config, LowNoiseTransformer?.Config);
        if (main.OutChannels != Vae.Config.ZDim || main.TextDim != TextEncoder.Config.DModel)
            throw new InvalidDataException("its networks do not go together: latent channels or text width differ");
        if (low is not null && (low.InChannels, low.OutChannels, low.TextDim, low.TextLen) != (main.InChannels, main.OutChannels, main.TextDim, main.TextLen))
            throw new InvalidDataException("its two transformers do not go together: their channels or text width differ");
        if (main.ImageDim is { } width && ImageEncoder is not null && ImageEncoder.Config.HiddenSize != width)
            throw new InvalidDataException($"its image encoder is {ImageEncoder.Config.HiddenSize} wide, the transformer takes {width}");
    }

    private static WeightPlacement? PlacementOf(MemoryArrangement? arrangement) => arrangement switch
    {
        MemoryArrangement.Resident => WeightPlacement.AsStored,
        MemoryArrangement.InTurns => WeightPlacement.InTurns,
        MemoryArrangement.Streamed => WeightPlacement.Streamed,
        _ => null,
    };

    // Few weights are unpacked in any arrangement.
    private WanTransformer OfTransformer(string path, ModelLayout layout, Device device, WeightPlacement? placement) =>
        Made(path, layout, NetworkSizes.Transformer, (sizes, weights) => WanTransformer.Load(
            sizes, weights, device, weights.Tensors.Values.Sum(tensor => tensor.Elements) < NamedTensor.FewValues ? null : placement));

    private TNetwork Made<TSizes, TNetwork>(string path, ModelLayout layout, Func<string, ModelLayout, ReadResult<TSizes>> read, Func<TSizes, INamedTensors, TNetwork> load)
        where TSizes : class
        where TNetwork : nn.Module
    {
        using var weights = Checkpoint.Open(path).OrThrow();
        var network = load(read(path, layout).OrThrow(), weights);
        all.Add(network);
        return network;
    }
}
