using EditorBridge.Models.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Weights;

/// <summary>Makes the parameters of networks: with memory of their own, or, for large ones that stay in their file, with a shape alone.</summary>
internal static class NewWeights
{
    [ThreadStatic]
    private static Device? place;

    /// <summary>Until disposed, large parameters made on this thread have no memory (torch's meta device) and small ones lie on a device.</summary>
    public static IDisposable StayInFile(Device device) => new Scope(device);

    /// <summary>A parameter that may stay in its file: the weight of an <see cref="IStoredLayer"/>.</summary>
    /// <param name="shape">Its sizes.</param>
    /// <param name="zero">Whether it is filled with zeros or left as memory comes.</param>
    public static Parameter Large(long[] shape, bool zero = true)
        => new(place is not null ? empty(shape, device: META) : zero ? zeros(shape) : empty(shape));

    /// <summary>A parameter that is always in memory.</summary>
    /// <param name="initial">Its values; owned by the result.</param>
    public static Parameter Small(Tensor initial)
    {
        if (place is null || place.type == DeviceType.CPU)
            return new(initial);
        using (initial)
            return new(initial.to(place));
    }

    /// <summary>Whether a parameter has a shape alone.</summary>
    public static bool HasNoMemory(Tensor parameter) => parameter.device_type == DeviceType.META;

    /// <summary>Where weights are best kept when nobody has chosen.</summary>
    public static WeightPlacement PlacementOf(INamedTensors weights)
        => weights.Tensors.Values.Sum(tensor => tensor.Elements) < NamedTensor.FewValues ? WeightPlacement.Unpacked : WeightPlacement.AsStored;

    private sealed class Scope : IDisposable
    {
        private readonly Device? before = place;

        public Scope(Device device) => place = device;

        public void Dispose() => place = before;
    }
}
