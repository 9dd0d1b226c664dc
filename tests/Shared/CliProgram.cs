using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace EditorBridge.Tests.Shared;

/// <summary>What one run of the command line said.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Lines of standard output.</param>
/// <param name="Errors">Lines of standard error.</param>
public sealed record CliResult(int ExitCode, IReadOnlyList<string> Output, IReadOnlyList<string> Errors)
{
    /// <summary>The JSON lines of one event.</summary>
    public IReadOnlyList<JsonElement> Events(string name) =>
        [.. Output.Select(line => JsonDocument.Parse(line).RootElement).Where(line => line.GetProperty("event").GetString() == name)];

    public override string ToString() => $"exit code {ExitCode}\n{string.Join('\n', Output)}\n{string.Join('\n', Errors)}";
}

/// <summary>Runs the built `editorbridge`.</summary>
public sealed class CliProgram
{
    private readonly Dictionary<string, string?> environment = [];

    /// <param name="dataFolder">The data folder of the host that it talks to.</param>
    public CliProgram(string dataFolder)
    {
        environment["EDITORBRIDGE_DATA"] = dataFolder;
        environment["EDITORBRIDGE_HOST__IdleTimeout"] = "00:02:00";
        environment["NO_COLOR"] = "1";
    }

    /// <summary>The program that the solution's build made, of this test's own configuration.</summary>
    public static string Path
    {
        get
        {
            var configuration = new DirectoryInfo(AppContext.BaseDirectory);
            var program = System.IO.Path.Combine(configuration.Parent!.Parent!.FullName, "EditorBridge.Cli", configuration.Name,
                OperatingSystem.IsWindows() ? "editorbridge.exe" : "editorbridge");
            return File.Exists(program) ? program : throw new InvalidOperationException($"{program} is missing: build the solution first.");
        }
    }

    /// <summary>Sets a variable for later runs; null takes it away.</summary>
    public CliProgram With(string variable, string? value)
    {
        environment[variable] = value;
        return this;
    }

    public Task<CliResult> RunAsync(params string[] arguments) => RunAsync(null, arguments);

    /// <param name="onLine">Sees each line of standard output as it comes, with the process.</param>
    /// <param name="arguments">The command line.</param>
    public async Task<CliResult> RunAsync(Action<string, Process>? onLine, params string[] arguments)
    {
        // Tests run in the background inherit an ignored Ctrl+C, which a program at a terminal does not.
        var reset = OperatingSystem.IsLinux();
        var info = new ProcessStartInfo(reset ? "/usr/bin/env" : Path) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        string[] command = reset ? ["--default-signal=INT", Path, .. arguments] : arguments;
        foreach (var argument in command) info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
        {
            if (value is null) info.Environment.Remove(name);
            else info.Environment[name] = value;
        }

        var output = new ConcurrentQueue<string>();
        var errors = new ConcurrentQueue<string>();
        Exception? failure = null;
        using var process = new Process { StartInfo = info };
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null) return;
            output.Enqueue(line.Data);
            try
            {
                onLine?.Invoke(line.Data, process);
            }
            catch (Exception error)
            {
                // On this thread it would end all tests.
                failure ??= error;
            }
        };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null) errors.Enqueue(line.Data);
        };
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        try
        {
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"editorbridge {string.Join(' ', arguments)} did not end.\n{string.Join('\n', output)}\n{string.Join('\n', errors)}");
        }

        if (failure is not null) throw new InvalidOperationException($"What watches the command's lines failed: {failure.Message}", failure);
        return new CliResult(process.ExitCode, [.. output], [.. errors]);
    }

    /// <summary>Ctrl+C, as a terminal sends it.</summary>
    public static void Interrupt(Process process)
    {
        const int SigInt = 2;
        if (Kill(process.Id, SigInt) != 0) throw new InvalidOperationException("The signal could not be sent.");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int process, int signal);
}
