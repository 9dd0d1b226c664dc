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
        var notes = new List<string>();
        try
        {
            if (request.Expert != LoraExpert.LowNoise)
                notes.Add(Describe(request, LoraMerge.Into(networks.Transformer, lora, request.Strength), networks.LowNoiseTransformer is null ? "" : " of the transformer for high noise"));
            if (networks.LowNoiseTransformer is { } low && request.Expert != LoraExpert.HighNoise)
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
        if (report.ImageOnly.Count > 0) text += string.Create(CultureInfo.InvariantCulture, $"; {report.ImageOnly.Count} parts for pictures have no place in this model");
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
