using EditorBridge.Protocol.V1;
using EditorBridge.Protocol.Worker.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Data.Sqlite;

namespace EditorBridge.Host.Jobs;

/// <summary>How far one attempt is: tells watchers at once, the row now and then, and keeps the lease.</summary>
internal sealed class ProgressReport(
    StoredJob job, JobStore store, JobEvents events, Lease lease, TimeSpan leaseTime, JobSignals signals, CancellationTokenSource lost)
{
    private readonly Lock _gate = new();
    private JobProgress _now = new();
    private int _takes = 1;
    private bool _gotFurther;
    private double? _plannedSeconds = job.Plan.EstimatedTime?.ToTimeSpan().TotalSeconds;

    /// <summary>The whole job is expected to take this long.</summary>
    public void Expect(double seconds) => _plannedSeconds = seconds;

    /// <summary>A take begins.</summary>
    public void Take(int index, int of)
    {
        lock (_gate)
        {
            _takes = of;
            _now = new JobProgress(_now) { Take = index, Fraction = Math.Max(_now.Fraction, (double)index / of) };
        }
    }

    /// <summary>A stage of the host's own.</summary>
    public void Stage(JobProgress.Types.Stage stage, int step, int steps) => Tell(p =>
    {
        p.Stage = stage;
        (p.Step, p.Steps) = (step, steps);
    });

    /// <summary>What the worker says.</summary>
    public void FromWorker(WorkerMessage message)
    {
        if (message.Progress is { } said)
        {
            Tell(p =>
            {
                p.Stage = (JobProgress.Types.Stage)said.Stage;
                (p.Step, p.Steps, p.Window, p.Windows) = (said.Step, said.Steps, said.Window, said.Windows);
                p.Fraction = Math.Max(p.Fraction, Math.Clamp((p.Take + said.Fraction) / _takes, 0, 1));
                var left = said.SecondsLeft < 0 ? Remaining() : said.SecondsLeft + ((_takes - p.Take - 1) * PlannedSeconds());
                p.TimeLeft = left is { } seconds ? Duration.FromTimeSpan(TimeSpan.FromSeconds(Math.Min(seconds, 1e8))) : null;
                p.TimeLeftIsEstimate = said.SecondsLeft < 0 || said.IsEstimate;
                _gotFurther |= said.Saved;
            });
        }
        else if (message.Preview is { } picture)
        {
            events.Previewed(job.Id, new Protocol.V1.Preview
            {
                Take = _now.Take, Step = picture.Step, Image = picture.Image, ContentType = picture.ContentType,
            });
        }
    }

    /// <summary>Stores where the attempt got to, before it is ended one way or another.</summary>
    public void Save()
    {
        lock (_gate)
        {
            store.Keep(lease, leaseTime, _now, _gotFurther);
            _gotFurther = false;
        }
    }

    /// <summary>The lease was found lost.</summary>
    public void LeaseLost() => lost.Cancel();

    /// <summary>Keeps the lease until <paramref name="end"/>, and notices a cancel whose signal was lost.</summary>
    public async Task BeatAsync(CancellationToken end)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(Math.Max(100, Math.Min(3000, leaseTime.TotalMilliseconds / 5))));
        try
        {
            while (await timer.WaitForNextTickAsync(end).ConfigureAwait(false))
            {
                JobProgress now;
                bool further;
                lock (_gate) (now, further, _gotFurther) = (_now, _gotFurther, false);
                bool? asked;
                try
                {
                    asked = store.Keep(lease, leaseTime, now, further);
                }
                catch (SqliteException)
                {
                    // A full or busy disk must not end a job that runs; if it stays so, the end of the take says it.
                    lock (_gate) _gotFurther |= further;
                    continue;
                }

                switch (asked)
                {
                    case null:
                        LeaseLost();
                        return;
                    case true:
                        signals.Cancel(job.Id);
                        break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The attempt is over.
        }
    }

    private void Tell(Action<JobProgress> change)
    {
        JobProgress now;
        lock (_gate)
        {
            // Published messages never change: others hold them.
            now = new JobProgress(_now);
            change(now);
            _now = now;
        }

        events.Progressed(job.Id, now);
    }

    private double? Remaining() => _plannedSeconds * (1 - _now.Fraction);

    private double PlannedSeconds() => (_plannedSeconds ?? 0) / _takes;
}
