using System.CommandLine;
using System.Diagnostics;
using EditorBridge.Cli.Reports;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Cli.Commands;

/// <summary>serve and doctor: the host itself.</summary>
internal static class HostCommands
{
    private static readonly Option<bool> Quick = new("--quick") { Description = "Leave out the trial start of a worker." };

    public static IEnumerable<Command> All()
    {
        yield return Serve();
        yield return Doctor();
    }

    private static Command Serve()
    {
        // The host knows its own options, and says what is wrong with them.
        var command = new Command("serve", "Run the host in this terminal until Ctrl+C. Its settings follow as --kebab-case VALUE, such as --keep-jobs 7.00:00:00.")
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        Session.Run(command, async (parsed, report, cancellation) =>
        {
            var info = HostLauncher.Foreground(Session.ClientOptions(report));
            foreach (var setting in parsed.UnmatchedTokens) info.ArgumentList.Add(setting);
            using var process = Process.Start(info) ?? throw new Refused("HOST_NOT_STARTED", $"{info.FileName} could not be started.");
            // Ctrl+C reaches the host as well, since it shares the terminal; it ends in good order by itself.
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            return process.ExitCode;
        });
        return command;
    }

    private static Command Doctor()
    {
        var command = new Command("doctor", "Check everything a job needs.");
        command.Options.Add(Quick);
        Session.Run(command, async (parsed, report, cancellation) =>
        {
            using var client = await EditorBridgeClient.ConnectAsync(Session.ClientOptions(report), cancellation).ConfigureAwait(false);
            var findings = await client.DiagnoseAsync(probeWorker: !parsed.GetValue(Quick), cancellation).ConfigureAwait(false);
            foreach (var finding in findings)
            {
                report.Say(new FindingEvent(finding.Subject, finding.Severity.ToString().ToLowerInvariant(), finding.Message)
                {
                    Remedy = finding.Remedy is { Length: > 0 } remedy ? remedy : null,
                });
            }

            var bad = findings.Where(finding => finding.Severity == Finding.Types.Severity.Error).ToList();
            if (bad.Count > 0) throw new Refused("NOT_READY", $"Jobs cannot run yet: {bad[0].Subject}: {bad[0].Message} {bad[0].Remedy}".TrimEnd());
            return ExitCode.Done;
        });
        return command;
    }
}
