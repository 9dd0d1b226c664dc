using System.Diagnostics;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;
using Google.Protobuf;
using Rehearsal = EditorBridge.Protocol.Worker.V1.Rehearsal;

namespace EditorBridge.Host.Tests.Support;

/// <summary>The real host as a process of its own on a folder in temp, with rehearsals for takes.</summary>
public sealed class RunningHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _environment;
    private Process? _process;

    private RunningHost(string? data, Dictionary<string, string> settings)
    {
        SmallModel.Make(Path.Combine(_folder.Path, "models"));
        Data = data ?? Path.Combine(_folder.Path, "data");
        _environment = new Dictionary<string, string>
        {
            ["EDITORBRIDGE_DATA"] = Data,
            ["EDITORBRIDGE_MODELS"] = Path.Combine(_folder.Path, "models"),
            ["EDITORBRIDGE_HOST__Rehearse"] = "true",
            // A host's children are its workers here.
            ["EDITORBRIDGE_HOST__ReadyProbes"] = "0",
            ["EDITORBRIDGE_HOST__DefaultModel"] = SmallModel.Name,
        };
        foreach (var (name, value) in settings) _environment["EDITORBRIDGE_HOST__" + name] = value;
    }

    public string Data { get; }

    public int ProcessId => _process!.Id;

    public HostEndpoint Endpoint => HostEndpoint.Read(Data) ?? throw new InvalidOperationException("The host has no endpoint file.");

    public string Output { get; private set; } = "";

    public static string Program => Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "EditorBridge.Host.exe" : "EditorBridge.Host");

    public static Task<RunningHost> StartAsync(params (string Name, string Value)[] settings) => StartAtAsync(null, settings);

    /// <summary>Starts a host on a data folder elsewhere than in its own folder.</summary>
    public static async Task<RunningHost> StartAtAsync(string? data, params (string Name, string Value)[] settings)
    {
        var host = new RunningHost(data, settings.ToDictionary(s => s.Name, s => s.Value));
        try
        {
            await host.StartAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>A file in the test's folder.</summary>
    public string File(string name) => _folder.File(name);

    /// <summary>Starts the host, again after it was stopped or killed.</summary>
    public async Task StartAsync()
    {
        _process?.Dispose();
        var before = HostEndpoint.Read(Data)?.Token;
        _process = Process.Start(StartInfo()) ?? throw new InvalidOperationException("The host did not start.");
        _process.ErrorDataReceived += (_, line) => Output += line.Data + "\n";
        _process.OutputDataReceived += (_, line) => Output += line.Data + "\n";
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await UntilAsync(() => _process.HasExited || (HostEndpoint.Read(Data) is { } e && e.Token != before), "the host is up");
        Assert.False(_process.HasExited, Output);
    }

    /// <summary>How to start the host on this folder.</summary>
    public ProcessStartInfo StartInfo()
    {
        var info = new ProcessStartInfo(Program) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in _environment) info.Environment[name] = value;
        return info;
    }

    public Task<EditorBridgeClient> ConnectAsync() => EditorBridgeClient.ConnectAsync(new ClientOptions { DataFolder = Data, StartHost = false });

    /// <summary>Ends the host as a crash would.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Ends the host as a system shutdown would.</summary>
    public async Task<int> TerminateAsync()
    {
        await Signal("TERM", _process!.Id);
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async Task<bool> EndsByItselfAsync(TimeSpan within)
    {
        try
        {
            await _process!.WaitForExitAsync().WaitAsync(within);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Processes of workers that this host has started.</summary>
    public IReadOnlyList<int> Workers() => [.. Children(_process!.Id)];

    public static IEnumerable<int> Children(int parent)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            string stat;
            try
            {
                stat = System.IO.File.ReadAllText(Path.Combine(folder, "stat"));
            }
            catch (IOException)
            {
                continue;
            }

            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            if (fields[1] == parent.ToString(System.Globalization.CultureInfo.InvariantCulture) && fields[0] != "Z") yield return int.Parse(Path.GetFileName(folder), System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    public static bool IsAlive(int process) => Directory.Exists($"/proc/{process}") && !System.IO.File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);

    public static async Task Signal(string signal, int process)
    {
        var info = new ProcessStartInfo("kill") { UseShellExecute = false };
        info.ArgumentList.Add("-" + signal);
        info.ArgumentList.Add(process.ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var kill = Process.Start(info)!;
        await kill.WaitForExitAsync();
    }

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > Patience) throw new TimeoutException($"Waited {Patience.TotalSeconds} s in vain until {what}.");
            await Task.Delay(25);
        }
    }

    /// <summary>A small B-roll job that is rehearsed as told.</summary>
    public static Job Job(Rehearsal? rehearsal = null, int frames = 5, long seed = 7)
    {
        var job = new Job
        {
            Spec = new JobSpec
            {
                Kind = JobSpec.Types.Kind.Broll,
                Prompt = "a red kite over a stubble field",
                Delivery = new Delivery
                {
                    Size = new PixelSize { Width = 128, Height = 64 }, Rate = new FrameRate { Numerator = 24000, Denominator = 1001 }, Frames = frames,
                },
                Seed = seed,
            },
        };
        job.Labels["rehearsal"] = JsonFormatter.Default.Format(rehearsal ?? new Rehearsal { Steps = 3 });
        return job;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            var workers = Workers();
            _process.Kill();
            await _process.WaitForExitAsync();
            foreach (var worker in workers) await UntilAsync(() => !IsAlive(worker), "the worker ended with its host");
        }

        _process?.Dispose();
        _folder.Dispose();
    }
}
