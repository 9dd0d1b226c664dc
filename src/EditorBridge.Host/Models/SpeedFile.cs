using System.Text.Json;
using EditorBridge.Planning;

namespace EditorBridge.Host.Models;

/// <summary>What is known of this machine's speed with each model, kept across restarts. Figures of another kind of machine are harmless: the next run puts them right.</summary>
/// <remarks>Kept for each setting of the device: a GPU and a CPU are two orders of magnitude apart.</remarks>
internal sealed class SpeedFile(DataFolder folder, HostOptions options, ILogger<SpeedFile> log)
{
    private readonly Lock _gate = new();

    /// <summary>What is known for the model with that hash.</summary>
    public SpeedFigures Of(string modelHash)
    {
        lock (_gate) return Read().TryGetValue(Key(modelHash), out var figures) ? figures : SpeedFigures.Unknown;
    }

    /// <summary>Remembers a probe, unless something better is known.</summary>
    public void Probed(string modelHash, double matrixFlops)
    {
        lock (_gate)
        {
            var all = Read();
            if (all.TryGetValue(Key(modelHash), out var known) && known.Basis == TimeBasis.Measured) return;
            all[Key(modelHash)] = SpeedFigures.FromProbe(matrixFlops);
            Write(all);
        }
    }

    /// <summary>Remembers a finished run: the mean of it and what was known, so that one run beside other work does not count for all.</summary>
    public void Measured(string modelHash, double transformerFlops, double vaeFlops)
    {
        lock (_gate)
        {
            var all = Read();
            all[Key(modelHash)] = all.TryGetValue(Key(modelHash), out var known) && known.Basis == TimeBasis.Measured
                ? new SpeedFigures(TimeBasis.Measured,
                    (known.TransformerFlopsPerSecond + transformerFlops) / 2, (known.VaeFlopsPerSecond + vaeFlops) / 2)
                : new SpeedFigures(TimeBasis.Measured, transformerFlops, vaeFlops);
            Write(all);
        }
    }

    private string Key(string modelHash) => $"{modelHash} {options.Device}";

    private Dictionary<string, SpeedFigures> Read()
    {
        try
        {
            return File.Exists(folder.SpeedFile)
                ? JsonSerializer.Deserialize<Dictionary<string, SpeedFigures>>(File.ReadAllBytes(folder.SpeedFile)) ?? []
                : [];
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            log.LogWarning("{File} cannot be read and is made anew: {Why}", folder.SpeedFile, e.Message);
            return [];
        }
    }

    private void Write(Dictionary<string, SpeedFigures> all)
    {
        try
        {
            var temporary = folder.SpeedFile + ".tmp";
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(all));
            File.Move(temporary, folder.SpeedFile, overwrite: true);
        }
        catch (IOException e)
        {
            log.LogWarning("{File} cannot be written: {Why}", folder.SpeedFile, e.Message);
        }
    }
}
