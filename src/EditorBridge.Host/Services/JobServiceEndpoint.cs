using System.Text;
using System.Text.RegularExpressions;
using EditorBridge.Host.Clips;
using EditorBridge.Host.Jobs;
using EditorBridge.Protocol.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace EditorBridge.Host.Services;

/// <summary>editorbridge.v1.JobService, all but its streams.</summary>
internal sealed partial class JobServiceEndpoint(
    JobStore store, JobEvents events, JobSignals signals, JobPlanning planning, JobCreation creation, FrameCache frames, DataFolder folder,
    IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<JobServiceEndpoint> log) : JobService.JobServiceBase
{
    private const int DefaultPage = 50;
    private const int LargestPage = 1000;

    /// <inheritdoc/>
    public override async Task<PlanJobResponse> PlanJob(PlanJobRequest request, ServerCallContext context) =>
        new() { Plan = await planning.PlanAsync(request.Spec, measure: true, "", context.CancellationToken).ConfigureAwait(false) };

    /// <inheritdoc/>
    public override Task<Job> CreateJob(CreateJobRequest request, ServerCallContext context) => creation.CreateAsync(request, context.CancellationToken);

    /// <inheritdoc/>
    public override Task<Job> GetJob(GetJobRequest request, ServerCallContext context)
    {
        var job = Find(request.Name);
        return Task.FromResult(job.ToJob(events.Peek(job)));
    }

    /// <inheritdoc/>
    public override Task<ListJobsResponse> ListJobs(ListJobsRequest request, ServerCallContext context)
    {
        if (request.PageSize < 0) throw Errors.Invalid("page_size", "INVALID_ARGUMENT", "The page size is negative.");
        var size = request.PageSize == 0 ? DefaultPage : Math.Min(request.PageSize, LargestPage);
        var states = States(request.Filter);
        var jobs = store.List(states, Cursor(request.PageToken), size + 1);
        var answer = new ListJobsResponse();
        answer.Jobs.AddRange(jobs.Take(size).Select(j => j.ToJob(events.Peek(j))));
        if (jobs.Count > size)
            answer.NextPageToken = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{jobs[size - 1].Created.ToUnixTimeMilliseconds()} {jobs[size - 1].Id}"));
        return Task.FromResult(answer);
    }

    /// <inheritdoc/>
    public override Task<Job> CancelJob(CancelJobRequest request, ServerCallContext context)
    {
        var id = Find(request.Name).Id;
        var job = store.RequestCancel(id) ?? throw Errors.NotFound("job", request.Name);
        signals.Cancel(id);
        events.JobChanged(id);
        return Task.FromResult(job.ToJob(events.Peek(job)));
    }

    /// <inheritdoc/>
    public override Task<Empty> DeleteJob(DeleteJobRequest request, ServerCallContext context)
    {
        var job = Find(request.Name);
        if (!store.Delete(job.Id))
            throw Errors.Precondition("JOB_NOT_ENDED", $"{job.Name} has not ended; cancel it first.", new() { ["name"] = job.Name });
        var path = folder.Job(job.Id);
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        return Task.FromResult(new Empty());
    }

    private StoredJob Find(string name) =>
        (name.StartsWith("jobs/", StringComparison.Ordinal) ? store.Get(name["jobs/".Length..]) : null) ?? throw Errors.NotFound("job", name);

    private static List<Job.Types.State> States(string filter)
    {
        var states = new List<Job.Types.State>();
        if (string.IsNullOrWhiteSpace(filter)) return states;
        foreach (var part in filter.Split(" OR ", StringSplitOptions.TrimEntries))
        {
            var match = StateFilter().Match(part);
            if (!match.Success || !System.Enum.TryParse<Job.Types.State>(match.Groups[1].Value, ignoreCase: true, out var state) || state == 0)
                throw Errors.Invalid("filter", "INVALID_ARGUMENT", $"The filter '{filter}' is not understood; write `state = RUNNING`, or several joined by OR.");
            states.Add(state);
        }

        return states;
    }

    private static (long, string)? Cursor(string token)
    {
        if (token.Length == 0) return null;
        try
        {
            var parts = Encoding.UTF8.GetString(Convert.FromBase64String(token)).Split(' ', 2);
            return (long.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), parts[1]);
        }
        catch (Exception e) when (e is FormatException or IndexOutOfRangeException or OverflowException)
        {
            throw Errors.Invalid("page_token", "INVALID_ARGUMENT", "The page token is none that this host gave.");
        }
    }

    [GeneratedRegex(@"^state\s*=\s*""?([A-Za-z]+)""?$")]
    private static partial Regex StateFilter();
}
