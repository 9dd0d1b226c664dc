using System.Security.Cryptography;
using System.Text.Json;
using EditorBridge.Client;
using EditorBridge.Host.Jobs;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Media;
using EditorBridge.Protocol.V1;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using ClipFile = EditorBridge.Protocol.V1.ClipFile;
using Fault = EditorBridge.Protocol.Worker.V1.Rehearsal.Types.Fault;
using Rehearsal = EditorBridge.Protocol.Worker.V1.Rehearsal;

namespace EditorBridge.Host.Tests;

/// <summary>Jobs carried through by a real worker process, which is made to fail in every way there is.</summary>
[Collection(SharedHost.Name)]
[Trait("Speed", "slow")]
public sealed class RunningJobTests(SharedHost shared)
{
    [Fact]
    public async Task A_job_runs_to_the_exact_clip_and_is_fetched()
    {
        var job = RunningHost.Job(new Rehearsal { Steps = 4 }, frames: 9);
        job.Spec.Takes = 2;
        var events = new List<JobEvent>();
        var ended = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(job)).Name, events.Add);
        Assert.Equal(Job.Types.State.Succeeded, ended.State);
        Assert.Equal(2, ended.Takes.Count);
        Assert.Equal([7L, 8L], ended.Takes.Select(t => t.Clip.Seed));
        Assert.All(ended.Takes, t => Assert.Equal(9, t.Clip.Frames));
        Assert.NotEqual(ended.Takes[0].Clip.Files.First(f => f.Part == ClipFile.Types.Part.Media).Sha256, ended.Takes[1].Clip.Files.First(f => f.Part == ClipFile.Types.Part.Media).Sha256);
        Assert.NotNull(events[0].Job);
        Assert.NotNull(events[^1].Job);
        Assert.Equal(events.Select(e => e.Sequence).Distinct().Order(), events.Select(e => e.Sequence));
        var fractions = events.Where(e => e.Progress is not null).Select(e => e.Progress.Fraction).ToList();
        Assert.Equal(fractions.Order(), fractions);

        using var folder = new TemporaryFolder();
        var path = folder.File("clips/out.mp4");
        var file = await shared.Client.FetchAsync(ended.Takes[0].Clip, path);
        Assert.Equal(file.Sha256.ToByteArray(), SHA256.HashData(await File.ReadAllBytesAsync(path)));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
        var tools = (await FFmpegTools.FindAsync()).Value;
        var media = (await new MediaProbe(tools).ProbeAsync(path)).Value;
        Assert.Equal((9L, new Timeline.FrameRate(24000, 1001), 128, 64), (media.FrameCount, media.Rate, media.Width, media.Height));
        var refused = await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.FetchAsync(ended.Takes[0].Clip, path));
        Assert.Equal("CANNOT_WRITE", refused.Reason);
        Assert.False(Directory.Exists(Path.Combine(shared.Host.Data, ended.Name, "inputs")));
    }

    [Fact]
    public async Task The_frames_beside_a_cut_are_frozen_before_the_worker_starts()
    {
        var first = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(RunningHost.Job(frames: 20))).Name);
        using var folder = new TemporaryFolder();
        var source = folder.File("shot.mp4");
        await shared.Client.FetchAsync(first.Takes[0].Clip, source);
        var job = RunningHost.Job(new Rehearsal { Steps = 60, StepMilliseconds = 100 });
        job.Spec.Kind = JobSpec.Types.Kind.Extend;
        job.Spec.ContextBefore = new ContextFrames
        {
            Segment = new MediaSegment { Media = new MediaSource { Path = source }, Range = new FrameRange { Start = 5, Duration = 12 } }, Frames = 5,
        };
        var name = (await shared.Client.SubmitAsync(job)).Name;
        await foreach (var happened in shared.Client.WatchAsync(name))
            if (happened.Progress?.Stage == JobProgress.Types.Stage.Sampling) break;
        var inputs = Path.Combine(shared.Host.Data, name, "inputs");
        using (var reader = FrozenFrames.Open(inputs, "before").Value)
        {
            Assert.Equal((5, 128, 64), (reader.Info.Count, reader.Info.Width, reader.Info.Height));
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(source))), reader.Info.SourceSha256);
        }

        using var plan = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(shared.Host.Data, name, "plan.json")));
        // The last frame named touches the cut: 5 + 12 - 1.
        Assert.Equal([12, 13, 14, 15, 16], plan.RootElement.GetProperty("before").GetProperty("frames").EnumerateArray().Select(f => f.GetInt32()));
        await shared.Client.CancelAsync(name);
        Assert.Equal(Job.Types.State.Cancelled, (await shared.Client.WaitAsync(name)).State);
    }

    [Theory]
    [InlineData(15, 10, "before")]
    [InlineData(0, 0, "before")]
    [InlineData(-1, 5, "before")]
    [InlineData(20, 5, "after")]
    public async Task A_range_that_the_media_does_not_have_is_refused(long start, long duration, string side)
    {
        var made = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(RunningHost.Job(frames: 20))).Name);
        var context = new ContextFrames
        {
            Segment = new MediaSegment
            {
                Media = new MediaSource { Path = made.Takes[0].Clip.Files.First(f => f.Part == ClipFile.Types.Part.Media).LocalPath },
                Range = new FrameRange { Start = start, Duration = duration },
            },
        };
        var job = RunningHost.Job();
        job.Spec.Kind = JobSpec.Types.Kind.Extend;
        if (side == "before") job.Spec.ContextBefore = context;
        else job.Spec.ContextAfter = context;
        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.SubmitAsync(job));
        Assert.Equal(("MEDIA_OUT_OF_RANGE", $"job.spec.context_{side}.segment.range"), (error.Reason, error.Field));
    }

    [Fact]
    public async Task A_submission_that_is_broken_off_leaves_no_job_at_work()
    {
        for (var milliseconds = 0; milliseconds < 60; milliseconds += 6)
        {
            var id = Guid.NewGuid();
            using var limit = new CancellationTokenSource(milliseconds);
            try
            {
                var job = await shared.Client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 3000, StepMilliseconds = 20 }), id, limit.Token);
                await shared.Client.CancelAsync(job.Name);
            }
            catch (OperationCanceledException)
            {
                // As asked.
            }
        }

        await foreach (var job in shared.Client.ListAsync("state = QUEUED OR state = RUNNING OR state = CANCELLING"))
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            Assert.Equal(Job.Types.State.Cancelled, (await shared.Client.WaitAsync(job.Name, cancellation: patience.Token)).State);
        }
    }

    [Fact]
    public async Task A_worker_that_aborts_is_replaced_and_the_job_goes_on_where_it_was_saved()
    {
        var whole = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 8 }))).Name);
        var steps = new List<int>();
        var job = RunningHost.Job(new Rehearsal { Steps = 8, Fault = Fault.Abort, FaultStep = 5, FaultUntilFence = 1 });
        var ended = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(job)).Name, e =>
        {
            if (e.Progress is { Stage: JobProgress.Types.Stage.Sampling } p) steps.Add(p.Step);
        });
        Assert.Equal((Job.Types.State.Succeeded, 2), (ended.State, ended.Attempt));
        Assert.Null(ended.Error);
        // No step was done twice, and the bits are those of a run without a crash.
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], steps);
        Assert.Equal(whole.Takes[0].Clip.Files.First(f => f.Part == ClipFile.Types.Part.Media).Sha256, ended.Takes[0].Clip.Files.First(f => f.Part == ClipFile.Types.Part.Media).Sha256);
    }

    [Theory]
    [InlineData(Fault.Abort, "WORKER_CRASHED", 3)]
    [InlineData(Fault.OutOfMemory, "OUT_OF_MEMORY", 1)]
    [InlineData(Fault.DiskFull, "DISK_FULL", 1)]
    public async Task A_job_that_cannot_be_made_fails_with_its_reason(Fault fault, string reason, int attempts)
    {
        var job = RunningHost.Job(new Rehearsal { Steps = 3, Fault = fault });
        var ended = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(job)).Name);
        Assert.Equal((Job.Types.State.Failed, attempts), (ended.State, ended.Attempt));
        Assert.Equal(reason, ended.Error.GetDetail<ErrorInfo>().Reason);
        Assert.False(string.IsNullOrWhiteSpace(ended.Error.Message));
        Assert.All(ended.Takes, t => Assert.Null(t.Clip));
    }

    [Fact]
    public async Task A_worker_that_hangs_is_ended_and_the_job_goes_on()
    {
        var job = RunningHost.Job(new Rehearsal { Steps = 3, Fault = Fault.Hang, FaultStep = 1, FaultUntilFence = 1 });
        var ended = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(job)).Name);
        Assert.Equal((Job.Types.State.Succeeded, 2), (ended.State, ended.Attempt));
    }

    [Fact]
    public async Task A_worker_that_is_frozen_is_ended_and_the_job_goes_on()
    {
        var name = (await shared.Client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 100, StepMilliseconds = 20 }))).Name;
        var frozen = 0;
        var ended = default(Job);
        await foreach (var happened in shared.Client.WatchAsync(name))
        {
            if (frozen == 0 && happened.Progress?.Step >= 20) await RunningHost.Signal("STOP", frozen = Assert.Single(shared.Host.Workers()));
            ended = happened.Job ?? ended;
        }

        Assert.Equal((Job.Types.State.Succeeded, 2), (ended!.State, ended.Attempt));
        Assert.False(RunningHost.IsAlive(frozen));
    }

    [Theory]
    [InlineData(Fault.None)]
    [InlineData(Fault.IgnoreRequests)]
    public async Task A_cancel_ends_the_job_within_moments_whether_or_not_the_worker_obeys(Fault fault)
    {
        var job = RunningHost.Job(new Rehearsal { Steps = 10_000, StepMilliseconds = 20, Fault = fault, FaultStep = 500 });
        var name = (await shared.Client.SubmitAsync(job)).Name;
        var asked = default(long);
        await foreach (var happened in shared.Client.WatchAsync(name))
        {
            if (asked == 0 && happened.Progress?.Step >= 5)
            {
                Assert.Equal(Job.Types.State.Cancelling, (await shared.Client.CancelAsync(name)).State);
                asked = TimeProvider.System.GetTimestamp();
            }

            if (happened.Job is { State: Job.Types.State.Cancelled }) break;
        }

        Assert.True(asked > 0);
        // Two seconds of grace, and what a busy machine adds.
        Assert.InRange(TimeProvider.System.GetElapsedTime(asked), TimeSpan.Zero, TimeSpan.FromSeconds(20));
        var ended = await shared.Client.GetAsync(name);
        Assert.Equal(Job.Types.State.Cancelled, ended.State);
        Assert.NotNull(ended.EndTime);
        Assert.Equal(Job.Types.State.Cancelled, (await shared.Client.CancelAsync(name)).State);
    }

    [Fact]
    public async Task A_watch_that_breaks_off_goes_on_and_leaving_it_does_not_touch_the_job()
    {
        var name = (await shared.Client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 60, StepMilliseconds = 20 }))).Name;
        var seen = new List<long>();
        Job? last = null;
        while (last is null || !EditorBridgeClient.IsFinal(last.State))
        {
            var taken = 0;
            await foreach (var happened in shared.Client.WatchAsync(name, seen.Count == 0 ? 0 : seen[^1]))
            {
                seen.Add(happened.Sequence);
                last = happened.Job ?? last;
                if (++taken == 5) break;
            }
        }

        Assert.Equal(Job.Types.State.Succeeded, last.State);
        Assert.Equal(1, last.Attempt);
        Assert.Equal(seen.Distinct().Order(), seen);
    }

    [Fact]
    public async Task A_watch_ends_with_its_job_also_where_the_event_is_lost()
    {
        var busy = (await shared.Client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 3000, StepMilliseconds = 20 }))).Name;
        var name = (await shared.Client.SubmitAsync(RunningHost.Job())).Name;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        var watched = new TaskCompletionSource();
        var waiting = shared.Client.WaitAsync(name, _ => watched.TrySetResult(), cancellation: patience.Token);
        await watched.Task.WaitAsync(patience.Token);
        // Behind the host's back, so that nobody is told.
        using (var database = new JobDatabase(Path.Combine(shared.Host.Data, "jobs.db"))) new JobStore(database).RequestCancel(name.Split('/')[1]);
        var ended = await waiting;
        await shared.Client.CancelAsync(busy);
        Assert.Equal(Job.Types.State.Cancelled, ended.State);
        await shared.Client.WaitAsync(busy, cancellation: patience.Token);
    }

    [Fact]
    public async Task A_download_goes_on_at_any_offset()
    {
        var ended = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(RunningHost.Job(frames: 30))).Name);
        var clip = ended.Takes[0].Clip;
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{shared.Host.Endpoint.GrpcPort}");
        var jobs = new JobService.JobServiceClient(channel);
        var headers = new Metadata { { "authorization", "Bearer " + shared.Host.Endpoint.Token } };
        var whole = await Read(0, 0);
        var file = clip.Files.First(f => f.Part == ClipFile.Types.Part.Media);
        Assert.Equal(file.SizeBytes, whole.Length);
        Assert.Equal(file.Sha256.ToByteArray(), SHA256.HashData(whole));
        foreach (var offset in new[] { 1, 1000, whole.Length - 1, whole.Length }) Assert.Equal(whole[offset..], await Read(offset, 0));
        Assert.Equal(whole[100..110], await Read(100, 10));
        var outside = await Assert.ThrowsAsync<RpcException>(() => Read(whole.Length + 1, 0));
        Assert.Equal(StatusCode.OutOfRange, outside.StatusCode);
        var nothing = await Assert.ThrowsAsync<RpcException>(async () => await jobs.DownloadClip(new DownloadClipRequest { Name = "jobs/x/clips/../../y" }, headers).ResponseStream.MoveNext());
        Assert.Equal(StatusCode.NotFound, nothing.StatusCode);

        async Task<byte[]> Read(long offset, long limit)
        {
            using var call = jobs.DownloadClip(new DownloadClipRequest { Name = clip.Name, ReadOffset = offset, ReadLimit = limit }, headers);
            var bytes = new MemoryStream();
            await foreach (var message in call.ResponseStream.ReadAllAsync())
            {
                if (message.Data is null) continue;
                Assert.True(message.Data.IsIntact);
                Assert.Equal(offset + bytes.Length, message.Offset);
                message.Data.Content.WriteTo(bytes);
            }

            return bytes.ToArray();
        }
    }

    [Fact]
    public async Task A_job_that_has_ended_can_be_removed_with_its_files()
    {
        var ended = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(RunningHost.Job())).Name);
        Assert.True(Directory.Exists(Path.Combine(shared.Host.Data, ended.Name)));
        await shared.Client.DeleteAsync(ended.Name);
        Assert.False(Directory.Exists(Path.Combine(shared.Host.Data, ended.Name)));
        await Assert.ThrowsAsync<EditorBridgeException>(() => shared.Client.GetAsync(ended.Name));
    }

    [Fact]
    public async Task Json_panels_can_watch_as_well()
    {
        var name = (await shared.Client.SubmitAsync(RunningHost.Job())).Name;
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{shared.Host.Endpoint.HttpPort}/v1/{name}:watch");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + shared.Host.Endpoint.Token);
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        using var last = JsonDocument.Parse(lines[^1]);
        Assert.Equal("SUCCEEDED", last.RootElement.GetProperty("job").GetProperty("state").GetString());
    }

    [Fact]
    public async Task The_log_names_the_job_and_neither_prompt_nor_token()
    {
        var ended = await shared.Client.WaitAsync((await shared.Client.SubmitAsync(RunningHost.Job())).Name);
        var log = "";
        foreach (var file in Directory.GetFiles(Path.Combine(shared.Host.Data, "log")))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            log += await new StreamReader(stream).ReadToEndAsync();
        }

        Assert.Contains($"\"Job\":\"{ended.Name}\"", log, StringComparison.Ordinal);
        Assert.DoesNotContain("stubble field", log, StringComparison.Ordinal);
        Assert.DoesNotContain(shared.Host.Endpoint.Token, log, StringComparison.Ordinal);
    }
}
