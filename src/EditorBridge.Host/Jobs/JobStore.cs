using EditorBridge.Protocol.V1;
using Google.Protobuf;
using static EditorBridge.Host.Jobs.JobDatabase;

namespace EditorBridge.Host.Jobs;

/// <summary>A claim on a job: who holds it, and the number that makes an earlier holder's writes void.</summary>
/// <param name="Id">The job.</param>
/// <param name="Owner">The holder.</param>
/// <param name="Fence">Number of the claim.</param>
internal sealed record Lease(string Id, string Owner, long Fence);

/// <summary>What came of storing a job.</summary>
/// <param name="Job">The stored job: new, or that of the first request with the same id.</param>
/// <param name="IsNew">Whether it was stored by this call.</param>
/// <param name="Taken">What is taken by another job, "request_id" or "job_id"; null when all is well.</param>
internal sealed record Insertion(StoredJob Job, bool IsNew, string? Taken);

/// <summary>
/// The job rows, which are the only truth about jobs. Whatever a runner writes carries its lease; a write that changes no row means that the
/// lease was lost and the runner is to stop.
/// </summary>
internal sealed partial class JobStore(JobDatabase database)
{
    private static readonly TimeSpan Aging = TimeSpan.FromMinutes(5);

    private const string Held = "id = $id AND lease_owner = $owner AND fence = $fence AND state = 2";

    /// <summary>Stores a job; when this returns it survives anything. A request id seen before gives the first job.</summary>
    public Insertion Insert(NewJob job) => database.Write(connection =>
    {
        if (job.RequestId is not null && One(connection, "request_id = $v", job.RequestId) is { } earlier)
            return new Insertion(earlier, false, earlier.RequestHash.AsSpan().SequenceEqual(job.RequestHash) ? null : "request_id");
        if (One(connection, "id = $v", job.Id) is { } namesake) return new Insertion(namesake, false, "job_id");
        Execute(connection, $"""
            INSERT INTO jobs (id, request_id, request_hash, state, priority, model, memory_bytes, run_after, max_attempts, spec, labels, plan, created, updated)
            VALUES ($id, $request, $hash, 1, $priority, $model, $memory, 0, $max, $spec, $labels, $plan, {Now}, {Now})
            """,
            ("$id", job.Id), ("$request", job.RequestId), ("$hash", job.RequestHash), ("$priority", job.Priority), ("$model", job.Plan.Model),
            ("$memory", job.Plan.PeakMemoryBytes), ("$max", job.MaxAttempts), ("$spec", job.Spec.ToByteArray()),
            ("$labels", job.Labels.ToByteArray()), ("$plan", job.Plan.ToByteArray()));
        return new Insertion(One(connection, "id = $v", job.Id)!, true, null);
    });

    /// <summary>The job of that id.</summary>
    public StoredJob? Get(string id) => database.Read(c => One(c, "id = $v", id));

    /// <summary>The job first stored under that request id.</summary>
    public StoredJob? GetByRequest(string requestId) => database.Read(c => One(c, "request_id = $v", requestId));

    /// <summary>How many jobs wait and run.</summary>
    public (int Queued, int Running) Count() => database.Read(connection =>
    {
        using var command = Command(connection, "SELECT COALESCE(SUM(state = 1), 0), COALESCE(SUM(state = 2), 0) FROM jobs WHERE state IN (1, 2)");
        using var reader = command.ExecuteReader();
        reader.Read();
        return (reader.GetInt32(0), reader.GetInt32(1));
    });

    /// <summary>Takes the next job that may run: the highest priority, then whatever has waited long, then the loaded model, then the oldest.</summary>
    /// <param name="owner">Who takes it.</param>
    /// <param name="loadedModel">The model that is in memory; "" for none.</param>
    /// <param name="lease">How long it is theirs without a further word.</param>
    public (StoredJob Job, Lease Lease)? Claim(string owner, string loadedModel, TimeSpan lease) => database.Write<(StoredJob, Lease)?>(connection =>
    {
        using var command = Command(connection, $"""
            UPDATE jobs SET state = 2, fence = fence + 1, attempt = attempt + 1, lease_owner = $owner, lease_until = {Now} + $lease,
                started = COALESCE(started, {Now}), updated = {Now},
                failures = failures + (state = 2)
            WHERE id = (
                SELECT id FROM jobs
                WHERE (state = 1 AND run_after <= {Now}) OR (state = 2 AND lease_until < {Now} AND failures + 1 < max_attempts)
                ORDER BY priority DESC, (created + $aging < {Now}) DESC, (model = $model) DESC, created, id
                LIMIT 1)
            RETURNING id, fence
            """, ("$owner", owner), ("$lease", (long)lease.TotalMilliseconds), ("$aging", (long)Aging.TotalMilliseconds), ("$model", loadedModel));
        string id;
        long fence;
        using (var reader = command.ExecuteReader())
        {
            if (!reader.Read()) return null;
            (id, fence) = (reader.GetString(0), reader.GetInt64(1));
        }

        return (One(connection, "id = $v", id)!, new Lease(id, owner, fence));
    });

