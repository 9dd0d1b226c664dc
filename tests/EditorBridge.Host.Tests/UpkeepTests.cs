using System.Security.Cryptography;
using EditorBridge.Host.Assets;
using EditorBridge.Host.Jobs;
using EditorBridge.Host.Services;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;
using Google.Rpc;
using Microsoft.Extensions.Logging.Abstractions;

namespace EditorBridge.Host.Tests;

/// <summary>What the host removes by itself, and what it never touches.</summary>
public sealed class UpkeepTests : IDisposable
{
    private readonly TemporaryFolder _temporary = new();
    private readonly ManualClock _clock = new();
    private readonly HostOptions _options = new();
    private readonly DataFolder _folder;
    private readonly JobDatabase _database;
    private readonly JobStore _jobs;
    private readonly AssetStore _assets;

    public UpkeepTests()
    {
        _folder = DataFolder.TryOpen(_temporary.File("data"))!;
        _database = new JobDatabase(_folder.Database);
        _jobs = new JobStore(_database);
        _assets = new AssetStore(_folder, _clock);
    }

    private JobRetention Retention => new(_jobs, _folder, _options, _clock, NullLogger<JobRetention>.Instance);

    public void Dispose()
    {
        _database.Dispose();
        _folder.Dispose();
        _temporary.Dispose();
    }

    [Fact]
    public async Task Jobs_that_ended_long_ago_go_on_the_day_they_are_due_and_nothing_else_does()
    {
        var delivered = _temporary.File("cut-media/clip.mp4");
        Directory.CreateDirectory(Path.GetDirectoryName(delivered)!);
        await File.WriteAllBytesAsync(delivered, new byte[10]);
        Add("succeeded", 100, RowState.Succeeded);
        Add("failed", 100, RowState.Failed);
        Add("cancelled", 100, RowState.Cancelled);
        Add("running", 100, RowState.Running);
        Add("waiting", 100, RowState.Queued);
        // A link out of the folder of a job leads to what is not the job's.
        File.CreateSymbolicLink(Path.Combine(_folder.Job("succeeded"), "delivered"), Path.GetDirectoryName(delivered)!);
        using var upkeep = new Upkeep(Retention, _jobs, _assets, new DiskReserve(_folder), _options, _clock, NullLogger<Upkeep>.Instance);
        await upkeep.StartAsync(default);
        _clock.Advance(_options.KeepJobs - TimeSpan.FromHours(1));
        Assert.Equal(5, _jobs.AllIds().Count);
        // It runs once a day, counted from the host's start.
        _clock.Advance(TimeSpan.FromDays(2));
        await RunningHost.UntilAsync(() => _jobs.AllIds().Count == 2, "the jobs that ended are gone");
        await upkeep.StopAsync(default);
        Assert.Equal(["running", "waiting"], _jobs.AllIds().Order());
        Assert.Equal(["running", "waiting"], Directory.GetDirectories(_folder.Jobs).Select(Path.GetFileName).Order());
        Assert.True(File.Exists(delivered));
    }

    [Fact]
    public async Task A_host_that_starts_after_a_long_rest_cleans_up_at_once()
    {
        Add("old", 100, RowState.Succeeded);
        _clock.Advance(TimeSpan.FromDays(31));
        using var upkeep = new Upkeep(Retention, _jobs, _assets, new DiskReserve(_folder), _options, _clock, NullLogger<Upkeep>.Instance);
        await upkeep.StartAsync(default);
        await RunningHost.UntilAsync(() => _jobs.AllIds().Count == 0, "the old job is gone");
        await upkeep.StopAsync(default);
        Assert.Empty(Directory.GetDirectories(_folder.Jobs));
    }

    [Fact]
    public void Above_the_size_limit_the_oldest_go_first_but_none_of_the_last_hour()
    {
        _options.MostJobBytes = 2500;
        foreach (var id in (string[])["one", "two", "three", "four"])
        {
            Add(id, 1000, RowState.Succeeded);
            Thread.Sleep(3);
        }

        Add("running", 1000, RowState.Running);
        Assert.Empty(Retention.Apply());
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(["one", "two", "three"], Retention.Apply());
        Assert.Equal(["four", "running"], _jobs.AllIds().Order());
        Assert.Empty(Retention.Apply());
    }

