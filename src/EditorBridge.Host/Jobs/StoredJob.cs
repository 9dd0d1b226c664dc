using EditorBridge.Protocol.V1;
using Google.Protobuf.WellKnownTypes;

namespace EditorBridge.Host.Jobs;

/// <summary>States as the row has them. CANCELLING is a running row with a cancel asked for.</summary>
internal enum RowState
{
    /// <summary>Waiting for its turn.</summary>
    Queued = 1,

    /// <summary>Leased to a runner.</summary>
    Running = 2,

    /// <summary>All takes are published.</summary>
    Succeeded = 4,

    /// <summary>Given up.</summary>
    Failed = 5,

    /// <summary>Ended by a cancel.</summary>
    Cancelled = 6,
}

/// <summary>A job to be stored.</summary>
internal sealed record NewJob
{
    /// <summary>Last part of the name.</summary>
    public required string Id { get; init; }

    /// <summary>The caller's request id; null when there is none.</summary>
    public required string? RequestId { get; init; }

    /// <summary>SHA-256 over what was asked for, so that a request id is not reused for something else.</summary>
    public required byte[] RequestHash { get; init; }

    /// <summary>What was asked for.</summary>
    public required JobSpec Spec { get; init; }

    /// <summary>The caller's labels, in a job that has nothing else.</summary>
    public required Job Labels { get; init; }

    /// <summary>Higher runs first.</summary>
    public required int Priority { get; init; }

    /// <summary>How it will be carried out.</summary>
    public required Plan Plan { get; init; }

    /// <summary>How often it may fail without getting further.</summary>
    public required int MaxAttempts { get; init; }
}

/// <summary>A job row as it was when read.</summary>
internal sealed record StoredJob
{
    /// <summary>Last part of the name.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256 over what was asked for.</summary>
    public required byte[] RequestHash { get; init; }

    /// <summary>State of the row.</summary>
    public required RowState State { get; init; }

    /// <summary>Higher runs first.</summary>
    public required int Priority { get; init; }

    /// <summary>Claims so far.</summary>
    public required int Attempt { get; init; }

    /// <summary>Failures in a row that got no further.</summary>
    public required int Failures { get; init; }

    /// <summary>How many of those end the job.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>Number of the claim that may write; goes up with each.</summary>
    public required long Fence { get; init; }

    /// <summary>Whether a cancel was asked for.</summary>
    public required bool CancelRequested { get; init; }

    /// <summary>What was asked for.</summary>
    public required JobSpec Spec { get; init; }

    /// <summary>The caller's labels.</summary>
    public required Job Labels { get; init; }

    /// <summary>How it is carried out.</summary>
    public required Plan Plan { get; init; }

    /// <summary>The last stored progress.</summary>
    public required JobProgress? Progress { get; init; }

    /// <summary>Why it failed.</summary>
    public required Google.Rpc.Status? Error { get; init; }

    /// <summary>Published clips by take.</summary>
    public required IReadOnlyDictionary<int, Clip> Clips { get; init; }

    /// <summary>When it was stored.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it was first claimed.</summary>
    public required DateTimeOffset? Started { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset? Ended { get; init; }

    /// <summary>When the row last changed.</summary>
    public required DateTimeOffset Updated { get; init; }

    /// <summary>Numbers of events that were set aside.</summary>
    public required long Sequence { get; init; }

    /// <summary>"jobs/{id}".</summary>
    public string Name => "jobs/" + Id;

    /// <summary>Whether it has ended.</summary>
    public bool IsFinal => State is RowState.Succeeded or RowState.Failed or RowState.Cancelled;

    /// <summary>The job as the contract has it.</summary>
    /// <param name="sequence">Number of the newest event about it.</param>
    public Job ToJob(long sequence)
    {
        var job = new Job
        {
            Name = Name,
            Spec = Spec,
            Priority = Priority,
            State = State == RowState.Running && CancelRequested ? Job.Types.State.Cancelling : (Job.Types.State)(int)State,
            Plan = Plan,
            Progress = Progress,
            Error = Error,
            Attempt = Attempt,
            MaxAttempts = MaxAttempts,
            Sequence = sequence,
            CreateTime = Timestamp.FromDateTimeOffset(Created),
            StartTime = Started is { } started ? Timestamp.FromDateTimeOffset(started) : null,
            EndTime = Ended is { } ended ? Timestamp.FromDateTimeOffset(ended) : null,
            UpdateTime = Timestamp.FromDateTimeOffset(Updated),
        };
        job.Labels.Add(Labels.Labels);
        for (var i = 0; i < Plan.Seeds.Count; i++) job.Takes.Add(new Take { Index = i, Seed = Plan.Seeds[i], Clip = Clips.GetValueOrDefault(i) });
        return job;
    }
}
