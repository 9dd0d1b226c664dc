using System.Collections.Concurrent;
using EditorBridge.Host.Jobs;
using EditorBridge.Host.Services;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;
using Google.Rpc;

namespace EditorBridge.Host.Tests.Jobs;

public sealed class JobStoreTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private static readonly Google.Rpc.Status Crash = Errors.Describe(Code.Aborted, "WORKER_CRASHED", "The worker crashed.");

    private readonly TemporaryFolder _folder = new();
    private readonly JobDatabase _database;
    private readonly JobStore _store;

    public JobStoreTests()
    {
        _database = new JobDatabase(_folder.File("jobs.db"));
        _store = new JobStore(_database);
    }

    public void Dispose()
    {
        _database.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_stored_job_is_read_back_as_it_was()
    {
        var stored = _store.Insert(New("a", priority: 3, label: "x")).Job;
        var job = _store.Get("a")!.ToJob(17);
        Assert.Equal("jobs/a", job.Name);
        Assert.Equal(Job.Types.State.Queued, job.State);
        Assert.Equal(stored.Spec, job.Spec);
        Assert.Equal("x", job.Labels["label"]);
        Assert.Equal((3, 17L, 2), (job.Priority, job.Sequence, job.Takes.Count));
        Assert.InRange(TimeProvider.System.GetUtcNow() - job.CreateTime.ToDateTimeOffset(), TimeSpan.FromMinutes(-1), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void A_request_id_makes_a_repeated_insert_the_same_job()
    {
        Assert.True(_store.Insert(New("a", requestId: "r")).IsNew);
        var again = _store.Insert(New("b", requestId: "r"));
        Assert.Equal((false, "a", (string?)null), (again.IsNew, again.Job.Id, again.Taken));
        var other = _store.Insert(New("c", requestId: "r") with { RequestHash = [9] });
        Assert.Equal("request_id", other.Taken);
        Assert.Equal("job_id", _store.Insert(New("a", requestId: "s")).Taken);
        Assert.Single(_store.AllIds());
    }

    [Fact]
    public async Task Of_many_claimers_one_gets_each_job()
    {
        for (var i = 0; i < 40; i++) _store.Insert(New($"j{i:00}"));
        var claimed = new ConcurrentBag<string>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() =>
        {
            while (_store.Claim($"owner {n}", "", Long) is var (job, _)) claimed.Add(job.Id);
        })));
        Assert.Equal(40, claimed.Count);
        Assert.Equal(40, claimed.Distinct().Count());
    }

    [Fact]
    public void Priority_goes_first_then_the_loaded_model_then_age()
    {
        _store.Insert(New("old", model: "models/a"));
        _store.Insert(New("warm", model: "models/b"));
        _store.Insert(New("urgent", model: "models/a", priority: 1));
        string Next() => _store.Claim("o", "models/b", Long)!.Value.Job.Id;
        Assert.Equal(["urgent", "warm", "old"], [Next(), Next(), Next()]);
    }

    [Fact]
    public async Task An_old_fence_may_write_nothing()
    {
        _store.Insert(New("a"));
        var first = _store.Claim("one", "", TimeSpan.FromMilliseconds(1))!.Value.Lease;
        await Task.Delay(20);
        var second = _store.Claim("two", "", Long)!.Value.Lease;
        Assert.Equal(first.Fence + 1, second.Fence);
        Assert.Null(_store.Keep(first, Long, new JobProgress { Step = 99 }, true));
        Assert.False(_store.Publish(first, 0, new Clip { Name = "jobs/a/clips/1" }));
        Assert.False(_store.Succeed(first));
        Assert.False(_store.Fail(first, Crash));
        Assert.False(_store.EndCancelled(first));
        Assert.False(_store.Release(first));
        Assert.Null(_store.Retry(first, Crash, TimeSpan.Zero));
        var job = _store.Get("a")!;
        Assert.Equal((RowState.Running, 0), (job.State, job.Clips.Count));
        Assert.NotEqual(99, job.Progress?.Step ?? 0);
        Assert.True(_store.Succeed(second));
    }

    [Fact]
    public async Task A_kept_lease_is_not_taken_and_an_abandoned_one_is()
    {
        _store.Insert(New("a"));
        var lease = _store.Claim("one", "", TimeSpan.FromMilliseconds(150))!.Value.Lease;
        for (var i = 0; i < 5; i++)
        {
            await Task.Delay(20);
            Assert.False(_store.Keep(lease, TimeSpan.FromMinutes(1), null, false));
        }

        Assert.Null(_store.Claim("two", "", Long));
        Assert.False(_store.Keep(lease, TimeSpan.Zero, null, false));
        await Task.Delay(20);
        Assert.Equal("a", _store.Claim("two", "", Long)!.Value.Job.Id);
    }

    [Fact]
    public void A_job_that_fails_without_getting_further_is_given_up()
    {
        _store.Insert(New("a"));
        var states = new List<RowState?>();
        for (var i = 0; i < 3; i++) states.Add(_store.Retry(_store.Claim("o", "", Long)!.Value.Lease, Crash, TimeSpan.Zero));
        Assert.Equal([RowState.Queued, RowState.Queued, RowState.Failed], states);
        var job = _store.Get("a")!;
        Assert.Equal("WORKER_CRASHED", job.Error!.GetDetail<ErrorInfo>().Reason);
        Assert.NotNull(job.Ended);
        Assert.Null(_store.Claim("o", "", Long));
    }

    [Fact]
    public void Saved_progress_forgives_earlier_failures()
    {
        _store.Insert(New("a"));
        for (var i = 0; i < 10; i++)
        {
            var lease = _store.Claim("o", "", Long)!.Value.Lease;
            Assert.False(_store.Keep(lease, Long, new JobProgress { Step = i }, gotFurther: true));
            Assert.Equal(RowState.Queued, _store.Retry(lease, Crash, TimeSpan.Zero));
        }

        Assert.Equal(10, _store.Get("a")!.Attempt);
    }

    [Fact]
    public void A_job_waits_before_it_is_tried_again()
    {
        _store.Insert(New("a"));
        _store.Retry(_store.Claim("o", "", Long)!.Value.Lease, Crash, TimeSpan.FromMinutes(1));
        Assert.Null(_store.Claim("o", "", Long));
    }

    [Fact]
    public void A_cancel_ends_a_waiting_job_at_once_and_marks_a_running_one()
    {
        _store.Insert(New("waits"));
        Assert.Equal(RowState.Cancelled, _store.RequestCancel("waits")!.State);
        _store.Insert(New("runs"));
        var lease = _store.Claim("o", "", Long)!.Value.Lease;
        Assert.Equal(Job.Types.State.Cancelling, _store.RequestCancel("runs")!.ToJob(1).State);
        Assert.True(_store.Keep(lease, Long, null, false));
        Assert.True(_store.Release(lease));
        Assert.Equal(RowState.Cancelled, _store.Get("runs")!.State);
        Assert.Null(_store.RequestCancel("nobody"));
    }

    [Fact]
    public void A_released_job_goes_on_without_a_failure()
    {
        _store.Insert(New("a"));
        for (var i = 0; i < 10; i++) Assert.True(_store.Release(_store.Claim("o", "", Long)!.Value.Lease));
        var job = _store.Claim("o", "", Long)!.Value.Job;
        Assert.Equal((1, 0), (job.Attempt, job.Failures));
    }

    [Fact]
    public void Rows_left_running_by_a_killed_host_go_on_or_are_given_up()
    {
        _store.Insert(New("a"));
        for (var i = 0; i < 3; i++)
        {
            _store.Claim("host " + i, "", Long);
            Assert.Equal(["a"], _store.RecoverAbandoned(Crash));
        }

        Assert.Equal(RowState.Failed, _store.Get("a")!.State);
        Assert.Empty(_store.RecoverAbandoned(Crash));
    }

    [Fact]
    public async Task A_job_whose_leases_run_out_is_given_up_in_the_end()
    {
        _store.Insert(New("a"));
        for (var i = 0; i < 3; i++)
        {
            Assert.Empty(_store.GiveUpLost(Crash));
            Assert.NotNull(_store.Claim("o", "", TimeSpan.FromMilliseconds(1)));
            await Task.Delay(20);
        }

        Assert.Null(_store.Claim("o", "", Long));
        Assert.Equal(["a"], _store.GiveUpLost(Crash));
        Assert.Equal(RowState.Failed, _store.Get("a")!.State);
    }

    [Fact]
    public void Pages_hold_every_job_once_newest_first()
    {
        for (var i = 0; i < 23; i++) _store.Insert(New($"j{i:00}"));
        var seen = new List<StoredJob>();
        (long, string)? after = null;
        while (_store.List([], after, 5) is { Count: > 0 } page)
        {
            seen.AddRange(page);
            after = (page[^1].Created.ToUnixTimeMilliseconds(), page[^1].Id);
        }

        Assert.Equal(23, seen.Select(j => j.Id).Distinct().Count());
        Assert.Equal(23, seen.Count);
        Assert.Equal(seen.OrderByDescending(j => j.Created).Select(j => j.Created), seen.Select(j => j.Created));
        Assert.Empty(_store.List([Job.Types.State.Running], null, 5));
    }

    [Fact]
    public void Event_numbers_are_set_aside_once()
    {
        _store.Insert(New("a"));
        Assert.Equal([0L, 1000L, 2000L], [_store.ReserveSequence("a", 1000), _store.ReserveSequence("a", 1000), _store.ReserveSequence("a", 5)]);
    }

    [Fact]
    public void Only_a_job_that_has_ended_can_be_removed()
    {
        _store.Insert(New("a"));
        Assert.False(_store.Delete("a"));
        var lease = _store.Claim("o", "", Long)!.Value.Lease;
        Assert.True(_store.Publish(lease, 0, new Clip { Name = "jobs/a/clips/1" }));
        Assert.True(_store.Succeed(lease));
        Assert.Single(_store.Get("a")!.Clips);
        Assert.True(_store.Delete("a"));
        Assert.Null(_store.Get("a"));
    }

    [Fact]
    public void A_database_of_a_later_version_is_left_alone()
    {
        using (var later = new JobDatabase(_folder.File("later.db"))) later.Write(c => JobDatabase.Execute(c, "PRAGMA user_version = 99"));
        var error = Assert.Throws<InvalidDataException>(() => new JobDatabase(_folder.File("later.db")));
        Assert.Contains("later version", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_database_is_named()
    {
        File.WriteAllText(_folder.File("broken.db"), "this is not a database, and long enough to be taken for a page header of one, one hundred bytes at least");
        var error = Assert.Throws<InvalidDataException>(() => new JobDatabase(_folder.File("broken.db")));
        Assert.Contains("broken.db", error.Message, StringComparison.Ordinal);
    }

    private static NewJob New(string id, string? requestId = null, int priority = 0, string model = "models/a", string label = "")
    {
        var labels = new Job();
        labels.Labels["label"] = label;
        return new NewJob
        {
            Id = id,
            RequestId = requestId,
            RequestHash = [1, 2, 3],
            Spec = new JobSpec { Kind = JobSpec.Types.Kind.Broll, Prompt = "p" },
            Labels = labels,
            Priority = priority,
            Plan = new Plan { Model = model, Seeds = { 1, 2 } },
            MaxAttempts = 3,
        };
    }
}
