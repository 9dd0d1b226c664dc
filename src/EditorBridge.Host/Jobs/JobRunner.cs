using EditorBridge.Host.Clips;
using EditorBridge.Host.Models;
using EditorBridge.Host.Services;
using EditorBridge.Host.Workers;
using EditorBridge.Media;
using EditorBridge.Planning;
using EditorBridge.Protocol.Worker.V1;
using Google.Rpc;
using Microsoft.Data.Sqlite;

namespace EditorBridge.Host.Jobs;

/// <summary>
/// Takes one job after the other from the rows and carries it through: freeze, each take in the worker, publish. Every step of it can be
/// broken off and taken up again; what is done is not done twice.
/// </summary>
internal sealed class JobRunner(
    JobStore store, JobEvents events, JobSignals signals, InputFreezer freezer, ClipPublisher publisher, ModelStore models, SpeedFile speed,
    WorkerSupervisor supervisor, WorkerRecord workers, Diagnosis diagnosis, DataFolder folder, DiskReserve reserve, HostOptions options, ILogger<JobRunner> log) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterTrouble = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UntilRoom = TimeSpan.FromSeconds(2);

    private static readonly Google.Rpc.Status GivenUp = Errors.Describe(Code.Aborted, "HOST_CRASHED",
        "The host ended each time it ran this job, so the job is given up; the host's log may say why.");

    private readonly string _owner = $"{Environment.MachineName}/{Environment.ProcessId}";
    private string _loadedModel = "";

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Everything below may take a moment; the host answers meanwhile.
        await Task.Yield();
        Recover();
        try
        {
            if (!await diagnosis.IsReadyAsync(stoppingToken).ConfigureAwait(false)) log.LogWarning("Jobs cannot run yet; `editorbridge doctor` says why");
            while (!stoppingToken.IsCancellationRequested)
            {
                if (!await RunNextAsync(stoppingToken).ConfigureAwait(false)) await signals.WaitForWorkAsync(Poll, stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The way out.
        }

        await supervisor.DisposeAsync().ConfigureAwait(false);
    }

    /// <returns>Whether there was a job to run.</returns>
    private async Task<bool> RunNextAsync(CancellationToken stopping)
    {
        try
        {
            if (supervisor.ProcessId is null) _loadedModel = "";
            if (store.Claim(_owner, _loadedModel, options.LeaseTime) is not var (job, lease))
            {
                foreach (var id in store.GiveUpLost(GivenUp)) events.JobChanged(id);
                return false;
            }

            await RunAsync(job, lease, stopping).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is SqliteException or IOException)
        {
            // The database or the disk: the row is as it was, and the job is taken again when its lease has run out.
            log.LogError(e, "Jobs cannot be run for now");
            await Task.Delay(AfterTrouble, stopping).ConfigureAwait(false);
            return false;
        }
    }

    private void Recover()
    {
        workers.EndLeftover();
        var abandoned = store.RecoverAbandoned(GivenUp);
        foreach (var id in abandoned) log.LogWarning("jobs/{Id} was running when the last host ended; it goes on", id);
        var known = store.AllIds();
        foreach (var orphan in Directory.EnumerateDirectories(folder.Jobs).Where(d => !known.Contains(Path.GetFileName(d)))) RemoveFolder(orphan);
    }

    private async Task RunAsync(StoredJob job, Lease lease, CancellationToken stopping)
    {
        using var scope = log.BeginScope(new Dictionary<string, object> { ["Job"] = job.Name });
        log.LogInformation("Starting {Job}, attempt {Attempt}", job.Name, job.Attempt);
        using var lost = new CancellationTokenSource();
        var asked = signals.Started(job.Id);
        var report = new ProgressReport(job, store, events, lease, options.LeaseTime, signals, lost);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(asked, lost.Token);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel.Token, stopping);
        var beat = report.BeatAsync(either.Token);
        try
        {
            // A cancel that came between the claim and Started is in the row only.
            if (job.CancelRequested) signals.Cancel(job.Id);
            events.JobChanged(job.Id);
            await CarryOutAsync(job, lease, report, cancel.Token, either.Token, stopping).ConfigureAwait(false);
            report.Save();
            if (store.Succeed(lease)) Tidy(job);
            log.LogInformation("{Job} is done", job.Name);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested)
        {
            log.LogWarning("{Job} is no longer ours: attempt {Attempt} stops without a trace", job.Name, job.Attempt);
        }
        catch (OperationCanceledException) when (asked.IsCancellationRequested)
        {
            Tidy(job);
            await EndAsync(job, lease, report, RowState.Cancelled, null, null, stopping).ConfigureAwait(false);
            log.LogInformation("{Job} was cancelled", job.Name);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            store.Release(lease);
            log.LogInformation("{Job} is put back: the host stops", job.Name);
        }
        catch (Exception e)
        {
            await FailedAsync(job, lease, report, e, stopping).ConfigureAwait(false);
        }
        finally
        {
            signals.Ended(job.Id);
            await either.CancelAsync().ConfigureAwait(false);
            await beat.ConfigureAwait(false);
            events.JobChanged(job.Id);
        }
    }

    private async Task CarryOutAsync(
        StoredJob job, Lease lease, ProgressReport report, CancellationToken cancel, CancellationToken either, CancellationToken stopping)
    {
        var layout = new JobLayout(folder.Job(job.Id));
        var plan = JobLayout.ReadPlan(job.Plan.PlannerJson);
        CheckDisk(job);
        layout.WritePlan(job.Plan.PlannerJson);
        report.Stage(Protocol.V1.JobProgress.Types.Stage.FreezingInputs, 0, 0);
        await freezer.FreezeAsync(plan, layout, (done, all) => report.Stage(Protocol.V1.JobProgress.Types.Stage.FreezingInputs, done, all), either)
            .ConfigureAwait(false);
        var model = models.Find(plan.Model.Name) ?? throw new JobFailure("MODEL_NOT_FOUND",
            $"The model {plan.Model.Name} is no longer there; put it back or submit the job with another.");
        if (model.Capabilities?.Hash is { Length: > 0 } hash && plan.Model.Hash.Length > 0 && hash != plan.Model.Hash)
        {
            throw new JobFailure("MODEL_CHANGED",
                $"The weights of {plan.Model.Name} have changed since the job was planned; submit the job again.");
        }

        await EstimateAsync(job, plan, model, report, either).ConfigureAwait(false);
        foreach (var take in plan.Takes)
        {
            either.ThrowIfCancellationRequested();
            if (job.Clips.ContainsKey(take.Number - 1)) continue;
            report.Take(take.Number - 1, plan.Takes.Count);
            var clip = ClipPublisher.Published(layout, take.Number);
            if (clip is null)
            {
                report.Stage(Protocol.V1.JobProgress.Types.Stage.StartingWorker, 0, 0);
                Directory.CreateDirectory(layout.Take(take.Number));
                var start = new StartTake
                {
                    Fence = lease.Fence, Job = job.Name, JobFolder = layout.Folder, Take = take.Number - 1, ModelFolder = model.Folder, Previews = true,
                    Device = options.Device, StepAllowanceSeconds = options.StepAllowance.TotalSeconds, Rehearsal = Rehearsal(job),
                };
                var outcome = await supervisor.RunTakeAsync(start, report.FromWorker, cancel, stopping).ConfigureAwait(false);
                var made = Files(outcome, cancel, stopping);
                _loadedModel = job.Plan.Model;
                if (made.TransformerFlops > 0 && made.VaeFlops > 0) speed.Measured(plan.Model.Hash, made.TransformerFlops, made.VaeFlops);
                report.Stage(Protocol.V1.JobProgress.Types.Stage.Publishing, 0, 0);
                clip = await publisher.PublishAsync(job.Id, plan, layout, take, made, either).ConfigureAwait(false);
            }

            if (!store.Publish(lease, take.Number - 1, clip)) report.LeaseLost();
            either.ThrowIfCancellationRequested();
            events.JobChanged(job.Id);
        }
    }

    /// <summary>Time left, before anything is measured, comes from a probe of one second.</summary>
    private async Task EstimateAsync(StoredJob job, Planning.Plan plan, FoundModel model, ProgressReport report, CancellationToken cancellation)
    {
        if (job.Plan.EstimatedTime is not null || !options.MeasureSpeed || options.Rehearse) return;
        if (speed.Of(plan.Model.Hash).Basis == TimeBasis.Unknown)
        {
            report.Stage(Protocol.V1.JobProgress.Types.Stage.StartingWorker, 0, 0);
            var measured = await supervisor.MeasureAsync(model.Folder, cancellation).ConfigureAwait(false);
            if (measured.Problem.Length > 0) return;
            speed.Probed(plan.Model.Hash, measured.Flops);
        }

        var time = Estimates.Time(plan.Model, plan.Canvas.Size, plan.Windows, plan.Sampling, plan.Memory.VaeTile, plan.Takes.Count, speed.Of(plan.Model.Hash));
        report.Expect(time.TotalSeconds);
    }

    private static TakeFinished Files(TakeOutcome outcome, CancellationToken cancel, CancellationToken stopping) => outcome switch
    {
        TakeOutcome.Made made => made.Files,
        TakeOutcome.Refused refused => throw new JobFailure(refused.Failure.Reason, refused.Failure.Message, refused.Failure.MayRetry),
        TakeOutcome.Lost lost => throw new JobFailure(lost.Reason, lost.Message, mayRetry: lost.Reason != "WORKER_NOT_FOUND"),
        TakeOutcome.Cancelled => throw new OperationCanceledException(cancel),
        _ => throw new OperationCanceledException(stopping),
    };

    private async Task FailedAsync(StoredJob job, Lease lease, ProgressReport report, Exception error, CancellationToken stopping)
    {
        var failure = error as JobFailure;
        var (reason, message) = failure is not null ? (failure.Reason, failure.Message)
            : IsDiskFull(error) ? ("DISK_FULL", DiskFull)
            : error is IOException or UnauthorizedAccessException ? ("DATA_FOLDER_UNUSABLE", $"The data folder cannot be used: {error.Message}")
            : ("INTERNAL", $"The host failed: {error.Message}");
        if (failure is null) log.LogError(error, "{Job} failed: {Reason}", job.Name, reason);
        else log.LogWarning("{Job} failed: {Reason} {Message}", job.Name, reason, message);
        var status = Errors.Describe(Code.Aborted, reason, message, [new("attempt", job.Attempt.ToString(System.Globalization.CultureInfo.InvariantCulture))]);
        // What a job leaves that failed for want of space goes first, so that there is room to write down that it failed.
        if (reason == "DISK_FULL") TidyFailed(job);
        TimeSpan? again = failure is { MayRetry: true } ? TimeSpan.FromMilliseconds(500 << Math.Min(job.Failures, 6)) : null;
        var state = await EndAsync(job, lease, report, RowState.Failed, status, again, stopping).ConfigureAwait(false);
        if (state is RowState.Failed or RowState.Cancelled) TidyFailed(job);
    }

    /// <summary>
    /// Writes down how an attempt ended, or that the job waits for the next one. Where the disk has no room even for that, whoever watches the job is told that it has
    /// ended, and it is tried again until there is.
    /// </summary>
    /// <returns>The state it has now; null when the lease is lost.</returns>
    private async Task<RowState?> EndAsync(
        StoredJob job, Lease lease, ProgressReport report, RowState state, Google.Rpc.Status? error, TimeSpan? again, CancellationToken stopping)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                report.Save();
                if (again is { } wait) return store.Retry(lease, error!, wait);
                return (error is null ? store.EndCancelled(lease) : store.Fail(lease, error)) ? state : null;
            }
            catch (SqliteException full) when (JobDatabase.IsFull(full))
            {
                // A job that was said to have failed is not tried again behind everybody's back.
                if (again is not null) (again, error) = (null, Errors.Describe(Code.Aborted, "DISK_FULL", DiskFull));
                if (isFirst) log.LogError("There is no room on the disk to write down that {Job} has ended; it is tried again", job.Name);
                events.Ended((store.Get(job.Id) ?? job) with { State = state, Error = error });
            }

            await Task.Delay(UntilRoom, stopping).ConfigureAwait(false);
        }
    }

    private string DiskFull => $"The disk of {folder.Root} is full; free some space and submit the job again.";

    private static bool IsDiskFull(Exception error) =>
        error is IOException io ? DiskSpace.IsFull(io) : error is SqliteException sqlite && JobDatabase.IsFull(sqlite);

    private void CheckDisk(StoredJob job)
    {
        var needed = job.Plan.DiskBytes + options.SpareDiskBytes;
        var free = folder.FreeBytes();
        if (free >= needed)
        {
            reserve.Keep();
            return;
        }

        throw new JobFailure("DISK_FULL",
            $"The job needs {needed >> 20} MiB on the disk of {folder.Root}, which has {free >> 20} MiB free; free some space and submit it again.");
    }

    private void TidyFailed(StoredJob job)
    {
        Tidy(job);
        // Takes that were published are among the clips; what else is here is half made.
        RemoveFolder(Path.Combine(folder.Job(job.Id), "takes"));
    }

    private void Tidy(StoredJob job)
    {
        var layout = new JobLayout(folder.Job(job.Id));
        // Frozen frames and saved state are large, and nobody needs them again; the latents stay beside the clip's settings.
        RemoveFolder(layout.State);
        RemoveFolder(layout.Inputs);
    }

    private void RemoveFolder(string path)
    {
        try
        {
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("{Path} could not be removed: {Why}", path, e.Message);
        }
    }

    private Rehearsal? Rehearsal(StoredJob job) =>
        options.Rehearse ? Google.Protobuf.JsonParser.Default.Parse<Rehearsal>(job.Labels.Labels.GetValueOrDefault("rehearsal", """{"steps": 3}""")) : null;
}
