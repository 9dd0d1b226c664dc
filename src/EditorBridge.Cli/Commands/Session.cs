using System.CommandLine;
using EditorBridge.Cli.Reports;
using EditorBridge.Client;

namespace EditorBridge.Cli.Commands;

/// <summary>What all commands share: the report, the way errors end them, Ctrl+C.</summary>
internal static class Session
{
    /// <summary>JSON lines on standard output instead of text.</summary>
    public static readonly Option<bool> Json = new("--json") { Description = "Say everything as JSON lines on standard output." };

    /// <summary>Gives a command its action: whatever goes wrong becomes one sentence on standard error and an exit code.</summary>
    public static void Run(Command command, Func<ParseResult, IReport, CancellationToken, Task<int>> action)
    {
        if (!command.Options.Contains(Json)) command.Options.Add(Json);
        command.SetAction(async (parsed, cancellation) =>
        {
            using IReport report = parsed.GetValue(Json) ? new JsonLinesReport() : new TextReport();
            try
            {
                return await action(parsed, report, cancellation).ConfigureAwait(false);
            }
            catch (Refused refused)
            {
                report.Say(new ErrorEvent(refused.Reason, refused.Message));
                return refused.Reason == "CANCELLED" ? ExitCode.Cancelled : ExitCode.Failed;
            }
            catch (EditorBridgeException error)
            {
                report.Say(new ErrorEvent(error.Reason, error.Message) { Field = error.Field });
                return ExitCode.Failed;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                report.Say(new ErrorEvent("CANCELLED", "Cancelled; nothing was written."));
                return ExitCode.Cancelled;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                report.Say(new ErrorEvent("INPUT_OUTPUT", error.Message));
                return ExitCode.Failed;
            }
            catch (Exception error)
            {
                report.Say(new ErrorEvent("INTERNAL", $"editorbridge failed: {error.Message.TrimEnd('.')} ({error.GetType().Name}). This is a defect; please report it."));
                return ExitCode.Failed;
            }
        });
    }

    /// <summary>How a command finds its host: it starts one when none runs.</summary>
    public static ClientOptions ClientOptions(IReport report, bool startHost = true) =>
        new() { StartHost = startHost, Notify = sentence => report.Say(new NoticeEvent(sentence)) };
}
