using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EditorBridge.Cli.Reports;
using EditorBridge.Client;

namespace EditorBridge.Cli.Commands;

/// <summary>parity: the networks' numbers against those of the reference implementation. Runs in the worker, where the networks are.</summary>
internal static class ParityCommand
{
    private static readonly Argument<DirectoryInfo> Folder = new("folder") { Description = "Golden files: dit_*, vae21, vae22, umt5, clip, schedulers, tokenizer and e2e below it." };

    public static Command Parity()
    {
        var command = new Command("parity", "Hold the networks against golden numbers of the reference implementation.");
        command.Arguments.Add(Folder);
        Session.Run(command, async (parsed, report, cancellation) =>
        {
            var folder = parsed.GetRequiredValue(Folder);
            if (!folder.Exists) throw new Refused("FOLDER_MISSING", $"There is no folder {folder}.");
            return await RunAsync(folder.FullName, report, parsed.GetValue(Session.Json), cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunAsync(string folder, IReport report, bool json, CancellationToken cancellation)
    {
        var info = WorkerLauncher.Parity(folder);
        info.RedirectStandardOutput = true;
        using var worker = Process.Start(info) ?? throw new Refused("WORKER_NOT_STARTED", $"{info.FileName} could not be started.");
        var (cases, failed) = (0, new List<string>());
        try
        {
            while (await worker.StandardOutput.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
            {
                var result = JsonSerializer.Deserialize(line, ParityJson.Default.ParityLine) ?? throw new JsonException();
                cases++;
                if (!result.Pass) failed.Add(result.Case);
                Console.Out.WriteLine(json ? line : Text(result));
                Console.Out.Flush();
            }

            await worker.WaitForExitAsync(cancellation).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            worker.Kill(entireProcessTree: true);
            throw new Refused("WORKER_STRANGE", $"The worker {info.FileName} says something else than parity results; it may be of another version.");
        }
        catch (OperationCanceledException)
        {
            worker.Kill(entireProcessTree: true);
            throw;
        }

        if (worker.ExitCode is not (0 or 1)) throw new Refused("WORKER_ENDED", $"The worker ended with code {worker.ExitCode} after {Count(cases)}; the rest was not run.");
        if (cases == 0) throw new Refused("GOLDENS_MISSING", $"There are no golden files in {folder}; folders such as dit_t2v or vae21 belong below it.");
        if (failed.Count == 0 && worker.ExitCode == 0)
        {
            if (!json) report.Say(new NoticeEvent($"{Count(cases)}, all within tolerance."));
            return ExitCode.Done;
        }

        // Every line of standard output is a case; the sentence that says why it ends with 1 goes to standard error alone.
        await Console.Error.WriteLineAsync($"{failed.Count} of {Count(cases)} did not pass: {string.Join(", ", failed.Take(5))}{(failed.Count > 5 ? ", …" : "")}.").ConfigureAwait(false);
        return ExitCode.Failed;
    }

    private static string Count(int cases) => cases == 1 ? "1 case" : string.Create(CultureInfo.InvariantCulture, $"{cases} cases");

    private static string Text(ParityLine line) => string.Create(CultureInfo.InvariantCulture,
        $"{(line.Pass ? "pass" : "FAIL")}  {line.Case,-44} worst {Number(line.Worst),-8} of {Number(line.Tolerance)}{(line.Problem is null ? "" : $"  {line.Problem}")}");

    private static string Number(double? value) => value switch
    {
        null => "-",
        0 => "0",
        _ => value.Value.ToString("0.##e-0", CultureInfo.InvariantCulture),
    };
}

/// <summary>A line of the worker's.</summary>
internal sealed record ParityLine(string Case, double? Worst, double? Tolerance, bool Pass, string? Problem = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ParityLine))]
internal sealed partial class ParityJson : JsonSerializerContext;
