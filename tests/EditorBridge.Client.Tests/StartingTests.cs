using System.Diagnostics;
using EditorBridge.Host.Tests.Support;

namespace EditorBridge.Client.Tests;

/// <summary>The client finds the host, or starts it, as the command line does.</summary>
[Trait("Speed", "slow")]
public sealed class StartingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private ClientOptions Options => new() { DataFolder = _folder.File("data"), HostIdleTimeout = TimeSpan.FromSeconds(20), StartTimeout = TimeSpan.FromSeconds(100) };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Without_a_host_one_is_started_that_all_clients_share_and_that_outlives_them()
    {
        var said = new List<string>();
        var clients = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => EditorBridgeClient.ConnectAsync(Options with { Notify = m => { lock (said) said.Add(m); } })));
        var infos = await Task.WhenAll(clients.Select(c => c.GetServerInfoAsync()));
        var process = Assert.Single(infos.Select(i => i.ProcessId).Distinct());
        Assert.Contains("Starting the EditorBridge host.", said);
        foreach (var client in clients) client.Dispose();
        using (var again = await EditorBridgeClient.ConnectAsync(Options with { StartHost = false }))
        {
            Assert.Equal(process, (await again.GetServerInfoAsync()).ProcessId);
            await again.StopHostAsync();
        }

        await EndAsync(process);
        Assert.Null(HostEndpoint.Read(Options.DataFolder));
    }

    [Fact]
    public async Task A_started_host_holds_none_of_our_streams_and_is_in_no_session_of_ours()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var client = await EditorBridgeClient.ConnectAsync(Options);
        var process = client.Endpoint.ProcessId;
        // The streams are let go just after the endpoint is announced.
        var clock = Stopwatch.StartNew();
        while (Stream(2) != "/dev/null" && clock.Elapsed < TimeSpan.FromSeconds(20)) await Task.Delay(50);
        foreach (var number in new[] { 0, 1, 2 }) Assert.Equal("/dev/null", Stream(number));
        var stat = await File.ReadAllTextAsync($"/proc/{process}/stat");
        Assert.Equal(process.ToString(System.Globalization.CultureInfo.InvariantCulture), stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[3]);
        await client.StopHostAsync();
        await EndAsync(process);

        string? Stream(int number) => File.ResolveLinkTarget($"/proc/{process}/fd/{number}", returnFinalTarget: false)?.FullName;
    }

    [Fact]
    public async Task A_host_that_went_away_is_started_again_in_the_middle_of_things()
    {
        using var client = await EditorBridgeClient.ConnectAsync(Options);
        var first = (await client.GetServerInfoAsync()).ProcessId;
        using (var process = Process.GetProcessById(first)) process.Kill();
        await EndAsync(first);
        var second = (await client.GetServerInfoAsync()).ProcessId;
        Assert.NotEqual(first, second);
        await client.StopHostAsync();
        await EndAsync(second);
    }

    /// <summary>It has taken its endpoint away and holds the folder for a moment longer: whoever starts one meanwhile must not wait for it in vain.</summary>
    [Fact]
    public async Task While_the_last_host_is_ending_another_is_started_once_it_has()
    {
        Directory.CreateDirectory(Options.DataFolder);
        Task<EditorBridgeClient> connecting;
        await using (new FileStream(Path.Combine(Options.DataFolder, "host.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            connecting = EditorBridgeClient.ConnectAsync(Options);
            await Task.WhenAny(connecting, Task.Delay(TimeSpan.FromSeconds(5)));
            Assert.False(connecting.IsCompleted, "It came to an end while the folder was held.");
        }

        using var client = await connecting;
        var process = client.Endpoint.ProcessId;
        await client.StopHostAsync();
        await EndAsync(process);
    }

    [Fact]
    public async Task Without_leave_to_start_a_host_the_error_says_what_to_do()
    {
        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => EditorBridgeClient.ConnectAsync(Options with { StartHost = false }));
        Assert.Equal("HOST_UNREACHABLE", error.Reason);
        Assert.Contains("editorbridge serve", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_program_that_is_not_there_is_named()
    {
        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => EditorBridgeClient.ConnectAsync(Options with { HostProgram = "/no/such/host" }));
        Assert.Equal("HOST_NOT_FOUND", error.Reason);
        Assert.Contains("/no/such/host", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_cannot_start_says_why()
    {
        await File.WriteAllTextAsync(_folder.File("data"), "a file where a folder should be");
        var error = await Assert.ThrowsAsync<EditorBridgeException>(() => EditorBridgeClient.ConnectAsync(Options));
        Assert.Equal("HOST_NOT_STARTED", error.Reason);
        Assert.Contains(_folder.File("data"), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_killed_host_left_behind_is_no_hindrance()
    {
        Directory.CreateDirectory(Options.DataFolder);
        await File.WriteAllTextAsync(Path.Combine(Options.DataFolder, HostEndpoint.FileName),
            $$"""{"socket": "{{_folder.File("gone.sock")}}", "grpcPort": 1, "httpPort": 2, "processId": 3, "token": "t", "version": "0"}""");
        using var client = await EditorBridgeClient.ConnectAsync(Options);
        var info = await client.GetServerInfoAsync();
        Assert.Equal(Options.DataFolder, info.DataDirectory);
        await client.StopHostAsync();
        await EndAsync(info.ProcessId);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"grpcPort": 5}""")]
    [InlineData("null")]
    public async Task An_endpoint_file_that_is_not_whole_counts_as_none(string text)
    {
        Directory.CreateDirectory(Options.DataFolder);
        await File.WriteAllTextAsync(Path.Combine(Options.DataFolder, HostEndpoint.FileName), text);
        Assert.Null(HostEndpoint.Read(Options.DataFolder));
    }

    private static async Task EndAsync(int process)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            while (!(await File.ReadAllTextAsync($"/proc/{process}/stat")).Contains(") Z ", StringComparison.Ordinal))
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "The host did not end.");
                await Task.Delay(50);
            }
        }
        catch (IOException)
        {
            // It has ended, before its file was opened or while it was read.
        }
    }
}