    [Fact]
    public void Zero_keeps_jobs_for_ever()
    {
        (_options.KeepJobs, _options.MostJobBytes) = (TimeSpan.Zero, 0);
        Add("old", 1000, RowState.Succeeded);
        _clock.Advance(TimeSpan.FromDays(10_000));
        Assert.Empty(Retention.Apply());
        Assert.Single(_jobs.AllIds());
    }

    [Fact]
    public async Task Uploads_go_when_nobody_has_wanted_them_for_a_while_and_no_job_needs_them()
    {
        var (unused, used, needed, begun) = (await UploadAsync(1), await UploadAsync(2), await UploadAsync(3), Hash(4));
        using (var upload = _assets.Begin(begun, 10, "begun.png")) await upload!.AppendAsync(new byte[5], default);
        var spec = RunningHost.Job().Spec;
        spec.References.Add(new Reference { Media = new MediaSource { Asset = AssetName.Of(needed) } });
        _jobs.Insert(New("needs", spec));
        _clock.Advance(_options.KeepAssets - TimeSpan.FromHours(1));
        Assert.NotNull(_assets.Use(used));
        Assert.Empty(Sweep());
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(new[] { unused, begun }.Order(), Sweep().Order());
        _jobs.RequestCancel("needs");
        Assert.Equal([needed], Sweep());
        _clock.Advance(_options.KeepAssets);
        Assert.Equal([used], Sweep());
        Assert.Empty(Directory.GetDirectories(_folder.Assets));
    }

    [Fact]
    public async Task An_upload_that_is_deleted_while_a_job_needs_it_is_hidden_until_the_job_has_ended()
    {
        var hash = await UploadAsync(1);
        var path = _assets.Use(hash)!;
        Assert.True(_assets.Delete(hash, isNeeded: true));
        Assert.Null(_assets.Get(hash));
        Assert.Null(_assets.Use(hash));
        Assert.Empty(_assets.Sweep(_clock.GetUtcNow() - _options.KeepAssets, new HashSet<string> { hash }));
        Assert.True(File.Exists(path));
        Assert.Equal([hash], Sweep());
        Assert.False(File.Exists(path));
    }

    private IReadOnlyList<string> Sweep() => _assets.Sweep(_clock.GetUtcNow() - _options.KeepAssets, _jobs.NeededAssets());

    private async Task<string> UploadAsync(byte content)
    {
        using var upload = _assets.Begin(Hash(content), 10, "picture.png")!;
        await upload.AppendAsync(Bytes(content), default);
        Assert.True(await upload.FinishAsync(default));
        return Hash(content);
    }

    private static byte[] Bytes(byte content) => [.. Enumerable.Repeat(content, 10)];

    private static string Hash(byte content) => Convert.ToHexStringLower(SHA256.HashData(Bytes(content)));

    /// <summary>A job with a file of so many bytes in its folder. One that waits is added last: the others are claimed.</summary>
    private void Add(string id, int bytes, RowState state)
    {
        _jobs.Insert(New(id, RunningHost.Job().Spec));
        Directory.CreateDirectory(Path.Combine(_folder.Job(id), "clips", "1"));
        File.WriteAllBytes(Path.Combine(_folder.Job(id), "clips", "1", "clip.mp4"), new byte[bytes]);
        if (state == RowState.Queued) return;
        var (job, lease) = _jobs.Claim("test", "", TimeSpan.FromDays(400))!.Value;
        Assert.Equal(id, job.Id);
        _ = state switch
        {
            RowState.Succeeded => _jobs.Succeed(lease),
            RowState.Failed => _jobs.Fail(lease, Errors.Describe(Code.Aborted, "X", "x")),
            RowState.Cancelled => _jobs.EndCancelled(lease),
            _ => true,
        };
    }

    private static NewJob New(string id, JobSpec spec) => new()
    {
        Id = id, RequestId = null, RequestHash = [1], Spec = spec, Labels = new Job(), Priority = 0, MaxAttempts = 3,
        Plan = new Plan { Model = "models/small", PlannerJson = "{}" },
    };
}
