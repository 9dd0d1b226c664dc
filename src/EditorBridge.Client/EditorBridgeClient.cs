using System.Runtime.CompilerServices;
using EditorBridge.Protocol.V1;
using Grpc.Core;

namespace EditorBridge.Client;

/// <summary>
/// A client of the host on this machine: finds it (and starts it), submits, watches, fetches. A connection that breaks is made again, to a host
/// started anew if need be: jobs are durable, so nothing is lost. Every failure is an <see cref="EditorBridgeException"/>. Safe for several threads.
/// </summary>
public sealed partial class EditorBridgeClient : IDisposable
{
    private static readonly TimeSpan UnaryDeadline = TimeSpan.FromSeconds(30);

    // A plan may wait for the one-second probe, which starts a worker and loads a model.
    private static readonly TimeSpan PlanDeadline = TimeSpan.FromMinutes(2);

    private const int MaximumTries = 5;

    private readonly ClientOptions _options;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile HostConnection _connection;

    // Whoever connects again has asked about those files before.
    private EditorBridgeClient(ClientOptions options, HostConnection connection) => (_options, _connection) = (options with { FirstMedia = [] }, connection);

    /// <summary>How the host is reached at present.</summary>
    public HostEndpoint Endpoint => _connection.Endpoint;

    /// <summary>A client of the running host, or of one started for it.</summary>
    /// <exception cref="EditorBridgeException">No host runs and none may be or could be started.</exception>
    public static async Task<EditorBridgeClient> ConnectAsync(ClientOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new ClientOptions();
        return new EditorBridgeClient(options, await OpenAsync(options, cancellation).ConfigureAwait(false));
    }

    /// <summary>How <paramref name="spec"/> would be carried out. Nothing is run or stored.</summary>
    public async Task<Plan> PlanAsync(JobSpec spec, CancellationToken cancellation = default) =>
        (await CallAsync((c, o) => c.Jobs.PlanJobAsync(new PlanJobRequest { Spec = spec }, o), PlanDeadline, cancellation).ConfigureAwait(false)).Plan;

