using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd;

/// <summary>What a host does before anybody asks for a plan.</summary>
[Trait("Speed", "slow")]
public sealed class WarmUpTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        Workspace.StopHost(folder.File("d"));
        folder.Dispose();
    }

    [LinuxFact]
    public async Task Who_asks_while_the_machine_is_measured_waits_for_it()
    {
        // The first command on a new machine starts the host, which is measuring when the question comes.
        var doctor = await new CliProgram(folder.File("d")).RunAsync("doctor", "--json");
        Assert.True(doctor.ExitCode == 0, doctor.ToString());
        Assert.Contains(doctor.Events("finding"), finding => finding.GetProperty("subject").GetString() == "pipeline");
    }

    [LinuxFact]
    public async Task A_host_that_starts_measures_the_machine_once()
    {
        var cli = new CliProgram(folder.File("d"));
        var speed = Path.Combine(folder.File("d"), "speed.json");
        Assert.Equal(0, (await cli.RunAsync("jobs", "list", "--json")).ExitCode);
        for (var tries = 0; tries < 1200 && !File.Exists(speed); tries++) await Task.Delay(100);
        var measured = await File.ReadAllTextAsync(speed);
        Workspace.StopHost(folder.File("d"));

        // What is known is kept: the next host starts no worker for it.
        Assert.Equal(0, (await cli.RunAsync("models", "list", "--json")).ExitCode);
        var host = Workspace.Host(folder.File("d"))!;
        await Task.Delay(3000);
        Assert.DoesNotContain(Workspace.Children(host.Id), child => Words(child).Contains("EditorBridge.Worker", StringComparison.Ordinal));
        Assert.Equal(measured, await File.ReadAllTextAsync(speed));
    }

    private static string Words(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (IOException)
        {
            return ""; // It has ended meanwhile.
        }
    }
}
