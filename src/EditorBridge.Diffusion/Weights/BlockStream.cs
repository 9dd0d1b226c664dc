using EditorBridge.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Weights;

/// <summary>
/// Lets the large weights of a network's blocks go through a device one block after the other: there is room for two, and while one computes, the weights of the next
/// are on their way into the other half.
/// </summary>
/// <remarks>On CUDA the copy runs beside the computation, on a queue of its own; elsewhere it follows it, with the same numbers.</remarks>
internal sealed class BlockStream : IDisposable
{
    private readonly IReadOnlyList<IReadOnlyList<StoredWeight>> blocks;
    private readonly Device device;
    private readonly CudaCopies? copies;
    private readonly Dictionary<(int Half, int Place, string Form), (Tensor Near, Tensor? Pinned)> rooms = [];
    private readonly int?[] holds = new int?[2]; // which block's weights are in each half, or on their way there

    /// <summary>Begins with nothing on the device.</summary>
    /// <param name="blocks">The blocks.</param>
    /// <param name="device">Where they compute.</param>
    public BlockStream(IEnumerable<nn.Module> blocks, Device device)
    {
        this.blocks = [.. blocks.Select(block => (IReadOnlyList<StoredWeight>)[.. block.modules().Prepend(block).OfType<IStoredLayer>().Select(layer => layer.Stored).OfType<StoredWeight>()])];
        this.device = device;
        copies = device.type == DeviceType.CUDA ? new CudaCopies() : null;
    }

    /// <summary>Runs a block with its weights on the device.</summary>
    /// <param name="block">Which one.</param>
    /// <param name="next">The one that runs after it.</param>
    /// <param name="compute">Its computation.</param>
    public Tensor Run(int block, int next, Func<Tensor> compute)
    {
        var half = Array.IndexOf(holds, block);
        if (half < 0)
            Bring(block, half = 0);
        copies?.ComputeAfterCopy(half);
        for (var place = 0; place < blocks[block].Count; place++)
            blocks[block][place].Near = Room(half, place, blocks[block][place]).Near;
        try
        {
            var result = compute();
            copies?.Computed(half);
            // The device is busy with what was just queued: the next weights come meanwhile.
            if (Array.IndexOf(holds, next) < 0)
                Bring(next, 1 - half);
            return result;
        }
        finally
        {
            foreach (var weight in blocks[block])
                weight.Near = null;
        }
    }

    /// <summary>Gives the room on the device back, until the next run.</summary>
    public void Release()
    {
        copies?.Wait();
        foreach (var (near, pinned) in rooms.Values)
        {
            near.Dispose();
            pinned?.Dispose();
        }

        rooms.Clear();
        (holds[0], holds[1]) = (null, null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        copies?.Dispose();
    }

    private void Bring(int block, int half)
    {
        using var scope = NewDisposeScope();
        copies?.BeginCopy(half);
        for (var place = 0; place < blocks[block].Count; place++)
        {
            var weight = blocks[block][place];
            var (near, pinned) = Room(half, place, weight);
            if (pinned is null)
            {
                near.copy_(weight.Far());
                continue;
            }

            // Out of the file's pages by the CPU, then to the device by its own means.
            pinned.copy_(weight.Far());
            copies!.Copy(pinned, near);
        }

        copies?.EndCopy(half);
        holds[half] = block;
    }

    private (Tensor Near, Tensor? Pinned) Room(int half, int place, StoredWeight weight)
    {
        var type = weight.FarType;
        var key = (half, place, $"{type} {string.Join(' ', weight.Shape)}");
        if (rooms.TryGetValue(key, out var room))
            return room;
        var near = empty(weight.Shape, dtype: type, device: device).DetachFromDisposeScope();
        using var plain = copies is null ? null : empty(weight.Shape, dtype: type);
        return rooms[key] = (near, plain?.pin_memory().DetachFromDisposeScope());
    }
}
