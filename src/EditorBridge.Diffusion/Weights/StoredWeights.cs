using EditorBridge.Models.Checkpoints;
using TorchSharp;

namespace EditorBridge.Diffusion.Weights;

/// <summary>Stored weights as tensors, whatever they are packed in.</summary>
public static class StoredWeights
{
    /// <summary>A view of the mapped bytes where they are the values, otherwise an unpacked copy; on the CPU.</summary>
    /// <param name="stored">The weights.</param>
    /// <param name="unpacked">Type of a copy: float32 or bfloat16.</param>
    public static torch.Tensor Tensor(NamedTensor stored, torch.ScalarType unpacked = torch.ScalarType.Float32)
        => stored.IsPlain ? MappedTensors.View(stored) : Unpack(stored, unpacked);

    private static unsafe torch.Tensor Unpack(NamedTensor stored, torch.ScalarType type)
    {
        if (type is not (torch.ScalarType.Float32 or torch.ScalarType.BFloat16))
            throw new NotSupportedException($"Weights are unpacked to float32 or bfloat16, not to {type}.");
        var tensor = torch.empty(stored.Shape.ToArray(), dtype: type);
        var data = MappedTensors.THSTensor_data(tensor.Handle);
        const int Piece = 1 << 16; // a multiple of every block, small enough to spread over the cores
        Parallel.For(0, (stored.Elements + Piece - 1) / Piece, index =>
        {
            var first = index * Piece;
            var length = (int)Math.Min(Piece, stored.Elements - first);
            if (type == torch.ScalarType.Float32)
                stored.Read(first, new Span<float>((float*)data + first, length));
            else
                stored.ReadBFloat16(first, new Span<ushort>((ushort*)data + first, length));
        });
        return tensor;
    }
}
