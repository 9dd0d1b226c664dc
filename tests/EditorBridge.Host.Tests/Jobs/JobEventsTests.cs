using EditorBridge.Host.Jobs;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Host.Tests.Jobs;

public sealed class JobEventsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly JobDatabase _database;
    private readonly JobStore _store;

    public JobEventsTests()
    {
        _database = new JobDatabase(_folder.File("jobs.db"));
        _store = new JobStore(_database);
        _store.Insert(new NewJob
        {
            Id = "a", RequestId = null, RequestHash = [], Spec = new JobSpec(), Labels = new Job(), Priority = 0, Plan = new Plan(), MaxAttempts = 3,
        });
    }

    public void Dispose()
    {
        _database.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_reader_that_does_not_read_keeps_little_and_still_learns_how_it_ended()
    {
        var events = new JobEvents(_store, TimeProvider.System);
        using var watcher = events.Watch("a");
        var lease = _store.Claim("o", "", TimeSpan.FromMinutes(1))!.Value.Lease;
        events.JobChanged("a");
        for (var i = 0; i < 5000; i++) events.Progressed("a", new JobProgress { Step = i });
        _store.Succeed(lease);
        events.JobChanged("a");
        var kept = await watcher.NextAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
        Assert.InRange(kept.Count, 2, 64);
        Assert.Equal(Job.Types.State.Running, kept[0].Job.State);
        Assert.Equal(Job.Types.State.Succeeded, kept[^1].Job.State);
        Assert.Equal(4999, kept[^2].Progress.Step);
        Assert.Equal(kept.Select(e => e.Sequence).Order(), kept.Select(e => e.Sequence));
        Assert.Equal(kept.Count, kept.Select(e => e.Sequence).Distinct().Count());
    }

    [Fact]
    public void Numbers_go_up_across_restarts_of_the_host()
    {
        var last = 0L;
        for (var run = 0; run < 4; run++)
        {
            var events = new JobEvents(_store, TimeProvider.System);
            Assert.True(events.Current("a") > last);
            for (var i = 0; i < 700 * run; i++) events.Progressed("a", new JobProgress());
            last = events.Current("a");
        }
    }
}