    /// <summary>Keeps a lease, and stores how far the work is.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="time">How long it is to hold from now.</param>
    /// <param name="progress">How far the work is; null leaves what is stored.</param>
    /// <param name="gotFurther">Whether state was saved that no earlier attempt had: earlier failures are forgiven.</param>
    /// <returns>Whether a cancel was asked for; null when the lease is lost.</returns>
    public bool? Keep(Lease lease, TimeSpan time, JobProgress? progress, bool gotFurther) => database.Write<bool?>(connection =>
    {
        using var command = Command(connection, $"""
            UPDATE jobs SET lease_until = {Now} + $time, updated = {Now}, progress = COALESCE($progress, progress),
                failures = CASE WHEN $further THEN 0 ELSE failures END
            WHERE {Held} RETURNING cancel_requested
            """, [.. Of(lease), ("$time", (long)time.TotalMilliseconds), ("$progress", progress?.ToByteArray()), ("$further", gotFurther)]);
        return command.ExecuteScalar() is long asked ? asked != 0 : null;
    });

    /// <summary>Stores a published clip.</summary>
    /// <returns>False when the lease is lost.</returns>
    public bool Publish(Lease lease, int take, Clip clip) => database.Write(connection =>
        Execute(connection, $"UPDATE jobs SET updated = {Now}, failures = 0 WHERE {Held}", Of(lease)) == 1
        && Execute(connection, "INSERT OR REPLACE INTO clips (job, take, clip) VALUES ($job, $take, $clip)",
            ("$job", lease.Id), ("$take", take), ("$clip", clip.ToByteArray())) == 1);

    /// <summary>Ends the job well.</summary>
    /// <returns>False when the lease is lost.</returns>
    public bool Succeed(Lease lease) => End(lease, RowState.Succeeded, null);

    /// <summary>Ends the job as cancelled.</summary>
    /// <returns>False when the lease is lost.</returns>
    public bool EndCancelled(Lease lease) => End(lease, RowState.Cancelled, null);

    /// <summary>Ends the job as failed.</summary>
    /// <returns>False when the lease is lost.</returns>
    public bool Fail(Lease lease, Google.Rpc.Status error) => End(lease, RowState.Failed, error);

    /// <summary>Counts a failure, and puts the job back in the queue or, when it has failed too often without getting further, ends it.</summary>
    /// <returns>The state it has now; null when the lease is lost.</returns>
    public RowState? Retry(Lease lease, Google.Rpc.Status error, TimeSpan wait) => database.Write<RowState?>(connection =>
    {
        using var command = Command(connection, $"""
            UPDATE jobs SET failures = failures + 1, error = $error, error_reason = $reason, updated = {Now}, run_after = {Now} + $wait,
                lease_owner = NULL, lease_until = NULL,
                state = CASE WHEN cancel_requested THEN 6 WHEN failures + 1 < max_attempts THEN 1 ELSE 5 END,
                ended = CASE WHEN cancel_requested OR failures + 1 >= max_attempts THEN {Now} END
            WHERE {Held} RETURNING state
            """, [.. Of(lease), ("$error", error.ToByteArray()), ("$reason", ReasonOf(error)), ("$wait", (long)wait.TotalMilliseconds)]);
        return command.ExecuteScalar() is long state ? (RowState)state : null;
    });

    /// <summary>Gives a lease back without a failure: the host stops, and the job goes on at its next start.</summary>
    /// <returns>False when the lease is lost.</returns>
    public bool Release(Lease lease) => database.Write(connection => Execute(connection, $"""
        UPDATE jobs SET state = CASE WHEN cancel_requested THEN 6 ELSE 1 END, ended = CASE WHEN cancel_requested THEN {Now} END,
            attempt = attempt - 1, run_after = 0, lease_owner = NULL, lease_until = NULL, updated = {Now}
        WHERE {Held}
        """, Of(lease)) == 1);

