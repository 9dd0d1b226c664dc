using System.Diagnostics;
using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;
using EditorBridge.Protocol.V1;
using Rehearsal = EditorBridge.Protocol.Worker.V1.Rehearsal;

namespace EditorBridge.Host.Tests;

/// <summary>Hosts that are killed, stopped, started twice, or left alone.</summary>
[Trait("Speed", "slow")]
public class HostLifeTests
{
    [Fact]
    public async Task A_killed_host_loses_nothing_and_its_worker_goes_with_it()
    {
        await using var host = await RunningHost.StartAsync();
        using var client = await host.ConnectAsync();
        var waiting = new List<string>();
        var name = (await client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 40, StepMilliseconds = 30 }))).Name;
        for (var i = 0; i < 5; i++) waiting.Add((await client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 1 }))).Name);
        var firstRun = 0;
        await foreach (var happened in client.WatchAsync(name))
            if ((firstRun = happened.Progress?.Step ?? 0) >= 10) break;
        var worker = Assert.Single(host.Workers());
        var socket = host.Endpoint.Socket!;
        await host.KillAsync();
        Assert.True(File.Exists(socket));
        await host.StartAsync();
        var steps = new List<int>();
        // The same client finds the new host by itself.
        var ended = await client.WaitAsync(name, e =>
        {
            if (e.Progress is { Stage: JobProgress.Types.Stage.Sampling } p) steps.Add(p.Step);
        });
        Assert.Equal((Job.Types.State.Succeeded, 2), (ended.State, ended.Attempt));
        Assert.True(steps[0] > firstRun, $"went on at {steps[0]} after {firstRun}");
        foreach (var other in waiting) Assert.Equal(Job.Types.State.Succeeded, (await client.WaitAsync(other)).State);
        await RunningHost.UntilAsync(() => !RunningHost.IsAlive(worker), "the first worker is gone");
    }

    [Fact]
    public async Task A_host_that_is_stopped_saves_its_job_and_goes_on_at_the_next_start()
    {
        await using var host = await RunningHost.StartAsync();
        using var client = await host.ConnectAsync();
        var name = (await client.SubmitAsync(RunningHost.Job(new Rehearsal { Steps = 60, StepMilliseconds = 30 }))).Name;
        await foreach (var happened in client.WatchAsync(name))
            if (happened.Progress?.Step >= 10) break;
        Assert.Equal(0, await host.TerminateAsync());
        Assert.False(File.Exists(Path.Combine(host.Data, HostEndpoint.FileName)));
        await host.StartAsync();
        var ended = await client.WaitAsync(name);
        // A stop is not a failed attempt.
        Assert.Equal((Job.Types.State.Succeeded, 1), (ended.State, ended.Attempt));
    }

    [Fact]
    public async Task A_second_host_on_the_folder_says_so_and_leaves_the_first_alone()
    {
        await using var host = await RunningHost.StartAsync();
        using var second = Process.Start(host.StartInfo())!;
        var said = await second.StandardError.ReadToEndAsync();
        await second.WaitForExitAsync();
        Assert.Equal(3, second.ExitCode);
        Assert.Contains(host.Data, said, StringComparison.Ordinal);
        Assert.Single(said.Trim().Split('\n'));
        using var client = await host.ConnectAsync();
        Assert.Equal(host.ProcessId, (await client.GetServerInfoAsync()).ProcessId);
    }

    [Fact]
    public async Task A_host_that_nobody_needs_ends_by_itself_and_cleans_up()
    {
        await using var host = await RunningHost.StartAsync(("IdleTimeout", "00:00:02"));
        var socket = host.Endpoint.Socket!;
        Assert.True(await host.EndsByItselfAsync(TimeSpan.FromSeconds(60)));
        Assert.False(File.Exists(socket));
        Assert.False(File.Exists(Path.Combine(host.Data, HostEndpoint.FileName)));
    }

    [Fact]
    public async Task A_long_folder_name_is_no_hindrance_to_the_socket()
    {
        var settings = ("Data", Path.Combine(Path.GetTempPath(), "eb-" + Guid.NewGuid().ToString("N"), new string('x', 120)));
        await using var host = await RunningHost.StartAsync();
        var info = host.StartInfo();
        info.Environment["EDITORBRIDGE_DATA"] = settings.Item2;
        using var process = Process.Start(info)!;
        try
        {
            await RunningHost.UntilAsync(() => HostEndpoint.Read(settings.Item2) is not null, "the host is up");
            var endpoint = HostEndpoint.Read(settings.Item2)!;
            Assert.InRange(endpoint.Socket!.Length, 1, 107);
            using var client = await EditorBridgeClient.ConnectAsync(new ClientOptions { DataFolder = settings.Item2, StartHost = false });
            await client.StopHostAsync();
            await process.WaitForExitAsync();
            Directory.Delete(Path.GetDirectoryName(endpoint.Socket)!);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
            Directory.Delete(Path.GetDirectoryName(settings.Item2)!, recursive: true);
        }
    }

    [Fact]
    public async Task A_job_that_would_fill_the_disk_is_not_begun()
    {
        await using var host = await RunningHost.StartAsync(("SpareDiskBytes", "1000000000000000000"));
        using var client = await host.ConnectAsync();
        var ended = await client.WaitAsync((await client.SubmitAsync(RunningHost.Job())).Name);
        Assert.Equal(Job.Types.State.Failed, ended.State);
        Assert.Equal("DISK_FULL", EditorBridgeException.From(ended.Error).Reason);
        Assert.Contains(await client.DiagnoseAsync(), f => f is { Subject: "disk", Severity: Finding.Types.Severity.Error });
        Assert.Empty(host.Workers());
    }

    [Theory]
    [InlineData("--max-attempts", "0", "MaxAttempts")]
    [InlineData("--device", "toaster", "Device")]
    [InlineData("--idle-timeout", "soon", "soon")]
    [InlineData("--no-such-option", "1", "--no-such-option")]
    public async Task A_setting_that_cannot_be_used_is_named(string option, string value, string named)
    {
        using var folder = new TemporaryFolder();
        var info = new ProcessStartInfo(RunningHost.Program) { UseShellExecute = false, RedirectStandardError = true };
        info.Environment["EDITORBRIDGE_DATA"] = folder.Path;
        info.ArgumentList.Add(option);
        info.ArgumentList.Add(value);
        using var process = Process.Start(info)!;
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(2, process.ExitCode);
        Assert.Contains(named, said, StringComparison.Ordinal);
        Assert.Single(said.Trim().Split('\n'));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_used_is_named()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("data"), "a file where a folder should be");
        var info = new ProcessStartInfo(RunningHost.Program) { UseShellExecute = false, RedirectStandardError = true };
        info.Environment["EDITORBRIDGE_DATA"] = folder.File("data");
        using var process = Process.Start(info)!;
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(4, process.ExitCode);
        Assert.Contains(folder.File("data"), said, StringComparison.Ordinal);
    }
}
