using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace EditorBridge.Client;

/// <summary>Finds the host program and starts it so that it outlives this one.</summary>
public static class HostLauncher
{
    /// <summary>The environment variable that names the host program.</summary>
    public const string Variable = "EDITORBRIDGE_HOST";

    /// <summary>What the host exits with when another one has the data folder; that other one is as good, unless it is about to end.</summary>
    private const int AlreadyRunning = 3;

    private static readonly TimeSpan PatienceWithAnother = TimeSpan.FromSeconds(1);

    private const string ProgramName = "EditorBridge.Host";

    /// <summary>The host program.</summary>
    public static string Find(string? named) => ProgramFile.Find(named, Variable, ProgramName, "host", "HOST_NOT_FOUND", "The host program");

    /// <summary>How to run the host in this program's own terminal.</summary>
    /// <exception cref="EditorBridgeException">The host program was not found.</exception>
    public static ProcessStartInfo Foreground(ClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Command(Find(options.HostProgram), options);
    }

    /// <summary>Starts the host and returns when <paramref name="isUp"/> says so.</summary>
    internal static async Task StartAsync(ClientOptions options, Func<CancellationToken, Task<bool>> isUp, CancellationToken cancellation)
    {
        var program = Find(options.HostProgram);
        var clock = Stopwatch.StartNew();
        while (!await TryStartAsync(program, options, isUp, clock, cancellation).ConfigureAwait(false))
        {
        }
    }

    /// <returns>Whether a host is up; otherwise one that does not answer has the data folder, as one does that is ending.</returns>
    private static async Task<bool> TryStartAsync(string program, ClientOptions options, Func<CancellationToken, Task<bool>> isUp, Stopwatch clock, CancellationToken cancellation)
    {
        using var process = Process.Start(StartInfo(program, options))
            ?? throw new EditorBridgeException("HOST_NOT_STARTED", $"The host {program} could not be started.");
        var said = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null) lock (said) said.AppendLine(line.Data);
        };
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();

        TimeSpan? gaveWay = null;
        while (!await isUp(cancellation).ConfigureAwait(false))
        {
            if (process.HasExited && process.ExitCode != AlreadyRunning)
            {
                await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
                string text;
                lock (said) text = said.ToString().Trim();
                throw new EditorBridgeException("HOST_NOT_STARTED",
                    text.Length > 0 ? text : $"The host ended with code {process.ExitCode} before it answered.{LogTail(options.DataFolder)}");
            }

            if (clock.Elapsed > options.StartTimeout)
            {
                throw new EditorBridgeException("HOST_NOT_STARTED", string.Create(CultureInfo.InvariantCulture,
                    $"The host {program} did not answer within {options.StartTimeout.TotalSeconds:0} s.{LogTail(options.DataFolder)}"));
            }

            if (process.HasExited && clock.Elapsed - (gaveWay ??= clock.Elapsed) > PatienceWithAnother) return false;
            await Task.Delay(50, cancellation).ConfigureAwait(false);
        }

        return true;
    }

    private static ProcessStartInfo StartInfo(string program, ClientOptions options)
    {
        var info = Command(program, options);
        info.CreateNoWindow = true;
        // All three are pipes, so that whoever waits for our own output does not wait for the host's end as well.
        info.RedirectStandardInput = true;
        info.RedirectStandardOutput = true;
        info.RedirectStandardError = true;
        info.WorkingDirectory = Path.GetDirectoryName(program)!;
        info.ArgumentList.Add("--detached");
        if (options.HostIdleTimeout is { } idle)
        {
            info.ArgumentList.Add("--idle-timeout");
            info.ArgumentList.Add(idle.ToString("c", CultureInfo.InvariantCulture));
        }

        return info;
    }

    private static ProcessStartInfo Command(string program, ClientOptions options)
    {
        var info = ProgramFile.Command(program);
        info.Environment[DataFolder.Variable] = options.DataFolder;
        return info;
    }

    private static string LogTail(string dataFolder)
    {
        try
        {
            var newest = new DirectoryInfo(Path.Combine(dataFolder, "log")).GetFiles("host-*.log").MaxBy(f => f.LastWriteTimeUtc);
            if (newest is null) return "";
            using var stream = new FileStream(newest.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            stream.Seek(-Math.Min(stream.Length, 2000), SeekOrigin.End);
            using var reader = new StreamReader(stream);
            var lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(5);
            return $" The end of {newest.FullName}:\n{string.Join('\n', lines)}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
