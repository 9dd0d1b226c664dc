using System.Globalization;

namespace EditorBridge.Planning;

/// <summary>
/// Looks once more at memory when a take begins: a plan is made from what the machine has, and by then other programs may hold part of it. What the plan arranged stays
/// wherever it fits.
/// </summary>
public sealed record MemoryCheck
{
    // Estimates are right within this factor: beyond it a job would not end well even if all went in its favour.
    private const double Certain = 1.5;

    /// <summary>The arrangement to use, with what it needs.</summary>
    public required MemoryEstimate Use { get; init; }

    /// <summary>Why the take cannot begin, or null.</summary>
    public PlanRefusal? Refusal { get; init; }

    /// <summary>What is otherwise than planned, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Checks.</summary>
    /// <param name="plan">The stored plan.</param>
    /// <param name="free">Memory that the worker can have now: free, or in its hands already. 0 where it is not known, and on the GPU where the take runs on the CPU.</param>
    /// <param name="onGpu">Whether the take runs on a GPU.</param>
    public static MemoryCheck AtStart(Plan plan, MachineMemory free, bool onGpu)
    {
        var planned = plan.Memory;
        if (planned.Peak == 0) return new() { Use = planned };
        var (use, notes) = (planned, new List<string>());
        if (onGpu != (planned.Arrangement != MemoryArrangement.Cpu) || onGpu && free.Device > 0 && planned.DevicePeak > free.Device)
        {
            // The share that is left to others is theirs already.
            var chosen = MemoryChoice.Choose(plan.Model, plan.Canvas.Size, plan.Windows, plan.Sampling, new MachineMemory(0, onGpu ? free.Device : 0));
            if (onGpu && free.Device > 0)
            {
                if (chosen.Refusal is not null)
                {
                    return new()
                    {
                        Use = planned,
                        Refusal = new("memory_too_small", "model", string.Create(CultureInfo.InvariantCulture,
                            $"'{plan.Model.Name}' needs at least {MemoryChoice.LeastOnDevice(plan) / 1e9:0.0} GB of GPU memory for this job and {free.Device / 1e9:0.0} GB are free now; end other programs that use the GPU and run the job again, or run the host with --device cpu.")),
                    };
                }

                use = chosen.Estimate;
                if (planned.Arrangement != MemoryArrangement.Cpu)
                {
                    notes.Add(string.Create(CultureInfo.InvariantCulture,
                        $"The plan wanted {planned.DevicePeak / 1e9:0.0} GB of GPU memory and {free.Device / 1e9:0.0} GB were free: {Said(plan.Model, use)}, which takes longer."));
                }
            }
            else if (!onGpu)
            {
                use = chosen.Estimate;
                notes.Add("The plan was made for a GPU and the take ran on the CPU, which takes much longer.");
            }
        }

        if (free.Host == 0 || use.Peak <= free.Host) return new() { Use = use, Notes = notes };
        if (use.Peak > Certain * free.Host)
        {
            // Pictures stay whole, and a take the same to the bit, unless it would be refused. The share that is left to others is theirs already.
            if (!onGpu && MemoryChoice.Choose(plan.Model, plan.Canvas.Size, plan.Windows, plan.Sampling, new MachineMemory((long)(free.Host / MemoryChoice.Share))) is { Refusal: null } smaller)
            {
                notes.Add(string.Create(CultureInfo.InvariantCulture,
                    $"The plan wanted {use.Peak / 1e9:0.0} GB of memory and {free.Host / 1e9:0.0} GB were free: pictures were decoded in {MemoryChoice.Tiles(plan.Model, smaller.Estimate.VaeTile)}, which takes longer."));
                return new() { Use = smaller.Estimate, Notes = notes };
            }

            return new()
            {
                Use = use,
                Refusal = new("memory_too_small", "model", string.Create(CultureInfo.InvariantCulture,
                    $"This job needs about {use.Peak / 1e9:0.0} GB of memory and {free.Host / 1e9:0.0} GB are free now; end other programs and run it again, make the clip shorter or smaller, or choose a smaller model.")),
            };
        }

        notes.Add(string.Create(CultureInfo.InvariantCulture, $"When it began {free.Host / 1e9:0.0} GB of memory were free, and it was planned to need about {use.Peak / 1e9:0.0} GB."));
        return new() { Use = use, Notes = notes };
    }

    private static string Said(ModelCapabilities model, MemoryEstimate use)
    {
        var weights = use.Arrangement switch
        {
            MemoryArrangement.InTurns => "the two transformers changed places there",
            MemoryArrangement.Streamed => "the transformer's blocks went through it one by one",
            _ => null,
        };
        var pictures = use.VaeTile > 0 ? $"pictures were decoded in {MemoryChoice.Tiles(model, use.VaeTile)}" : null;
        return string.Join(", and ", ((string?[])[weights, pictures]).OfType<string>());
    }
}
