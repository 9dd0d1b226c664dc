using CsCheck;
using EditorBridge.Host.Jobs;
using EditorBridge.Host.Services;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;
using Google.Rpc;

namespace EditorBridge.Host.Tests.Jobs;

/// <summary>Random histories of one job, with claimers that vanish and come back late, against the few lines that say what must hold.</summary>
public class JobStoreModelTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private static readonly Google.Rpc.Status Crash = Errors.Describe(Code.Aborted, "WORKER_CRASHED", "The worker crashed.");

    [Fact]
    public void Whatever_happens_one_lease_counts_and_an_ended_job_stays_as_it_ended() =>
        Gen.Int[0, 8].Array[1, 40].Sample(History, iter: 25, threads: 1);

    private static void History(int[] steps)
    {
        using var folder = new TemporaryFolder();
        using var database = new JobDatabase(folder.File("jobs.db"));
        var store = new JobStore(database);
        store.Insert(new NewJob
        {
            Id = "a", RequestId = null, RequestHash = [], Spec = new JobSpec(), Labels = new Job(), Priority = 0, Plan = new Plan { Seeds = { 1 } }, MaxAttempts = 3,
        });
        var leases = new List<Lease>();
        Lease? valid = null;
        RowState? ended = null;
        foreach (var step in steps)
        {
            // Every second operation is tried with a lease that may be stale.
            var lease = leases.Count == 0 ? null : leases[step % 2 == 0 ? ^1 : (step * 7 % leases.Count)];
            var holds = lease is not null && lease == valid && ended is null;
            switch (step)
            {
                case 0 or 1:
                    var claim = store.Claim("owner", "", Long);
                    Assert.Equal(valid is null && ended is null, claim is not null);
                    if (claim is var (_, got))
                    {
                        Assert.All(leases, old => Assert.True(old.Fence < got.Fence));
                        leases.Add(got);
                        valid = got;
                    }

                    break;
                case 2 when lease is not null:
                    Assert.Equal(holds, store.Keep(lease, Long, null, false) is not null);
                    break;
                case 3 when lease is not null:
                    Assert.Equal(holds, store.Publish(lease, 0, new Clip { Name = $"{lease.Fence}" }));
                    if (holds) Assert.Equal($"{lease.Fence}", store.Get("a")!.Clips[0].Name);
                    break;
                case 4 when lease is not null:
                    Assert.Equal(holds, store.Release(lease));
                    if (holds) valid = null;
                    break;
                case 5 when lease is not null:
                    var state = store.Retry(lease, Crash, TimeSpan.Zero);
                    Assert.Equal(holds, state is not null);
                    if (holds) valid = null;
                    break;
                case 6 when lease is not null:
                    Assert.Equal(holds, store.Succeed(lease));
                    if (holds) valid = null;
                    break;
                case 7:
                    store.RequestCancel("a");
                    break;
                case 8:
                    var abandoned = store.RecoverAbandoned(Crash);
                    Assert.Equal(valid is not null, abandoned.Count == 1);
                    valid = null;
                    break;
            }

            var now = store.Get("a")!;
            Assert.Equal(valid is not null, now.State == RowState.Running);
            if (ended is not null) Assert.Equal(ended, now.State);
            if (now.IsFinal)
            {
                ended = now.State;
                Assert.NotNull(now.Ended);
            }
        }
    }
}