    /// <summary>Stores a job. It runs whether or not this client stays.</summary>
    /// <param name="job">The job: its spec, and labels and priority where wanted.</param>
    /// <param name="requestId">A UUID that makes a repeated submission the same job. Null means a new one: retries inside this call are covered.</param>
    /// <param name="cancellation">Ends the call; a job that was stored meanwhile is cancelled.</param>
    public async Task<Job> SubmitAsync(Job job, Guid? requestId = null, CancellationToken cancellation = default)
    {
        var id = requestId ?? Guid.NewGuid();
        // The name is chosen here, so that it is known also when the answer does not arrive.
        var request = new CreateJobRequest { Job = job, RequestId = id.ToString(), JobId = "j" + id.ToString("N")[..12] };
        try
        {
            return await CallAsync((c, o) => c.Jobs.CreateJobAsync(request, o), PlanDeadline, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await WithdrawAsync("jobs/" + request.JobId).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The job as it is now.</summary>
    /// <param name="name">"jobs/{job}".</param>
    /// <param name="cancellation">Ends the call.</param>
    public Task<Job> GetAsync(string name, CancellationToken cancellation = default) =>
        CallAsync((c, o) => c.Jobs.GetJobAsync(new GetJobRequest { Name = name }, o), UnaryDeadline, cancellation);

    /// <summary>Jobs, newest first, fetched page by page.</summary>
    /// <param name="filter">Empty for all, or "state = RUNNING" and the like.</param>
    /// <param name="cancellation">Ends the listing.</param>
    public async IAsyncEnumerable<Job> ListAsync(string filter = "", [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var request = new ListJobsRequest { Filter = filter };
        do
        {
            var page = await CallAsync((c, o) => c.Jobs.ListJobsAsync(request, o), UnaryDeadline, cancellation).ConfigureAwait(false);
            foreach (var job in page.Jobs) yield return job;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    /// <summary>
    /// What happens to a job: first the job as it is, at the end the job in its final state. A broken connection is taken up again where it broke off;
    /// no event comes twice. Leaving the loop does not touch the job.
    /// </summary>
    /// <param name="name">"jobs/{job}".</param>
    /// <param name="afterSequence">Number of the last event seen before, 0 for none.</param>
    /// <param name="previews">Whether pictures are wanted.</param>
    /// <param name="cancellation">Ends the watch.</param>
    public async IAsyncEnumerable<JobEvent> WatchAsync(
        string name, long afterSequence = 0, bool previews = false, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var tries = 0;
        while (true)
        {
            var connection = _connection;
            var request = new WatchJobRequest { Name = name, AfterSequence = afterSequence, Previews = previews };
            using var call = connection.Jobs.WatchJob(request, cancellationToken: cancellation);
            RpcException? broken = null;
            while (broken is null)
            {
                JobEvent? received = null;
                try
                {
                    if (await call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false)) received = call.ResponseStream.Current;
                }
                catch (RpcException e) when (!cancellation.IsCancellationRequested)
                {
                    broken = e;
                    continue;
                }
                catch (RpcException) when (cancellation.IsCancellationRequested)
                {
                    throw new OperationCanceledException(cancellation);
                }

                if (received is null)
                {
                    // A host that stops ends its streams; the job is not over for that.
                    broken = new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "The host stopped."));
                    continue;
                }

                tries = 0;
                afterSequence = Math.Max(afterSequence, received.Sequence);
                yield return received;
                if (received.Job is { } job && IsFinal(job.State)) yield break;
            }

            await RecoverAsync(connection, broken, ++tries, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Watches a job to its end and returns it as it then is.</summary>
    /// <param name="name">"jobs/{job}".</param>
    /// <param name="onEvent">Told every event.</param>
    /// <param name="previews">Whether pictures are wanted.</param>
    /// <param name="cancellation">Ends the watch, not the job.</param>
    public async Task<Job> WaitAsync(
        string name, Action<JobEvent>? onEvent = null, bool previews = false, CancellationToken cancellation = default)
    {
        Job? last = null;
        await foreach (var happened in WatchAsync(name, 0, previews, cancellation).ConfigureAwait(false))
        {
            onEvent?.Invoke(happened);
            last = happened.Job ?? last;
        }

        return last ?? await GetAsync(name, cancellation).ConfigureAwait(false);
    }

    /// <summary>Asks for a job to be ended, and returns it as it then is; CANCELLING until the worker has obeyed.</summary>
    /// <param name="name">"jobs/{job}".</param>
    /// <param name="cancellation">Ends the call.</param>
    public Task<Job> CancelAsync(string name, CancellationToken cancellation = default) =>
        CallAsync((c, o) => c.Jobs.CancelJobAsync(new CancelJobRequest { Name = name }, o), UnaryDeadline, cancellation);

    /// <summary>Removes a job that has ended, with its clips.</summary>
    /// <param name="name">"jobs/{job}".</param>
    /// <param name="cancellation">Ends the call.</param>
    public Task DeleteAsync(string name, CancellationToken cancellation = default) =>
        CallAsync((c, o) => c.Jobs.DeleteJobAsync(new DeleteJobRequest { Name = name }, o), UnaryDeadline, cancellation);

    /// <summary>The host's models, the default first.</summary>
    public async Task<IReadOnlyList<Model>> ListModelsAsync(CancellationToken cancellation = default)
    {
        var models = new List<Model>();
        var request = new ListModelsRequest();
        do
        {
            var page = await CallAsync((c, o) => c.Models.ListModelsAsync(request, o), UnaryDeadline, cancellation).ConfigureAwait(false);
            models.AddRange(page.Models);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return models;
    }

    /// <summary>What a media file on the host's machine is.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="cancellation">Ends the call.</param>
    public Task<MediaInfo> ProbeMediaAsync(string path, CancellationToken cancellation = default) =>
        ProbeMediaAsync(new MediaSource { Path = path }, cancellation);

    /// <summary>What a media file on the host's machine, or an uploaded one, is.</summary>
    /// <param name="source">The file.</param>
    /// <param name="cancellation">Ends the call.</param>
    public Task<MediaInfo> ProbeMediaAsync(MediaSource source, CancellationToken cancellation = default)
    {
        var request = new ProbeMediaRequest { Media = source };
        return CallAsync((c, o) => c.Media.ProbeMediaAsync(request, o), PlanDeadline, cancellation);
    }

    /// <summary>What the host is.</summary>
    public Task<ServerInfo> GetServerInfoAsync(CancellationToken cancellation = default) =>
        CallAsync((c, o) => c.Server.GetServerInfoAsync(new GetServerInfoRequest(), o), UnaryDeadline, cancellation);

    /// <summary>Checks everything a job needs.</summary>
    /// <param name="probeWorker">Also start a worker and let it load the default model.</param>
    /// <param name="cancellation">Ends the call.</param>
    public async Task<IReadOnlyList<Finding>> DiagnoseAsync(bool probeWorker = false, CancellationToken cancellation = default)
    {
        var request = new DiagnoseServerRequest { ProbeWorker = probeWorker };
        return (await CallAsync((c, o) => c.Server.DiagnoseServerAsync(request, o), PlanDeadline, cancellation).ConfigureAwait(false)).Findings;
    }

    /// <summary>Ends the host in good order. A running job goes on at its next start.</summary>
    public async Task StopHostAsync(CancellationToken cancellation = default)
    {
        var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + UnaryDeadline, cancellationToken: cancellation);
        try
        {
            await _connection.Server.StopServerAsync(new StopServerRequest(), options).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            throw EditorBridgeException.From(e);
        }
    }

    /// <summary>Whether a job in <paramref name="state"/> has ended.</summary>
    public static bool IsFinal(Job.Types.State state) =>
        state is Job.Types.State.Succeeded or Job.Types.State.Failed or Job.Types.State.Cancelled;

    /// <inheritdoc/>
    public void Dispose()
    {
        _connection.Dispose();
        _gate.Dispose();
    }

    private async Task WithdrawAsync(string name)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        // The host may be about to store it: not found once is not found for good only after a moment.
        for (var tries = 0; tries < 6; tries++)
        {
            try
            {
                await CancelAsync(name, limit.Token).ConfigureAwait(false);
                return;
            }
            catch (EditorBridgeException e) when (e.Reason == "JOB_NOT_FOUND")
            {
                await Task.Delay(100, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is EditorBridgeException or OperationCanceledException)
            {
                // Nobody is there to run it.
                return;
            }
        }
    }

    private async Task<T> CallAsync<T>(
        Func<HostConnection, CallOptions, AsyncUnaryCall<T>> method, TimeSpan deadline, CancellationToken cancellation)
    {
        for (var tries = 1; ; tries++)
        {
            var connection = _connection;
            try
            {
                var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + deadline, cancellationToken: cancellation);
                return await method(connection, options).ConfigureAwait(false);
            }
            catch (RpcException) when (cancellation.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancellation);
            }
            catch (RpcException e)
            {
                await RecoverAsync(connection, e, tries, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Makes the connection again after <paramref name="error"/>, or throws what it says when trying again would be of no use.</summary>
    private async Task RecoverAsync(HostConnection broken, RpcException error, int tries, CancellationToken cancellation)
    {
        // A host that was started anew has a new token.
        var isTransport = error.StatusCode is StatusCode.Unavailable
            || (error.StatusCode == StatusCode.Unauthenticated && HostEndpoint.Read(_options.DataFolder)?.Token != broken.Endpoint.Token);
        if (!isTransport || tries >= MaximumTries) throw EditorBridgeException.From(error);
        await Task.Delay(TimeSpan.FromMilliseconds(50 << tries), cancellation).ConfigureAwait(false);
        await _gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!ReferenceEquals(_connection, broken)) return;
            var fresh = await OpenAsync(_options, cancellation).ConfigureAwait(false);
            _connection = fresh;
            // Not disposed: another thread may be in a call on it. Its sockets are broken anyway.
        }
        finally
        {
            _gate.Release();
        }
    }

    private static async Task<HostConnection> OpenAsync(ClientOptions options, CancellationToken cancellation)
    {
        var connection = await TryOpenAsync(options, cancellation).ConfigureAwait(false);
        if (connection is not null) return connection;
        if (!options.StartHost)
        {
            throw new EditorBridgeException("HOST_UNREACHABLE",
                $"No EditorBridge host runs on {options.DataFolder}; start one with `editorbridge serve`.");
        }

        options.Notify?.Invoke("Starting the EditorBridge host.");
        await HostLauncher.StartAsync(options, async token =>
        {
            connection = await TryOpenAsync(options, token).ConfigureAwait(false);
            return connection is not null;
        }, cancellation).ConfigureAwait(false);
        return connection!;
    }

    private static async Task<HostConnection?> TryOpenAsync(ClientOptions options, CancellationToken cancellation)
    {
        var endpoint = HostEndpoint.Read(options.DataFolder);
        if (endpoint is null) return null;
        var connection = new HostConnection(endpoint);
        try
        {
            var deadline = TimeProvider.System.GetUtcNow().UtcDateTime + TimeSpan.FromSeconds(15);
            // Asked first, so that it is the first to fail where nobody listens.
            using var check = connection.Server.GetServerInfoAsync(new GetServerInfoRequest(), new CallOptions(deadline: deadline, cancellationToken: cancellation));
            foreach (var path in options.FirstMedia) _ = LookIntoAsync(connection, path, cancellation);
            await check.ConfigureAwait(false);
            return connection;
        }
        catch (RpcException) when (!cancellation.IsCancellationRequested)
        {
            connection.Dispose();
            return null;
        }
        catch
        {
            connection.Dispose();
            cancellation.ThrowIfCancellationRequested();
            throw;
        }
    }

    // Whoever asks about the file itself is told what is wrong with it.
    private static async Task LookIntoAsync(HostConnection connection, string path, CancellationToken cancellation)
    {
        try
        {
            var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + PlanDeadline, cancellationToken: cancellation);
            await connection.Media.ProbeMediaAsync(new ProbeMediaRequest { Media = new MediaSource { Path = path } }, options).ConfigureAwait(false);
        }
        catch (Exception error) when (error is RpcException or ObjectDisposedException or OperationCanceledException)
        {
        }
    }
}
