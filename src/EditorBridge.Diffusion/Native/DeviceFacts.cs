using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Native;

/// <summary>What the choice of a device depends on.</summary>
internal sealed record DeviceFacts
{
    /// <summary>The folder of libtorch.</summary>
    public required string Folder { get; init; }

    /// <summary>Whether libtorch's CUDA part is loaded.</summary>
    public bool CudaBuild { get; init; }

    /// <summary>Why that part, which is there, does not load; "" else.</summary>
    public string CudaProblem { get; init; } = "";

    /// <summary>GPUs that answer.</summary>
    public int CudaCount { get; init; }

    /// <summary>Whether Metal answers.</summary>
    public bool MpsAnswers { get; init; }

    /// <summary>Computes something on a device; null when that worked, else why not.</summary>
    public Func<Device, string?> Attempt { get; init; } = SmallProduct;

    /// <summary>The facts of this process and machine. libtorch is loaded.</summary>
    public static DeviceFacts OfThisMachine() => new()
    {
        Folder = NativeTorch.Folder,
        CudaBuild = NativeTorch.HasCuda,
        CudaProblem = NativeTorch.CudaProblem,
        // Not asked without the library: TorchSharp would go and look for one among downloaded packages.
        CudaCount = NativeTorch.HasCuda && cuda.is_available() ? cuda.device_count() : 0,
        MpsAnswers = OperatingSystem.IsMacOS() && mps_is_available(),
    };

    // A driver too old for the library, or a GPU it has no code for, shows itself at the first kernel only.
    private static string? SmallProduct(Device device)
    {
        try
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var product = mm(ones(8, 8, device: device), ones(8, 8, device: device)).sum().to(CPU).item<float>();
            return product == 512 ? null : $"the sum of a product came out as {product} instead of 512";
        }
        catch (Exception e) when (e is ExternalException or InvalidOperationException or NotSupportedException)
        {
            return e.Message.Split('\n', 2)[0].Trim().TrimEnd('.');
        }
    }
}
