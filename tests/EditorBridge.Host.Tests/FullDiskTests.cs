using System.Diagnostics;
using EditorBridge.Client;
using EditorBridge.Host.Jobs;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Media;
using EditorBridge.Protocol.V1;
using Microsoft.Data.Sqlite;
using Rehearsal = EditorBridge.Protocol.Worker.V1.Rehearsal;

namespace EditorBridge.Host.Tests;

/// <summary>The disk of the data folder fills up: every place that writes there says so, and nothing is left half-written.</summary>
[Trait("Speed", "slow")]
public sealed class FullDiskTests
{
    [RootFact]
    public async Task A_row_is_written_with_the_space_set_aside_and_refused_without()
    {
        await using var disk = await SmallDisk.MakeAsync("8m");
        using var folder = DataFolder.TryOpen(Path.Combine(disk.Path, "d"))!;
        var reserve = new DiskReserve(folder);
        reserve.Ready();
        Assert.True(File.Exists(Path.Combine(folder.Root, "reserve")));
        using var database = new JobDatabase(folder.Database, reserve.Release);
        database.Write(c => JobDatabase.Execute(c, "CREATE TABLE filler (bytes BLOB)"));
        disk.Fill();
        var blob = new byte[200_000];
        int Insert() => database.Write(c => JobDatabase.Execute(c, "INSERT INTO filler VALUES ($b)", ("$b", blob)));
        Assert.Equal(1, Insert());
        Assert.False(File.Exists(Path.Combine(folder.Root, "reserve")));
        disk.Fill();
        var error = Assert.Throws<SqliteException>(() => { for (var i = 0; i < 100; i++) Insert(); });
        Assert.True(JobDatabase.IsFull(error));
        // What was stored is still there, and there is more when there is room.
        var rows = database.Read(c => { using var command = JobDatabase.Command(c, "SELECT count(*) FROM filler"); return (long)command.ExecuteScalar()!; });
        Assert.True(rows >= 1);
        disk.Empty();
        Assert.Equal(1, Insert());
    }

    [RootFact]
    public async Task Frozen_frames_are_whole_or_absent()
    {
        await using var disk = await SmallDisk.MakeAsync("4m");
        using var folder = new TemporaryFolder();
        var film = folder.File("film.mp4");
        await Tool.MakeFilmAsync(film, 12, "1280x720");
        var tools = (await FFmpegTools.FindAsync()).Value;
        var media = (await new MediaProbe(tools).ProbeAsync(film)).Value;
        MediaTime[] times = [.. Enumerable.Range(0, 9).Select(i => MediaTime.OfFrame(i, media.Rate))];
        var refusal = (await FrozenFrames.FreezeAtAsync(tools, media, times, media.Rate, disk.Path, "before")).Refusal!;
        Assert.Equal(MediaReasons.DiskFull, refusal.Reason);
        Assert.Contains("disk is full", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(disk.Path));
    }

