using System.Globalization;
using System.Text.Json;
using EditorBridge.Planning;

namespace EditorBridge.Generation;

/// <summary>
/// Where a job lies: <c>plan.json</c>, <c>inputs/</c> (frozen frames named <see cref="Before"/> and <see cref="After"/>), <c>state/take-N/</c> (what a killed run
/// goes on from) and <c>takes/N/</c> (latents, clip, sidecar).
/// </summary>
/// <param name="Path">The job's folder.</param>
public sealed record JobFolder(string Path)
{
    /// <summary>Name of the frozen frames before the cut (and of a reference picture).</summary>
    public const string Before = "before";

    /// <summary>Name of the frozen frames after the cut.</summary>
    public const string After = "after";

    /// <summary>The plan's file.</summary>
    public string PlanFile => System.IO.Path.Combine(Path, "plan.json");

    /// <summary>Frozen inputs.</summary>
    public string Inputs => System.IO.Path.Combine(Path, "inputs");

    /// <summary>What a killed run of a take goes on from; removed when the take is finished.</summary>
    public string State(int take) => System.IO.Path.Combine(Path, "state", string.Create(CultureInfo.InvariantCulture, $"take-{take}"));

    /// <summary>What a take leaves behind.</summary>
    public string Take(int take) => System.IO.Path.Combine(Path, "takes", take.ToString(CultureInfo.InvariantCulture));

    /// <summary>Final latents of a take's window.</summary>
    public string Latents(int take, int window) =>
        System.IO.Path.Combine(Take(take), window == 0 ? "latents.safetensors" : string.Create(CultureInfo.InvariantCulture, $"latents-{window}.safetensors"));

    /// <summary>Reads the plan.</summary>
    /// <exception cref="GenerationException">There is none, or it is damaged.</exception>
    public Plan ReadPlan()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(PlanFile), PlanningJson.Default.Plan)
                ?? throw new GenerationException("plan_damaged", $"The plan '{PlanFile}' is empty; submit the job again.");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new GenerationException("plan_damaged", $"The plan '{PlanFile}' cannot be read ({error.Message.TrimEnd('.')}); submit the job again.", error);
        }
    }

    /// <summary>Writes the plan and makes the folders.</summary>
    public void WritePlan(Plan plan)
    {
        Directory.CreateDirectory(Inputs);
        var temporary = PlanFile + ".tmp";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(plan, PlanningJson.Default.Plan));
        File.Move(temporary, PlanFile, overwrite: true);
    }
}
