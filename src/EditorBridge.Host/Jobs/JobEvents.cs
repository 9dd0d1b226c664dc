using EditorBridge.Protocol.V1;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Data.Sqlite;

namespace EditorBridge.Host.Jobs;

/// <summary>
/// Tells watchers what happens to jobs. Numbers go up for ever; each watcher has a short queue of its own from which the oldest progress falls
/// out first, so that a slow reader neither holds up the work nor misses how it ended.
/// </summary>
internal sealed class JobEvents(JobStore store, TimeProvider clock)
{
    private const int QueueLength = 64;
    private const int Block = 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Topic> _topics = new(StringComparer.Ordinal);

    /// <summary>Number of the newest event about a job.</summary>
    public long Current(string id)
    {
        lock (_gate) return TopicOf(id).Last;
    }

    /// <summary>The same, without setting numbers aside for a job nobody follows.</summary>
    public long Peek(StoredJob job)
    {
        lock (_gate) return _topics.TryGetValue(job.Id, out var topic) ? topic.Last : job.Sequence;
    }

    /// <summary>Tells that the row changed: reads it and passes it on.</summary>
    public void JobChanged(string id)
    {
        var job = store.Get(id);
        if (job is not null) Publish(id, (e, sequence) => e.Job = job.ToJob(sequence));
        if (job is { IsFinal: true }) Forget(id);
    }

    /// <summary>Tells that the job has ended where the row cannot say so yet.</summary>
    /// <param name="job">The job as it will be.</param>
    public void Ended(StoredJob job) => Publish(job.Id, (e, sequence) => e.Job = (job with { Ended = clock.GetUtcNow() }).ToJob(sequence));

    /// <summary>Tells that work went on.</summary>
    public void Progressed(string id, JobProgress progress) => Publish(id, (e, _) => e.Progress = progress);

    /// <summary>Passes on a picture.</summary>
    public void Previewed(string id, Preview preview) => Publish(id, (e, _) => e.Preview = preview);

    /// <summary>Follows a job from now on.</summary>
    public Watcher Watch(string id)
    {
        lock (_gate)
        {
            var topic = TopicOf(id);
            var watcher = new Watcher(this, id, topic.Last);
            topic.Watchers.Add(watcher);
            return watcher;
        }
    }

    /// <summary>Whether anybody follows any job.</summary>
    public bool AnyWatcher
    {
        get
        {
            lock (_gate) return _topics.Values.Any(t => t.Watchers.Count > 0);
        }
    }

    private void Publish(string id, Action<JobEvent, long> fill)
    {
        lock (_gate)
        {
            var topic = TopicOf(id);
            if (topic.Last >= topic.Reserved) topic.Reserved = Reserve(id, () => topic.Last) + Block;
            var happened = new JobEvent { Sequence = ++topic.Last, EventTime = Timestamp.FromDateTimeOffset(clock.GetUtcNow()) };
            fill(happened, happened.Sequence);
            foreach (var watcher in topic.Watchers) watcher.Add(happened);
        }
    }

    private Topic TopicOf(string id)
    {
        if (_topics.TryGetValue(id, out var topic)) return topic;
        var first = Reserve(id, () => store.Get(id)?.Sequence ?? 0);
        // An event has been numbered for each job that exists: a watcher that has seen nothing says 0.
        return _topics[id] = new Topic { Last = first + 1, Reserved = first + Block };
    }

    private long Reserve(string id, Func<long> otherwise)
    {
        try
        {
            return store.ReserveSequence(id, Block);
        }
        catch (SqliteException e) when (JobDatabase.IsFull(e))
        {
            // Numbers that are not set aside come again after a restart, which may cost a watcher an event. No event at all would let it wait for ever.
            return otherwise();
        }
    }

    private void Forget(string id)
    {
        lock (_gate)
        {
            if (_topics.TryGetValue(id, out var topic) && topic.Watchers.Count == 0) _topics.Remove(id);
        }
    }

    private void Remove(Watcher watcher)
    {
        lock (_gate)
        {
            if (_topics.TryGetValue(watcher.Id, out var topic)) topic.Watchers.Remove(watcher);
        }
    }

    private sealed class Topic
    {
        public long Last { get; set; }

        public long Reserved { get; set; }

        public List<Watcher> Watchers { get; } = [];
    }

    /// <summary>One follower of one job.</summary>
    internal sealed class Watcher(JobEvents events, string id, long since) : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly LinkedList<JobEvent> _queue = [];
        private readonly SemaphoreSlim _filled = new(0, 1);

        /// <summary>The job.</summary>
        public string Id => id;

        /// <summary>Number of the newest event when the watch began.</summary>
        public long Since => since;

        /// <summary>The events that came since the last call; waits for one, or for <paramref name="limit"/>.</summary>
        public async Task<IReadOnlyList<JobEvent>> NextAsync(TimeSpan limit, CancellationToken cancellation)
        {
            await _filled.WaitAsync(limit, cancellation).ConfigureAwait(false);
            lock (_gate)
            {
                JobEvent[] all = [.. _queue];
                _queue.Clear();
                return all;
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            events.Remove(this);
            // Not disposing the semaphore: an event may be on its way, and it holds nothing.
        }

        internal void Add(JobEvent happened)
        {
            lock (_gate)
            {
                _queue.AddLast(happened);
                if (_queue.Count > QueueLength)
                {
                    var oldest = _queue.First!;
                    for (var node = oldest; node is not null; node = node.Next)
                    {
                        if (node.Value.Job is not null) continue;
                        oldest = node;
                        break;
                    }

                    _queue.Remove(oldest);
                }

                if (_filled.CurrentCount == 0) _filled.Release();
            }
        }
    }
}
