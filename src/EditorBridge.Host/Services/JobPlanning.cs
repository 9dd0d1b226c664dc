using EditorBridge.Host.Assets;
using EditorBridge.Host.Models;
using EditorBridge.Host.Workers;
using EditorBridge.Planning;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Services;

/// <summary>Makes the plan of a job: reads the request, finds the model, asks the planner.</summary>
internal sealed class JobPlanning(
    FFmpegLocator ffmpeg, KnownMedia known, AssetStore assets, ModelStore models, SpeedFile speed, MachineMemoryReader memory, WorkerSupervisor supervisor, HostOptions options, ILogger<JobPlanning> log)
{
    /// <summary>The plan. What makes sense but cannot be done is in its refusals.</summary>
    /// <param name="spec">The job as the contract has it.</param>
    /// <param name="measure">Whether to wait for the one-second probe when nothing is known of this machine's speed.</param>
    /// <param name="parent">What stands before "spec" in the path of the request's fields, such as "job.".</param>
    /// <param name="cancellation">Ends the planning.</param>
    /// <exception cref="Grpc.Core.RpcException">Fields cannot be used.</exception>
    public async Task<Protocol.V1.Plan> PlanAsync(JobSpec? spec, bool measure, string parent, CancellationToken cancellation)
    {
        var reading = new SpecReading(ffmpeg, known, assets, options, parent);
        var request = await reading.ReadAsync(spec, DrawSeed, cancellation).ConfigureAwait(false);
        var model = models.Find(request.Model);
        if (model is null)
        {
            var known = string.Join(", ", models.All().Select(m => m.Name));
            throw Errors.Invalid(parent + "spec.model", "MODEL_NOT_FOUND", known.Length > 0
                ? $"There is no model {request.Model}; there are {known}."
                : $"There is no model {request.Model}, nor any other; `editorbridge models add PATH` makes one known that lies on this machine.");
        }

        if (model.Capabilities is not { } capabilities)
            throw Errors.Precondition("MODEL_BROKEN", $"The model {model.Name} cannot be used: {model.Problem}", new() { ["model"] = model.Name });
        var figures = speed.Of(capabilities.Hash);
        var plan = Planner.Plan(request, capabilities, figures, memory.Read());
        if (measure && options.MeasureSpeed && figures.Basis == TimeBasis.Unknown && plan.CanRun && plan.Windows.Count > 0 && !options.Rehearse)
        {
            await ProbeAsync(model, cancellation).ConfigureAwait(false);
            plan = Planner.Plan(request, capabilities, speed.Of(capabilities.Hash), memory.Read());
        }

        return PlanWriting.ToContract(plan, reading.NotBuilt);
    }

    private async Task ProbeAsync(FoundModel model, CancellationToken cancellation)
    {
        var measured = await supervisor.MeasureAsync(model.Folder, cancellation).ConfigureAwait(false);
        if (measured.Problem.Length > 0) log.LogWarning("The speed of {Model} could not be measured: {Why}", model.Name, measured.Problem);
        else speed.Probed(model.Capabilities!.Hash, measured.Flops);
        memory.ComputesOn(measured.Device);
    }

    // Small enough for people to read out and type again.
    private static long DrawSeed() => Random.Shared.Next(1, 1_000_000_000);
}
