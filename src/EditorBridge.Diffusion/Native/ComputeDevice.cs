using System.Globalization;
using EditorBridge.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Native;

/// <summary>
/// Where networks compute. Everything that loads a network asks here, once: weights and latents live on the device, pictures, noise and whatever is
/// saved on the CPU.
/// </summary>
public sealed record ComputeDevice
{
    internal ComputeDevice(Device device, string note = "")
    {
        Device = device;
        Note = note;
    }

    /// <summary>The CPU.</summary>
    public static ComputeDevice Cpu { get; } = new(CPU);

    /// <summary>The device to torch.</summary>
    public Device Device { get; }

    /// <summary>Its name, as it can be asked for: <c>cpu</c>, <c>cuda:0</c>, <c>mps</c>.</summary>
    public string Name => Device.type == DeviceType.CUDA ? string.Create(CultureInfo.InvariantCulture, $"cuda:{Device.index}") : Device.type.ToString().ToLowerInvariant();

    /// <summary>Why <c>auto</c> did not take a GPU that might have been meant, for people to read; "" when there is nothing to say.</summary>
    public string Note { get; }

    /// <summary>Loads libtorch, chooses the device and tries it with a small computation.</summary>
    /// <param name="asked"><c>auto</c> (a CUDA GPU if one works, else the CPU), <c>cpu</c>, <c>cuda</c> (the first GPU), <c>cuda:N</c> or <c>mps</c>.</param>
    /// <returns>The device, or one sentence that names it, says why it cannot be used and what to do.</returns>
    public static ReadResult<ComputeDevice> Choose(string asked)
    {
        try
        {
            NativeTorch.Load();
        }
        catch (DllNotFoundException e)
        {
            return ReadResult<ComputeDevice>.Failed(e.Message);
        }

        var choice = Choose(asked, DeviceFacts.OfThisMachine());
        if (choice.Value?.Device.type == DeviceType.CUDA)
        {
            // Products of 10-bit mantissas in place of float32 would not be comparable with another device's; cuDNN has them on by default.
            backends.cuda.matmul.allow_tf32 = false;
            backends.cudnn.allow_tf32 = false;
        }

        return choice;
    }

    /// <summary>Waits until the device has done what it was given: a GPU works on after the call that began it has returned.</summary>
    public void Synchronize()
    {
        if (Device.type == DeviceType.CUDA)
            cuda.synchronize(Device);
        // The binding has no such call for Metal; reading a number waits as well.
        else if (Device.type == DeviceType.MPS)
            _ = zeros(1, device: Device).item<float>();
    }

    /// <summary>Bytes of its own memory that are free; null where it has none, or its driver does not say.</summary>
    public long? FreeMemory() => Device.type == DeviceType.CUDA ? CudaMemory.Free() : null;

    /// <summary>A tensor's values on the CPU, for pictures and files.</summary>
    /// <param name="tensor">On any device.</param>
    /// <returns>A new tensor; on the CPU already, it shares its memory with <paramref name="tensor"/>.</returns>
    public static Tensor ToCpu(Tensor tensor) => tensor.to(CPU);

    internal static ReadResult<ComputeDevice> Choose(string asked, DeviceFacts facts)
    {
        ReadResult<ComputeDevice> Refused(string why) => ReadResult<ComputeDevice>.Failed($"The device '{asked}' cannot be used: {why}.");
        switch (asked.Split(':'))
        {
            case ["cpu"]:
                return ReadResult<ComputeDevice>.Of(Cpu);
            case ["mps"]:
                return Usable(new Device(DeviceType.MPS), MpsProblem(facts), facts, out var metal) ? ReadResult<ComputeDevice>.Of(metal) : Refused(metal.Note);
            case ["auto"]:
                var gpu = new Device(DeviceType.CUDA, 0);
                if (Usable(gpu, CudaProblem(facts, 0), facts, out var found))
                    return ReadResult<ComputeDevice>.Of(found);
                // A build without CUDA was never meant for one.
                return ReadResult<ComputeDevice>.Of(facts.CudaBuild || facts.CudaProblem.Length > 0 ? new ComputeDevice(CPU, $"not on a GPU, because {found.Note}") : Cpu);
            case ["cuda", .. var rest] when rest.Length == 0 || rest.Length == 1 && int.TryParse(rest[0], NumberStyles.None, CultureInfo.InvariantCulture, out _):
                var index = rest.Length == 0 ? 0 : int.Parse(rest[0], CultureInfo.InvariantCulture);
                return Usable(new Device(DeviceType.CUDA, index), CudaProblem(facts, index), facts, out var named) ? ReadResult<ComputeDevice>.Of(named) : Refused(named.Note);
            default:
                return ReadResult<ComputeDevice>.Failed($"'{asked}' is not a device; devices are auto, cpu, cuda, cuda:N (GPU number N, from 0) and mps.");
        }
    }

    // The device, or in its note why not.
    private static bool Usable(Device device, string? problem, DeviceFacts facts, out ComputeDevice result)
    {
        problem ??= facts.Attempt(device) is { } failed ? $"a first computation on it failed ({failed}); update the GPU's driver, or choose the device cpu" : null;
        result = new ComputeDevice(device, problem ?? "");
        return problem is null;
    }

    private static string? CudaProblem(DeviceFacts facts, int index) => facts switch
    {
        { CudaProblem.Length: > 0 } => $"the CUDA part of the libtorch in '{facts.Folder}' does not load ({facts.CudaProblem}); {OtherLibtorch}",
        { CudaBuild: false } => $"the libtorch in '{facts.Folder}' is built for the CPU only; {OtherLibtorch}",
        { CudaCount: 0 } => "no NVIDIA GPU answers; see whether nvidia-smi lists one and what CUDA_VISIBLE_DEVICES says, or choose the device cpu",
        _ when index >= facts.CudaCount => facts.CudaCount == 1
            ? "there is one GPU, cuda:0; choose that"
            : $"there are {facts.CudaCount} GPUs, cuda:0 to cuda:{facts.CudaCount - 1}; choose one of them",
        _ => null,
    };

    private static string? MpsProblem(DeviceFacts facts) =>
        facts.MpsAnswers ? null : "Metal does not answer, which needs an Apple computer; choose the device cpu";

    private static string OtherLibtorch =>
        $"build with -p:LibtorchFlavor=cuda, or set {NativeTorch.FolderVariable} to the 'lib' folder of a CUDA libtorch {NativeTorch.Expected}, or choose the device cpu";
}