    /// <summary>Marks a cancel. A waiting job ends at once; a running one when its runner has seen the mark.</summary>
    /// <returns>The job as it now is; null when there is none.</returns>
    public StoredJob? RequestCancel(string id) => database.Write(connection =>
    {
        Execute(connection, $"""
            UPDATE jobs SET cancel_requested = 1, updated = {Now},
                ended = CASE WHEN state = 1 THEN {Now} END, state = CASE WHEN state = 1 THEN 6 ELSE state END
            WHERE id = $id AND state IN (1, 2)
            """, ("$id", id));
        return One(connection, "id = $v", id);
    });

    /// <summary>Removes a job that has ended.</summary>
    /// <returns>False when there is none that has ended.</returns>
    public bool Delete(string id) =>
        database.Write(connection => Execute(connection, "DELETE FROM jobs WHERE id = $id AND state IN (4, 5, 6)", ("$id", id)) == 1);

    /// <summary>
    /// At start, when no other host can be at work on this database: rows that a host which was killed left running go back into the queue, or
    /// end when that has happened too often.
    /// </summary>
    /// <param name="error">What a job that is given up says.</param>
    /// <returns>Ids of the rows that were found running.</returns>
    public IReadOnlyList<string> RecoverAbandoned(Google.Rpc.Status error) => Abandon(error, "state = 2");

    /// <summary>Ends jobs whose lease ran out once too often; those with attempts left are simply claimed again.</summary>
    /// <param name="error">What they say.</param>
    /// <returns>Ids of the jobs that were ended.</returns>
    public IReadOnlyList<string> GiveUpLost(Google.Rpc.Status error) =>
        Abandon(error, $"state = 2 AND lease_until < {Now} AND failures + 1 >= max_attempts");

    private IReadOnlyList<string> Abandon(Google.Rpc.Status error, string condition) => database.Write(connection =>
    {
        using var command = Command(connection, $"""
            UPDATE jobs SET failures = failures + 1, updated = {Now}, run_after = 0, lease_owner = NULL, lease_until = NULL,
                error = CASE WHEN cancel_requested = 0 AND failures + 1 >= max_attempts THEN $error END,
                error_reason = CASE WHEN cancel_requested = 0 AND failures + 1 >= max_attempts THEN $reason END,
                state = CASE WHEN cancel_requested THEN 6 WHEN failures + 1 < max_attempts THEN 1 ELSE 5 END,
                ended = CASE WHEN cancel_requested OR failures + 1 >= max_attempts THEN {Now} END
            WHERE {condition} RETURNING id
            """, ("$error", error.ToByteArray()), ("$reason", ReasonOf(error)));
        using var reader = command.ExecuteReader();
        var ids = new List<string>();
        while (reader.Read()) ids.Add(reader.GetString(0));
        return (IReadOnlyList<string>)ids;
    });

    /// <summary>Sets numbers aside for events of a job, so that they go up across restarts of the host.</summary>
    /// <returns>The number before the first.</returns>
    public long ReserveSequence(string id, int count) => database.Write(connection =>
    {
        using var command = Command(connection, "UPDATE jobs SET sequence = sequence + $count WHERE id = $id RETURNING sequence - $count",
            ("$id", id), ("$count", count));
        return command.ExecuteScalar() as long? ?? 0;
    });

    private bool End(Lease lease, RowState state, Google.Rpc.Status? error) => database.Write(connection => Execute(connection, $"""
        UPDATE jobs SET state = $state, error = $error, error_reason = $reason, ended = {Now}, updated = {Now}, lease_owner = NULL, lease_until = NULL
        WHERE {Held}
        """, [.. Of(lease), ("$state", (int)state), ("$error", error?.ToByteArray()), ("$reason", error is null ? null : ReasonOf(error))]) == 1);

    private static (string, object?)[] Of(Lease lease) => [("$id", lease.Id), ("$owner", lease.Owner), ("$fence", lease.Fence)];

    private static string ReasonOf(Google.Rpc.Status error) => error.GetDetail<Google.Rpc.ErrorInfo>()?.Reason ?? "";
}
