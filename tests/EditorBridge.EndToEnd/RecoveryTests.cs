using System.Diagnostics;
using System.Text.Json;
using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd;

/// <summary>Programs that are killed, disks that fill, users who change their minds.</summary>
[Trait("Speed", "slow")]
public sealed class RecoveryTests : IAsyncLifetime
{
    private readonly Workspace workspace = new();

    public Task InitializeAsync() => workspace.InitializeAsync();

    public Task DisposeAsync() => workspace.DisposeAsync();

    [LinuxFact]
    public async Task A_worker_killed_in_the_middle_is_replaced_and_the_clip_is_the_same()
    {
        var undisturbed = await FillAsync("calm", null);
        var killed = 0;
        var disturbed = await FillAsync("worker", (line, _) =>
        {
            if (!IsDenoising(line, 3) || Interlocked.Exchange(ref killed, 1) == 1) return;
            using var host = Workspace.Host(workspace.DataFolder)!;
            foreach (var child in Workspace.Children(host.Id))
            {
                try
                {
                    // Not the ffprobes that it keeps ready.
                    if (!File.ReadAllText($"/proc/{child}/comm").StartsWith("EditorBridge", StringComparison.Ordinal)) continue;
                }
                catch (IOException)
                {
                    continue; // It has ended.
                }

                using var worker = Process.GetProcessById(child);
                worker.Kill();
            }
        });
        Assert.Equal(1, killed);
        Assert.Contains(disturbed.Events("state"), state => state.TryGetProperty("attempt", out var attempt) && attempt.GetInt32() > 1);
        Assert.Equal(await PicturesAsync(undisturbed), await PicturesAsync(disturbed));
    }

    [LinuxFact]
    public async Task A_host_killed_in_the_middle_is_started_again_and_the_clip_is_the_same()
    {
        var undisturbed = await FillAsync("calm", null);
        var killed = 0;
        var disturbed = await FillAsync("host", (line, _) =>
        {
            if (!IsDenoising(line, 3) || Interlocked.Exchange(ref killed, 1) == 1) return;
            using var host = Workspace.Host(workspace.DataFolder)!;
            host.Kill();
        });
        Assert.Equal(1, killed);
        Assert.Equal(await PicturesAsync(undisturbed), await PicturesAsync(disturbed));
    }

    [LinuxFact]
    public async Task Ctrl_C_cancels_the_job_and_leaves_nothing()
    {
        var input = workspace.TwoShots("cancel.otio");
        var output = workspace.File("cancelled.otio");
        var sent = 0;
        var result = await workspace.Cli.RunAsync((line, process) =>
        {
            if (IsDenoising(line, 2) && Interlocked.Exchange(ref sent, 1) == 0) CliProgram.Interrupt(process);
        }, "fill", "--timeline", input, "--out", output, "--gap", "1", "--prompt", "sea", "--steps", "40", "--json");
        Assert.Equal(1, sent);
        Assert.True(result.ExitCode == 130, result.ToString());
        Assert.Equal("CANCELLED", Assert.Single(result.Events("error")).GetProperty("reason").GetString());
        Assert.False(File.Exists(output));
        Assert.Empty(Directory.GetFiles(workspace.Path, "*.part", SearchOption.AllDirectories));
        var job = Assert.Single((await workspace.Cli.RunAsync("jobs", "list", "--json")).Events("state"));
        Assert.Equal("cancelled", job.GetProperty("state").GetString());
    }

    [FFmpegFact]
    public async Task Two_hosts_on_one_data_folder_are_one()
    {
        Assert.Equal(0, (await workspace.Cli.RunAsync("models", "list", "--json")).ExitCode);
        using var first = Workspace.Host(workspace.DataFolder)!;
        var second = await workspace.Cli.RunAsync("serve");
        Assert.NotEqual(0, second.ExitCode);
        Assert.Contains([.. second.Errors, .. second.Output], line => line.Contains(workspace.DataFolder, StringComparison.Ordinal));
        Assert.False(first.HasExited);
        // Two commands at once, with no host running yet, end up at one.
        using var own = new TemporaryFolder();
        var data = own.File("d");
        try
        {
            var cli = new CliProgram(data);
            var both = await Task.WhenAll(cli.RunAsync("models", "list", "--json"), cli.RunAsync("models", "list", "--json"));
            Assert.All(both, result => Assert.True(result.ExitCode == 0, result.ToString()));
            Assert.NotNull(Workspace.Host(data));
        }
        finally
        {
            Workspace.StopHost(data);
        }
    }

