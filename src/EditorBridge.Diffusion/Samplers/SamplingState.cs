using System.Globalization;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Samplers;

/// <summary>A sampling run between two steps. Owns its tensors.</summary>
/// <param name="Latents">The main sequence.</param>
/// <param name="Sampler">The solver's index and history.</param>
public sealed record SamplingState(Tensor Latents, SamplerState Sampler) : IDisposable
{
    private const string LatentsName = "latents";
    private const string HistoryPrefix = "sampler.";

    /// <summary>Writes the state to one safetensors file.</summary>
    /// <param name="path">Replaced as a whole.</param>
    public void Write(string path)
    {
        var tensors = Sampler.Tensors.ToDictionary(pair => HistoryPrefix + pair.Key, pair => pair.Value);
        tensors[LatentsName] = Latents;
        WeightSaver.Save(tensors, path, metadata: new Dictionary<string, string>
        {
            ["sampler"] = Sampler.Sampler,
            ["index"] = Sampler.Index.ToString(CultureInfo.InvariantCulture),
        });
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged or holds something else.</exception>
    public static SamplingState Read(string path)
    {
        using var file = SafetensorsFile.Open(path).OrThrow();
        var metadata = file.Header.Metadata;
        if (!metadata.TryGetValue("sampler", out var sampler) || !metadata.TryGetValue("index", out var text)
            || !int.TryParse(text, CultureInfo.InvariantCulture, out var index) || !file.Tensors.ContainsKey(LatentsName))
        {
            throw new InvalidDataException($"'{path}' is not a saved sampling state.");
        }

        var tensors = file.Tensors.Keys.Where(name => name.StartsWith(HistoryPrefix, StringComparison.Ordinal))
            .ToDictionary(name => name[HistoryPrefix.Length..], Copy, StringComparer.Ordinal);
        return new SamplingState(Copy(LatentsName), new SamplerState(sampler, index, tensors));

        Tensor Copy(string name)
        {
            using var view = MappedTensors.View(file.Tensors[name]);
            return view.clone().DetachFromDisposeScope();
        }
    }

    /// <summary>A copy on the CPU that belongs to the state.</summary>
    internal static Tensor Copy(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        // What is on the CPU already would share its memory.
        return (tensor.device_type == TorchSharp.DeviceType.CPU ? tensor.clone() : ComputeDevice.ToCpu(tensor)).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Latents.Dispose();
        Sampler.Dispose();
    }
}
