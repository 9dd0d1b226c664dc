using EditorBridge.Protocol.Worker.V1;

namespace EditorBridge.Host.Workers;

/// <summary>
/// Keeps one worker: starts it when there is work, watches over it, ends it when it is stuck or does not obey, and lets it go when it has
/// had nothing to do for a while. A crash is an outcome, not an exception. One caller at a time.
/// </summary>
internal sealed class WorkerSupervisor(HostOptions options, WorkerRecord record, ILogger<WorkerSupervisor> log, TimeProvider clock) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _measurements = new();
    private (string Folder, Task<SpeedMeasured> Task)? _measurement;
    private WorkerProcess? _worker;
    private ITimer? _idle;

    /// <summary>Folder of the model the worker has in memory; "" for none.</summary>
    public string LoadedModel => _worker is { IsAlive: true } worker ? worker.LoadedModel : "";

    /// <summary>Process of the worker; null when there is none.</summary>
    public int? ProcessId => _worker is { IsAlive: true } worker ? worker.Id : null;

    /// <summary>Lets a worker make one take.</summary>
    /// <param name="start">The take.</param>
    /// <param name="onMessage">Told progress, previews and signs of life, on any thread.</param>
    /// <param name="cancel">Cancelled when the take is no longer wanted.</param>
    /// <param name="stop">Cancelled when the host stops: the worker saves its state.</param>
    public async Task<TakeOutcome> RunTakeAsync(StartTake start, Action<WorkerMessage> onMessage, CancellationToken cancel, CancellationToken stop)
    {
        await _gate.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            StopIdling();
            if (cancel.IsCancellationRequested) return new TakeOutcome.Cancelled();
            if (stop.IsCancellationRequested) return new TakeOutcome.Suspended();
            if (await ReadyAsync().ConfigureAwait(false) is { } problem) return problem;
            var worker = _worker!;
            worker.Job = start.Job;
            worker.Send(new HostMessage { StartTake = start });
            TakeOutcome outcome;
            try
            {
                outcome = await FollowAsync(worker, start.Fence, onMessage, cancel, stop).ConfigureAwait(false);
            }
            catch
            {
                // Whoever listens failed; the take must not go on behind everybody's back.
                worker.Kill();
                await DropAsync().ConfigureAwait(false);
                throw;
            }

            worker.Job = null;
            if (outcome is TakeOutcome.Made or TakeOutcome.Cancelled && worker.IsAlive) worker.LoadedModel = start.ModelFolder;
            // After a failure the next take gets a fresh process: nothing says what state memory and device are in.
            if (outcome is TakeOutcome.Lost or TakeOutcome.Suspended or TakeOutcome.Refused || !worker.IsAlive) await DropAsync().ConfigureAwait(false);
            else StartIdling();
            return outcome;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Measures the machine with a model; not while a job runs, which would make both wrong. One measurement serves all who ask for it meanwhile, and goes on
    /// for the others when one of them no longer waits.
    /// </summary>
    public Task<SpeedMeasured> MeasureAsync(string modelFolder, CancellationToken cancellation)
    {
        lock (_measurements)
        {
            if (_measurement is not { Task.IsCompleted: false } running || running.Folder != modelFolder)
                _measurement = running = (modelFolder, MeasureAloneAsync(modelFolder, _ending.Token));
            return running.Task.WaitAsync(cancellation);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _gate.WaitAsync().ConfigureAwait(false);
        StopIdling();
        await DropAsync().ConfigureAwait(false);
        _gate.Release();
    }

    private async Task<SpeedMeasured> MeasureAloneAsync(string modelFolder, CancellationToken cancellation)
    {
        if (!await _gate.WaitAsync(0, cancellation).ConfigureAwait(false)) return new SpeedMeasured { Problem = "The worker is busy with a job." };
        try
        {
            StopIdling();
            if (await ReadyAsync().ConfigureAwait(false) is { } problem) return new SpeedMeasured { Problem = problem.Message };
            var worker = _worker!;
            worker.Send(new HostMessage { MeasureSpeed = new MeasureSpeed { ModelFolder = modelFolder, Device = options.Device } });
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(TimeSpan.FromSeconds(60));
            try
            {
                await foreach (var message in worker.Messages.ReadAllAsync(limit.Token).ConfigureAwait(false))
                {
                    if (message.SpeedMeasured is not { } measured) continue;
                    if (measured.Problem.Length == 0) worker.LoadedModel = modelFolder;
                    StartIdling();
                    return measured;
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                await DropAsync().ConfigureAwait(false);
                return new SpeedMeasured { Problem = "The worker did not measure its speed within 60 s." };
            }
            catch (OperationCanceledException)
            {
                await DropAsync().ConfigureAwait(false);
                throw;
            }

            var tail = worker.ErrorTail();
            await DropAsync().ConfigureAwait(false);
            return new SpeedMeasured { Problem = $"The worker ended while it loaded the model in {modelFolder}: {tail}" };
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<TakeOutcome.Lost?> ReadyAsync()
    {
        if (_worker is { IsAlive: true }) return null;
        await DropAsync().ConfigureAwait(false);
        var (program, problem) = WorkerProgram.Find(options.Worker);
        if (program is null) return new TakeOutcome.Lost("WORKER_NOT_FOUND", problem, 0);
        var worker = WorkerProcess.Start(program, log);
        record.Write(worker.Id);
        log.LogInformation("Started worker {Worker} from {Program}", worker.Id, program);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await foreach (var message in worker.Messages.ReadAllAsync(limit.Token).ConfigureAwait(false))
            {
                if (message.Ready is null) continue;
                _worker = worker;
                return null;
            }
        }
        catch (OperationCanceledException)
        {
            worker.Kill();
        }

        var code = await worker.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        var tail = worker.ErrorTail();
        await worker.DisposeAsync().ConfigureAwait(false);
        return new TakeOutcome.Lost("WORKER_CRASHED", $"The worker {program} ended with code {code} before it was ready: {tail}", code);
    }

    private async Task<TakeOutcome> FollowAsync(
        WorkerProcess worker, long fence, Action<WorkerMessage> onMessage, CancellationToken cancel, CancellationToken stop)
    {
        // A cancel and a stop each send their message once and start their own clock; silence has a clock of its own.
        using var given = new CancellationTokenSource();
        await using var onCancel = cancel.Register(() =>
        {
            worker.Send(new HostMessage { CancelTake = new CancelTake { Fence = fence } });
            given.CancelAfter(options.CancelGrace);
        });
        await using var onStop = stop.Register(() =>
        {
            worker.Send(new HostMessage { Checkpoint = new Checkpoint() });
            given.CancelAfter(options.StopGrace);
        });
        while (true)
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(given.Token);
            silence.CancelAfter(options.WorkerSilence);
            WorkerMessage message;
            try
            {
                if (!await worker.Messages.WaitToReadAsync(silence.Token).ConfigureAwait(false) || !worker.Messages.TryRead(out message!))
                    return await GoneAsync(worker, cancel, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                worker.Kill();
                await worker.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
                if (cancel.IsCancellationRequested)
                {
                    log.LogWarning("Worker {Worker} did not obey a cancel within {Grace} and was ended", worker.Id, options.CancelGrace);
                    return new TakeOutcome.Cancelled();
                }

                if (stop.IsCancellationRequested) return new TakeOutcome.Suspended();
                return new TakeOutcome.Lost("WORKER_STUCK",
                    $"The worker gave no sign of life for {options.WorkerSilence.TotalSeconds:0} s and was ended.", 137);
            }

            if (message.Fence != fence) continue;
            switch (message.MessageCase)
            {
                case WorkerMessage.MessageOneofCase.TakeFinished: return new TakeOutcome.Made(message.TakeFinished);
                case WorkerMessage.MessageOneofCase.TakeFailed: return new TakeOutcome.Refused(message.TakeFailed);
                case WorkerMessage.MessageOneofCase.TakeCancelled: return new TakeOutcome.Cancelled();
                case WorkerMessage.MessageOneofCase.Checkpointed: return new TakeOutcome.Suspended();
                default:
                    onMessage(message);
                    break;
            }
        }
    }

    private static async Task<TakeOutcome> GoneAsync(WorkerProcess worker, CancellationToken cancel, CancellationToken stop)
    {
        var code = await worker.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        if (cancel.IsCancellationRequested) return new TakeOutcome.Cancelled();
        if (stop.IsCancellationRequested) return new TakeOutcome.Suspended();
        return code == 137
            ? new TakeOutcome.Lost("WORKER_KILLED", "The worker was killed, most likely by the system because memory ran out.", code)
            : new TakeOutcome.Lost("WORKER_CRASHED", $"The worker ended with code {code} in the middle of the job; its last words are in the log.", code);
    }

    private async Task DropAsync()
    {
        if (_worker is not { } worker) return;
        _worker = null;
        await worker.DisposeAsync().ConfigureAwait(false);
    }

    private void StartIdling() => _idle = clock.CreateTimer(_ => _ = EndIdleAsync(), null, options.WorkerIdle, Timeout.InfiniteTimeSpan);

    private void StopIdling()
    {
        _idle?.Dispose();
        _idle = null;
    }

    private async Task EndIdleAsync()
    {
        // When somebody has it, it is not idle.
        if (!await _gate.WaitAsync(0).ConfigureAwait(false)) return;
        try
        {
            if (_idle is null) return;
            StopIdling();
            log.LogInformation("The worker has had nothing to do for {Idle} and is let go", options.WorkerIdle);
            await DropAsync().ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }
}