    [LinuxFact(AsRoot = true)]
    public async Task A_full_disk_is_named_and_nothing_half_written_stays()
    {
        var small = workspace.File("small");
        Directory.CreateDirectory(small);
        await Tool.RunAsync("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small);
        try
        {
            var input = workspace.TwoShots("disk.otio");
            File.WriteAllBytes(Path.Combine(small, "filler"), new byte[56 << 10]);
            var output = Path.Combine(small, "out.otio");
            var result = await workspace.Cli.RunAsync("fill", "--timeline", input, "--out", output, "--gap", "1", "--prompt", "sea", "--steps", "2", "--json");
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(small, Assert.Single(result.Events("error")).GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.Equal(["filler"], Directory.GetFiles(small, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        }
        finally
        {
            await Tool.RunAsync("umount", small);
        }
    }

    [LinuxFact(AsRoot = true)]
    public async Task A_full_disk_under_the_host_fails_the_job_and_nothing_else()
    {
        // The data folder on a disk of its own, which somebody else fills while the pipeline saves its state.
        Directory.CreateDirectory(workspace.DataFolder);
        await Tool.RunAsync("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", workspace.DataFolder);
        try
        {
            var cli = workspace.Cli.With("EDITORBRIDGE_HOST__SpareDiskBytes", "8000000");
            var input = workspace.TwoShots("full.otio");
            var before = File.ReadAllBytes(input);
            var output = workspace.File("full.out.otio");
            var filler = Path.Combine(workspace.DataFolder, "filler");
            var filled = 0;
            // What is given back meanwhile is taken as well.
            var result = await cli.RunAsync((line, _) =>
            {
                if (!IsDenoising(line, 2)) return;
                filled++;
                Fill(filler);
            }, "fill", "--timeline", input, "--out", output, "--gap", "1", "--prompt", "sea", "--steps", "40", "--json");
            Assert.NotEqual(0, filled);
            Assert.True(result.ExitCode == 1, result.ToString());
            var error = Assert.Single(result.Events("error"));
            Assert.Equal("DISK_FULL", error.GetProperty("reason").GetString());
            Assert.Contains("disk", error.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.Equal(before, File.ReadAllBytes(input));
            Assert.False(File.Exists(output));
            Assert.Empty(Directory.GetFiles(workspace.Path, "*.part", SearchOption.AllDirectories));
            // Full as it is, the host answers, and says of the next job why it cannot be.
            Fill(filler);
            Assert.Equal("failed", Assert.Single((await cli.RunAsync("jobs", "list", "--json")).Events("state")).GetProperty("state").GetString());
            var next = await cli.RunAsync("fill", "--timeline", input, "--out", output, "--gap", "1", "--prompt", "sea", "--steps", "2", "--json");
            Assert.Equal((1, "DISK_FULL"), (next.ExitCode, Assert.Single(next.Events("error")).GetProperty("reason").GetString()));
            File.Delete(filler);
            var last = await cli.RunAsync("fill", "--timeline", input, "--out", output, "--gap", "1", "--prompt", "sea", "--steps", "2", "--json");
            Assert.True(last.ExitCode == 0, last.ToString());
        }
        finally
        {
            Workspace.StopHost(workspace.DataFolder);
            await Tool.RunAsync("umount", "--lazy", workspace.DataFolder);
        }
    }

    [LinuxFact]
    public async Task Several_takes_that_are_cancelled_midway_leave_nothing()
    {
        var input = workspace.TwoShots("takes.otio");
        var output = workspace.File("takes.out.otio");
        var sent = 0;
        var result = await workspace.Cli.RunAsync((line, process) =>
        {
            if (IsDenoising(line, 1) && JsonDocument.Parse(line).RootElement.GetProperty("take").GetInt32() == 1 && Interlocked.Exchange(ref sent, 1) == 0) CliProgram.Interrupt(process);
        }, "fill", "--timeline", input, "--out", output, "--gap", "1", "--prompt", "sea", "--steps", "6", "--takes", "3", "--json");
        Assert.Equal(1, sent);
        Assert.True(result.ExitCode == 130, result.ToString());
        Assert.Equal("CANCELLED", Assert.Single(result.Events("error")).GetProperty("reason").GetString());
        Assert.False(File.Exists(output));
        Assert.False(Directory.Exists(workspace.File("takes.out-media")));
        var job = Assert.Single((await workspace.Cli.RunAsync("jobs", "list", "--json")).Events("state"));
        Assert.Equal("cancelled", job.GetProperty("state").GetString());
    }

    // To the last byte, however the disk counts its blocks.
    private static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None, 0);
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

    private async Task<CliResult> FillAsync(string name, Action<string, Process>? onLine)
    {
        var result = await workspace.Cli.RunAsync(onLine, "fill", "--timeline", workspace.TwoShots(name + ".otio"), "--out", workspace.File(name + ".out.otio"),
            "--gap", "1", "--prompt", "a quiet sea", "--seed", "11", "--steps", "20", "--json");
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }

    private static Task<string> PicturesAsync(CliResult result) => Tool.RunAsync("ffmpeg", "-v", "error", "-i",
        result.Events("done")[0].GetProperty("clips")[0].GetProperty("path").GetString()!, "-f", "framemd5", "-");

    private static bool IsDenoising(string line, int step)
    {
        using var parsed = JsonDocument.Parse(line);
        return parsed.RootElement.TryGetProperty("stage", out var stage) && stage.GetString() == "denoise" && parsed.RootElement.GetProperty("step").GetInt32() >= step;
    }
}
