using System.Diagnostics;
using EditorBridge.Client;
using EditorBridge.Host.Tests.Support;

namespace EditorBridge.Native.Tests.Support;

/// <summary>A real host on a folder in temp, either with the shipped model or with rehearsals in place of generating.</summary>
public sealed class HostProcess : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;

    private HostProcess(bool rehearse)
    {
        Data = _folder.File("data");
        var configuration = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(configuration.Parent!.Parent!.FullName, "EditorBridge.Host", configuration.Name, "EditorBridge.Host");
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["EDITORBRIDGE_DATA"] = Data;
        if (rehearse)
        {
            SmallModel.Make(_folder.File("models"));
            start.Environment["EDITORBRIDGE_MODELS"] = _folder.File("models");
            start.Environment["EDITORBRIDGE_HOST__DefaultModel"] = SmallModel.Name;
            start.Environment["EDITORBRIDGE_HOST__Rehearse"] = "true";
        }

        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <summary>Its data folder.</summary>
    public string Data { get; }

    /// <summary>What programs are given so that they find it.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string> { ["EDITORBRIDGE_DATA"] = Data, ["EDITORBRIDGE_HOST"] = "/nowhere" };

    public static async Task<HostProcess> StartAsync(bool rehearse)
    {
        var host = new HostProcess(rehearse);
        var clock = Stopwatch.StartNew();
        while (HostEndpoint.Read(host.Data) is null)
        {
            Assert.False(host._process.HasExited, "The host ended.");
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(2), "The host did not start.");
            await Task.Delay(50);
        }

        return host;
    }

    public string File(string name) => _folder.File(name);

    public Task<EditorBridgeClient> ConnectAsync() => EditorBridgeClient.ConnectAsync(new ClientOptions { DataFolder = Data, StartHost = false });

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }
}
