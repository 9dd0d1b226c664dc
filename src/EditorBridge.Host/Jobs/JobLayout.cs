using System.Globalization;
using System.Text.Json;
using EditorBridge.Planning;

namespace EditorBridge.Host.Jobs;

/// <summary>Where things lie in a job's folder, which the worker knows as well (EditorBridge.Generation, JobFolder).</summary>
internal sealed record JobLayout(string Folder)
{
    /// <summary>Name of the frozen frames before the cut, and of a reference picture.</summary>
    public const string Before = "before";

    /// <summary>Name of the frozen frames after the cut.</summary>
    public const string After = "after";

    /// <summary>Name of <see cref="Cache"/>.</summary>
    public const string CacheName = "cache";

    /// <summary>The plan.</summary>
    public string PlanFile => Path.Combine(Folder, "plan.json");

    /// <summary>Frozen inputs.</summary>
    public string Inputs => Path.Combine(Folder, "inputs");

    /// <summary>What the worker goes on from.</summary>
    public string State => Path.Combine(Folder, "state");

    /// <summary>What the worker leaves behind of a take, counted from 1.</summary>
    public string Take(int number) => Path.Combine(Folder, "takes", number.ToString(CultureInfo.InvariantCulture));

    /// <summary>The published clip of a take, counted from 1.</summary>
    public string Clip(int number) => Path.Combine(Folder, "clips", number.ToString(CultureInfo.InvariantCulture));

    /// <summary>What can be made again from the rest and may go at any time: frames laid out as pixels.</summary>
    public string Cache => Path.Combine(Folder, CacheName);

    /// <summary>Writes the plan, if it is not there.</summary>
    public void WritePlan(string planJson)
    {
        Directory.CreateDirectory(Inputs);
        if (File.Exists(PlanFile)) return;
        var temporary = PlanFile + ".tmp";
        File.WriteAllText(temporary, planJson);
        File.Move(temporary, PlanFile, overwrite: true);
    }

    /// <summary>Reads a plan as the row has it.</summary>
    public static Plan ReadPlan(string planJson) =>
        JsonSerializer.Deserialize(planJson, PlanningJson.Default.Plan) ?? throw new JsonException("The plan is empty.");
}
