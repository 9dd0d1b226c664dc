using System.Globalization;
using System.Security.Cryptography;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Lora;
using EditorBridge.Planning;

namespace EditorBridge.Generation;

/// <summary>Adds a job's LoRAs to the transformers they are for, and says what had no place.</summary>
internal static class LoraAddition
{
    /// <summary>Adds one.</summary>
    /// <param name="request">The LoRA.</param>
    /// <param name="networks">The model's networks; changed.</param>
    /// <returns>What came of it, a sentence for each transformer.</returns>
    /// <exception cref="GenerationException">It is not there, has changed, or nothing in it fits.</exception>
    public static IEnumerable<string> Add(LoraRequest request, ModelNetworks networks)
    {
        Check(request);
        var opened = LoraFile.Open(request.Path);
        if (!opened.Ok) throw new GenerationException("lora_unusable", opened.Problem);
        using var lora = opened.Value;
        var (file, low) = (Path.GetFileName(request.Path), networks.LowNoiseTransformer);
        // A file may hold layers for the expert for low noise alone.
        if (lora.Layers.Count == 0 && (low is null || request.Expert == LoraExpert.HighNoise))
            throw new GenerationException("lora_unusable", $"The LoRA '{file}' holds layers for the expert for low noise alone; {(low is null ? "use it with a model of two experts" : "leave @high out")}.");
        var notes = new List<string>();
        try
        {
            if (request.Expert != LoraExpert.LowNoise && lora.Layers.Count > 0)
                notes.Add(Describe(request, LoraMerge.Into(networks.Transformer, lora, request.Strength), low is null ? "" : " of the transformer for high noise"));
            if (low is null && lora.LowNoiseLayers.Count > 0)
                notes.Add($"The LoRA '{file}' also holds layers for an expert for low noise, which this model does not have: {Some([.. lora.LowNoiseLayers.Select(layer => layer.Name)])}.");
            if (low is not null && request.Expert != LoraExpert.HighNoise)
                notes.Add(Describe(request, LoraMerge.Into(low, lora, request.Strength, lowNoise: true), " of the transformer for low noise"));
        }
        catch (InvalidDataException error)
        {
            throw new GenerationException("lora_unusable", error.Message, error);
        }

        return notes;
    }

    private static void Check(LoraRequest request)
    {
        try
        {
            using var stream = File.OpenRead(request.Path);
            if (Convert.ToHexStringLower(SHA256.HashData(stream)) != request.Sha256)
                throw new GenerationException("lora_changed", $"The LoRA '{request.Path}' is another than when the job was planned; submit the job again.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GenerationException("lora_unusable", $"The LoRA '{request.Path}' cannot be read: {error.Message.TrimEnd('.')}.", error);
        }
    }

    private static string Describe(LoraRequest request, LoraReport report, string where)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"The LoRA '{Path.GetFileName(request.Path)}' with strength {request.Strength} changed {report.Changed} weights{where}");
        if (report.ImageOnly.Count > 0) text += $"; this model has no place for pictures, and so none for {Some(report.ImageOnly)}";
        if (report.Unmatched.Count > 0) text += $"; no place was found for {Some(report.Unmatched)}";
        if (report.Misshaped.Count > 0) text += $"; of another shape are {Some(report.Misshaped)}";
        return text + ".";
    }

    private static string Some(IReadOnlyList<string> names)
    {
        const int Most = 20;
        return string.Join(", ", names.Take(Most)) + (names.Count > Most ? string.Create(CultureInfo.InvariantCulture, $" and {names.Count - Most} more") : "");
    }
}
