using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using EditorBridge.Host.Jobs;
using EditorBridge.Protocol.V1;
using Google.Protobuf;
using Google.Rpc;

namespace EditorBridge.Host.Services;

/// <summary>Turns requests into stored jobs, whichever way they came in.</summary>
internal sealed partial class JobCreation(
    JobStore store, JobEvents events, JobSignals signals, JobPlanning planning, DataFolder folder, HostOptions options, ILogger<JobCreation> log)
{
    private const int MostLabels = 64;

    // A job that is stored in the last of the space could not be taken up, and would wait without a word.
    private const long RoomForRows = 1 << 20;

    /// <summary>Checks, plans and stores a job.</summary>
    /// <param name="request">The request; what is wrong with it is an error that names the field.</param>
    /// <param name="cancellation">Ends the planning; whoever has left gets no job.</param>
    /// <returns>The job, or the one that the same request made before.</returns>
    /// <exception cref="Grpc.Core.RpcException">It cannot be carried out.</exception>
    public async Task<Job> CreateAsync(CreateJobRequest request, CancellationToken cancellation)
    {
        if (request.Job is null) throw Errors.Invalid("job", "FIELD_MISSING", "The job is missing.");
        if (request.RequestId.Length > 0 && !Guid.TryParse(request.RequestId, out _))
            throw Errors.Invalid("request_id", "INVALID_ARGUMENT", $"'{request.RequestId}' is not a UUID.");
        if (request.JobId.Length > 0 && !JobId().IsMatch(request.JobId))
            throw Errors.Invalid("job_id", "INVALID_ARGUMENT", $"'{request.JobId}' is not 4 to 63 of a-z, 0-9 and '-' beginning with a letter.");
        if (request.Job.Labels.Count > MostLabels || request.Job.Labels.Any(l => l.Key.Length > 128 || l.Value.Length > 4096))
            throw Errors.Invalid("job.labels", "INVALID_ARGUMENT", $"A job has at most {MostLabels} labels of at most 4096 characters.");
        var requestId = request.RequestId.Length > 0 ? Guid.Parse(request.RequestId).ToString() : null;
        var hash = HashOf(request);
        // A retry must not fail because the media went away meanwhile, so it is looked for before anything is read.
        if (requestId is not null && store.GetByRequest(requestId) is { } earlier && !request.ValidateOnly) return Repeated(earlier, hash);

        var plan = await planning.PlanAsync(request.Job.Spec, measure: false, "job.", cancellation).ConfigureAwait(false);
        if (!plan.Feasible)
        {
            throw Errors.Invalid([.. plan.Refusals.Select(r => ($"job.{r.Field}", r.Message))], plan.Refusals[0].Reason,
                plan.Refusals.Any(r => r.Reason is "NOT_BUILT" or "MODEL_CANNOT") ? Code.FailedPrecondition : Code.InvalidArgument);
        }

        if (plan.Mechanism == Plan.Types.Mechanism.Handles)
        {
            throw Errors.Precondition("HANDLES_COVER_REQUEST",
                "The source media still holds the frames asked for: trim the clip out, or ask for generate_over_handles.");
        }

        var spec = request.Job.Spec.Clone();
        if (!spec.HasSeed) spec.Seed = plan.Seeds[0];
        spec.Model = plan.Model;
        var labels = new Job();
        labels.Labels.Add(request.Job.Labels);
        var job = new NewJob
        {
            Id = request.JobId.Length > 0 ? request.JobId : NewId(),
            RequestId = requestId,
            RequestHash = hash,
            Spec = spec,
            Labels = labels,
            Priority = request.Job.Priority,
            Plan = plan,
            MaxAttempts = options.MaxAttempts,
        };
        if (request.ValidateOnly) return Preview(job);
        // Whoever has left by now will not know of the job.
        cancellation.ThrowIfCancellationRequested();
        if (folder.FreeBytes() < RoomForRows) throw Errors.DiskFull(folder);
        var insertion = store.Insert(job);
        if (insertion.Taken == "job_id")
            throw Errors.Make(Code.AlreadyExists, "JOB_ID_TAKEN", $"There is a job {insertion.Job.Name} already; choose another job_id.", new() { ["name"] = insertion.Job.Name });
        if (!insertion.IsNew) return Repeated(insertion.Job, hash);
        if (options.LogPrompts) log.LogInformation("{Job} asks for: {Prompt}", insertion.Job.Name, spec.Prompt);
        log.LogInformation("Stored {Job}: {Kind}, {Frames} frames", insertion.Job.Name, spec.Kind, spec.Delivery.Frames);
        signals.WorkArrived();
        return insertion.Job.ToJob(events.Current(insertion.Job.Id));
    }

    private Job Repeated(StoredJob earlier, byte[] hash)
    {
        if (earlier.RequestHash.AsSpan().SequenceEqual(hash)) return earlier.ToJob(events.Peek(earlier));
        throw Errors.Make(Code.AlreadyExists, "REQUEST_ID_REUSED",
            $"This request_id belongs to {earlier.Name}, which asked for something else; use a new one for each job.", new() { ["name"] = earlier.Name });
    }

    private static Job Preview(NewJob job)
    {
        var shown = new Job { Name = "jobs/" + job.Id, Spec = job.Spec, Plan = job.Plan, Priority = job.Priority, MaxAttempts = job.MaxAttempts };
        shown.Labels.Add(job.Labels.Labels);
        return shown;
    }

    private static byte[] HashOf(CreateJobRequest request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(IMessage? message)
        {
            var bytes = message?.ToByteArray() ?? [];
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        // Maps have no order on the wire, so they are put in one.
        var spec = request.Job.Spec?.Clone();
        var metadata = spec?.Placement?.Metadata.OrderBy(p => p.Key, StringComparer.Ordinal).ToArray() ?? [];
        spec?.Placement?.Metadata.Clear();
        Add(spec);
        foreach (var (key, value) in metadata.Concat(request.Job.Labels.OrderBy(p => p.Key, StringComparer.Ordinal)))
            hash.AppendData(Encoding.UTF8.GetBytes($"{key.Length}:{key}{value.Length}:{value}"));
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Job.Priority}/{request.JobId}"));
        return hash.GetHashAndReset();
    }

    // Short enough to type, and long enough that two are not the same.
    private static string NewId() => "j" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));

    [GeneratedRegex("^[a-z][a-z0-9-]{3,62}$")]
    private static partial Regex JobId();
}
