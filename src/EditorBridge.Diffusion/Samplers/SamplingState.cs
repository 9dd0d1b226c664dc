using System.Globalization;
using EditorBridge.Diffusion.Caching;
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
    private const string CachePrefix = "cache.";

    /// <summary>What the run's step cache remembers; null for runs without one.</summary>
    public StepCacheState? Cache { get; init; }

    /// <summary>Passes computed so far.</summary>
    public int ComputedPasses { get; init; }

    /// <summary>Steps so far in which a pass was computed.</summary>
    public int ComputedSteps { get; init; }

    /// <summary>Writes the state to one safetensors file.</summary>
    /// <param name="path">Replaced as a whole.</param>
    public void Write(string path)
    {
        var tensors = Sampler.Tensors.ToDictionary(pair => HistoryPrefix + pair.Key, pair => pair.Value);
        tensors[LatentsName] = Latents;
        var metadata = new Dictionary<string, string>
        {
            ["sampler"] = Sampler.Sampler,
            ["index"] = Sampler.Index.ToString(CultureInfo.InvariantCulture),
            ["computed_passes"] = ComputedPasses.ToString(CultureInfo.InvariantCulture),
            ["computed_steps"] = ComputedSteps.ToString(CultureInfo.InvariantCulture),
        };
        if (Cache is not null)
        {
            metadata["cache"] = Cache.Cache;
            foreach (var (name, number) in Cache.Numbers)
                metadata[CachePrefix + name] = number.ToString("R", CultureInfo.InvariantCulture);
            foreach (var (name, tensor) in Cache.Tensors)
                tensors[CachePrefix + name] = tensor;
        }

        WeightSaver.Save(tensors, path, metadata: metadata);
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
        return new SamplingState(Copy(LatentsName), new SamplerState(sampler, index, tensors))
        {
            Cache = metadata.TryGetValue("cache", out var cache) ? new StepCacheState(cache, Numbers(), Cached()) : null,
            ComputedPasses = Count("computed_passes"),
            ComputedSteps = Count("computed_steps"),
        };

        Dictionary<string, double> Numbers() => metadata.Where(pair => pair.Key.StartsWith(CachePrefix, StringComparison.Ordinal)).ToDictionary(
            pair => pair.Key[CachePrefix.Length..],
            pair => double.TryParse(pair.Value, CultureInfo.InvariantCulture, out var number) ? number : throw new InvalidDataException($"'{path}' has '{pair.Value}' for {pair.Key}."),
            StringComparer.Ordinal);

        Dictionary<string, Tensor> Cached() => file.Tensors.Keys.Where(name => name.StartsWith(CachePrefix, StringComparison.Ordinal))
            .ToDictionary(name => name[CachePrefix.Length..], Copy, StringComparer.Ordinal);

        int Count(string name) => metadata.TryGetValue(name, out var number) && int.TryParse(number, CultureInfo.InvariantCulture, out var count) ? count : 0;

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
        Cache?.Dispose();
    }
}