    [RootFact]
    public async Task A_job_fails_by_name_the_host_answers_and_the_next_one_runs()
    {
        await using var disk = await SmallDisk.MakeAsync("48m");
        await using var host = await RunningHost.StartAtAsync(Path.Combine(disk.Path, "d"), ("SpareDiskBytes", "4000000"));
        using var client = await host.ConnectAsync();
        var name = (await client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 200, StepMilliseconds = 30 }))).Name;
        await foreach (var happened in client.WatchAsync(name))
            if (happened.Progress?.Step >= 5) break;
        var waiting = client.WaitAsync(name);
        // What is given back meanwhile is taken as well.
        while (!waiting.IsCompleted)
        {
            disk.Fill();
            await Task.Delay(20);
        }

        var ended = await waiting;
        Assert.Equal((Job.Types.State.Failed, "DISK_FULL"), (ended.State, EditorBridgeException.From(ended.Error).Reason));
        Assert.EndsWith(".", ended.Error.Message, StringComparison.Ordinal);
        var folder = Path.Combine(host.Data, ended.Name);
        Assert.False(Directory.Exists(Path.Combine(folder, "state")) || Directory.Exists(Path.Combine(folder, "takes")));

        disk.Fill();
        Assert.Equal(host.ProcessId, (await client.GetServerInfoAsync()).ProcessId);
        Assert.Contains(await client.DiagnoseAsync(), f => f is { Subject: "disk", Severity: Finding.Types.Severity.Error });
        Assert.Equal(ended.Name, (await client.GetAsync(name)).Name);
        // Refused at once or failed at once: either way by name.
        for (var i = 0; i < 20; i++)
        {
            try
            {
                var next = await client.WaitAsync((await client.SubmitAsync(RunningHost.Job())).Name);
                Assert.True(next.Error is not null, $"{next.Name}, number {i}: {next.State}, {disk.FreeBytes} bytes are free.");
                Assert.Equal("DISK_FULL", EditorBridgeException.From(next.Error).Reason);
            }
            catch (EditorBridgeException refused)
            {
                Assert.Equal("DISK_FULL", refused.Reason);
                Assert.Contains(host.Data, refused.Message, StringComparison.Ordinal);
            }
        }

        // A host that starts on a full disk either comes up or says why.
        await host.KillAsync();
        disk.Fill();
        using (var process = Process.Start(host.StartInfo())!)
        {
            process.BeginOutputReadLine();
            var said = process.StandardError.ReadToEndAsync();
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(TimeSpan.FromSeconds(20)));
            if (process.HasExited) Assert.Contains("full", await said, StringComparison.Ordinal);
            else process.Kill();
            await process.WaitForExitAsync();
        }

        disk.Empty();
        await host.StartAsync();
        var last = await client.WaitAsync((await client.SubmitAsync(RunningHost.Job())).Name);
        Assert.Equal(Job.Types.State.Succeeded, last.State);
    }

    [RootFact]
    public async Task Whoever_waits_for_a_job_is_told_where_there_is_no_room_even_for_its_row()
    {
        await using var disk = await SmallDisk.MakeAsync("48m");
        await using var host = await RunningHost.StartAtAsync(Path.Combine(disk.Path, "d"), ("SpareDiskBytes", "4000000"));
        using var client = await host.ConnectAsync();
        var name = (await client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 3000, StepMilliseconds = 20 }))).Name;
        await foreach (var happened in client.WatchAsync(name))
            if (happened.Progress?.Step >= 5) break;
        disk.Fill();
        File.Delete(Path.Combine(host.Data, "reserve"));
        disk.Fill();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var told = await client.WaitAsync(name, cancellation: patience.Token);
        Assert.Equal((Job.Types.State.Failed, "DISK_FULL"), (told.State, EditorBridgeException.From(told.Error).Reason));
        Assert.NotNull(told.EndTime);
        Assert.Equal(Job.Types.State.Running, (await client.GetAsync(name)).State);
        // So is whoever comes later.
        Assert.Equal(told.State, (await client.WaitAsync(name, cancellation: patience.Token)).State);

        disk.Empty();
        var clock = Stopwatch.StartNew();
        while ((await client.GetAsync(name)).State == Job.Types.State.Running && clock.Elapsed < TimeSpan.FromSeconds(60)) await Task.Delay(100);
        var stored = await client.GetAsync(name);
        Assert.Equal((Job.Types.State.Failed, told.Error, 1), (stored.State, stored.Error, stored.Attempt));
        Assert.Equal(Job.Types.State.Succeeded, (await client.WaitAsync((await client.SubmitAsync(RunningHost.Job())).Name)).State);
    }

    /// <summary>A file system of a few megabytes in memory.</summary>
    private sealed class SmallDisk : IAsyncDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public string Path => _folder.Path;

        public long FreeBytes => new DriveInfo(Path).AvailableFreeSpace;

        private string Filler => _folder.File("filler");

        public static async Task<SmallDisk> MakeAsync(string size)
        {
            var disk = new SmallDisk();
            await Tool.RunAsync("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", disk.Path);
            return disk;
        }

        /// <summary>Fills it to the last byte.</summary>
        public void Fill()
        {
            using var file = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, 0);
            foreach (var size in (int[])[1 << 20, 1 << 12, 1])
            {
                try
                {
                    while (true) file.Write(new byte[size]);
                }
                catch (IOException)
                {
                    // Smaller pieces may still fit.
                }
            }
        }

        public void Empty() => File.Delete(Filler);

        public async ValueTask DisposeAsync()
        {
            await Tool.RunAsync("umount", "--lazy", Path);
            _folder.Dispose();
        }
    }
}

/// <summary>A test that mounts a file system: skipped for other users than root, but not in continuous integration.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("CI") != "true" && (!OperatingSystem.IsLinux() || Environment.UserName != "root")) Skip = "A small disk can be made by root only.";
    }
}
