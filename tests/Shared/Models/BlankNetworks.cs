using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Networks;
using EditorBridge.Models.Safetensors;

namespace EditorBridge.Tests.Models;

/// <summary>Weight files of whole networks whose values do not matter: what looks at headers alone takes them for the real thing.</summary>
internal static class BlankNetworks
{
    /// <summary>Writes a file of float16 values.</summary>
    /// <param name="path">The file; its folder is made.</param>
    /// <param name="tensors">Of <see cref="NetworkTensors"/>.</param>
    /// <param name="name">What to call a tensor; its own name when not given, null to leave it out.</param>
    /// <param name="value">Every byte of every value.</param>
    /// <returns>Number of values in the network.</returns>
    public static long Write(string path, IReadOnlyDictionary<string, WantedTensor> tensors, Func<string, string?>? name = null, byte value = 0)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        SafetensorsWriter.Write(path, [.. tensors.Select(tensor => (Name: name is null ? tensor.Key : name(tensor.Key), tensor.Value.Shape)).Where(tensor => tensor.Name is not null).Select(tensor =>
            new SafetensorsSource(tensor.Name!, TensorType.F16, [.. tensor.Shape], stream => stream.Write(Enumerable.Repeat(value, (int)(2 * Values(tensor.Shape))).ToArray())))]);
        return tensors.Values.Sum(tensor => Values(tensor.Shape));
    }

    private static long Values(IReadOnlyList<long> shape) => shape.Aggregate(1L, (product, size) => product * size);
}
