using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Safetensors;
using TorchSharp;

namespace EditorBridge.Diffusion.Weights;

/// <summary>Writes modules and tensors to safetensors.</summary>
public static class WeightSaver
{
    /// <summary>Writes a module's parameters and persistent buffers under their names.</summary>
    /// <param name="module">The network.</param>
    /// <param name="path">The file; replaced as a whole.</param>
    /// <param name="type">Type to store floating point tensors in; their own when not given.</param>
    /// <param name="metadata">Free text pairs.</param>
    public static void Save(torch.nn.Module module, string path, torch.ScalarType? type = null, IReadOnlyDictionary<string, string>? metadata = null)
        => Save(module.state_dict(), path, type, metadata);

    /// <summary>Writes named tensors.</summary>
    /// <param name="tensors">On any device.</param>
    /// <param name="path">The file; replaced as a whole.</param>
    /// <param name="type">Type to store floating point tensors in; their own when not given.</param>
    /// <param name="metadata">Free text pairs.</param>
    public static void Save(
        IReadOnlyDictionary<string, torch.Tensor> tensors, string path, torch.ScalarType? type = null, IReadOnlyDictionary<string, string>? metadata = null)
        => SafetensorsWriter.Write(path, tensors.Select(pair => Source(pair.Key, pair.Value, type)), metadata);

    private static SafetensorsSource Source(string name, torch.Tensor tensor, torch.ScalarType? type)
    {
        var stored = type is { } wanted && tensor.is_floating_point() ? wanted : tensor.dtype;
        return new(name, Type(stored), tensor.shape, stream => Write(stream, tensor, stored));
    }

    private static unsafe void Write(Stream stream, torch.Tensor tensor, torch.ScalarType stored)
    {
        using var noGrad = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var plain = tensor.detach().to(torch.CPU).to(stored).contiguous();
        var bytes = plain.numel() * plain.element_size();
        var address = (byte*)MappedTensors.THSTensor_data(plain.Handle);
        const int Piece = 1 << 26; // Spans end at 2 GiB.
        for (long at = 0; at < bytes; at += Piece)
            stream.Write(new ReadOnlySpan<byte>(address + at, (int)Math.Min(Piece, bytes - at)));
    }

    private static TensorType Type(torch.ScalarType type)
    {
        foreach (var candidate in Enum.GetValues<TensorType>())
        {
            if (candidate.IsBlocked() || candidate is TensorType.U16 or TensorType.U32 or TensorType.U64 or TensorType.F8E8M0)
                continue;
            if (MappedTensors.ScalarType(candidate) == type)
                return candidate;
        }
        throw new NotSupportedException($"Tensors of type {type} cannot be written to safetensors.");
    }
}
