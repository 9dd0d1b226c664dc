using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Weights;

/// <summary>Copies of a network's large weights on a device for as long as it is that network's turn there.</summary>
internal sealed class DeviceStay : IDisposable
{
    private readonly IReadOnlyList<StoredWeight> weights;
    private readonly Device device;

    /// <summary>Begins with nothing on the device.</summary>
    /// <param name="network">The network; its weights are in their file.</param>
    /// <param name="device">Where it computes.</param>
    public DeviceStay(nn.Module network, Device device)
    {
        weights = [.. network.modules().OfType<IStoredLayer>().Select(layer => layer.Stored).OfType<StoredWeight>()];
        this.device = device;
    }

    /// <summary>Whether the weights are on the device.</summary>
    public bool Here { get; private set; }

    /// <summary>How often they went there.</summary>
    public int Placements { get; private set; }

    /// <summary>Copies the weights to the device unless they are there.</summary>
    public void Begin()
    {
        if (Here)
            return;
        try
        {
            foreach (var weight in weights)
            {
                using var scope = NewDisposeScope();
                weight.Near = weight.Far().to(device, copy: true).DetachFromDisposeScope();
            }
        }
        catch
        {
            Leave();
            throw;
        }

        Here = true;
        Placements++;
    }

    /// <summary>Gives their room on the device back.</summary>
    public void Leave()
    {
        foreach (var weight in weights)
        {
            weight.Near?.Dispose();
            weight.Near = null;
        }

        Here = false;
    }

    /// <inheritdoc/>
    public void Dispose() => Leave();
}
