using EditorBridge.Host.Models;
using EditorBridge.Host.Workers;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Services;

/// <summary>Looks at everything a job needs; each finding says what to do about it.</summary>
internal sealed class Diagnosis(
    FFmpegLocator ffmpeg, ModelStore models, WorkerSupervisor supervisor, DataFolder folder, HostOptions options)
{
    private volatile bool _ready;

    /// <summary>Whether jobs could run when it was last looked at.</summary>
    public bool WasReady => _ready;

    /// <summary>Whether jobs can run.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken cancellation) =>
        _ready = (await RunAsync(false, cancellation).ConfigureAwait(false)).All(f => f.Severity != Finding.Types.Severity.Error);

    /// <summary>All findings.</summary>
    /// <param name="probeWorker">Also let a worker load the default model.</param>
    /// <param name="cancellation">Ends the look.</param>
    public async Task<IReadOnlyList<Finding>> RunAsync(bool probeWorker, CancellationToken cancellation)
    {
        var findings = new List<Finding>();
        var tools = await ffmpeg.FindAsync(cancellation).ConfigureAwait(false);
        findings.Add(tools.TryGet(out var found, out var missing)
            ? Good("ffmpeg", $"{found}")
            : Bad("ffmpeg", missing.Message, ""));
        var (worker, problem) = WorkerProgram.Find(options.Worker);
        findings.Add(worker is not null
            ? Good("worker", worker)
            : Bad("worker", problem, "Build or publish the whole solution, or set EDITORBRIDGE_WORKER."));
        var all = models.All();
        foreach (var model in all)
        {
            findings.Add(model.Capabilities is { } can
                ? Good($"model {model.Name}", $"{model.Folder}, {(can.TransformerParameters + can.TextEncoderParameters + can.VaeParameters) / 1e6:0.0} M parameters")
                : new Finding
                {
                    Subject = $"model {model.Name}", Message = model.Problem,
                    Remedy = model.Variant.Length > 0 ? "" : "Fetch the model again, or remove its folder.",
                    Severity = model.Name == options.DefaultModel ? Finding.Types.Severity.Error : Finding.Types.Severity.Warning,
                });
        }

        if (all.All(m => m.Name != options.DefaultModel))
        {
            findings.Add(Bad("model " + options.DefaultModel, "The default model was not found.",
                $"Name the folder that holds it in {ModelStore.Variable}, or choose another with --default-model."));
        }

        var free = folder.FreeBytes();
        findings.Add(free >= options.SpareDiskBytes
            ? Good("disk", $"{free >> 20} MiB free for {folder.Root}")
            : Bad("disk", $"Only {free >> 20} MiB are free for {folder.Root}.", "Free some space, or name another folder in EDITORBRIDGE_DATA."));
        if (!probeWorker || worker is null || models.Find(options.DefaultModel) is not { Capabilities: not null } standard) return findings;
        var measured = await supervisor.MeasureAsync(standard.Folder, cancellation).ConfigureAwait(false);
        findings.Add(measured.Problem.Length == 0
            ? Good("pipeline", $"{standard.Name} loads in {measured.LoadSeconds:0.0} s on {measured.Device}, {measured.Flops / 1e9:0} GFLOP/s")
            : Bad("pipeline", measured.Problem, "The host's log has what the worker wrote."));
        if (measured.Problem.Length > 0) return findings;
        findings.Add(Good("device", measured.DeviceNote.Length > 0 ? $"{measured.Device}, {measured.DeviceNote}" : $"{measured.Device} (asked for: {options.Device})"));
        findings.Add(Good("libtorch", $"{(measured.TorchVersion.Length > 0 ? measured.TorchVersion : "of unknown version")} in {measured.TorchFolder}"));
        return findings;
    }

    private static Finding Good(string subject, string message) => new() { Subject = subject, Severity = Finding.Types.Severity.Ok, Message = message };

    private static Finding Bad(string subject, string message, string remedy) =>
        new() { Subject = subject, Severity = Finding.Types.Severity.Error, Message = message, Remedy = remedy };
}
