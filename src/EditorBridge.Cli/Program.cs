using System.CommandLine;
using EditorBridge.Cli;
using EditorBridge.Cli.Commands;
using EditorBridge.Cli.Reports;

var root = new RootCommand("EditorBridge: generate B-roll, extend clips and fill gaps on a timeline, with a model on this machine.");
foreach (var command in JobCommands.All()) root.Subcommands.Add(command);
root.Subcommands.Add(TimelineCommands.Timeline());
root.Subcommands.Add(MediaCommands.Media());
root.Subcommands.Add(JobsCommands.Jobs());
root.Subcommands.Add(ParityCommand.Parity());
root.Subcommands.Add(ModelCommands.Models());
root.Subcommands.Add(PluginCommands.Plugins());
root.Subcommands.Add(CompanionCommands.Companion());
foreach (var command in HostCommands.All()) root.Subcommands.Add(command);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    // One sentence rather than a page of help: what is wrong, and how to learn more.
    using IReport report = args.Contains("--json") ? new JsonLinesReport() : new TextReport();
    report.Say(new ErrorEvent("USAGE", CommandLineError.Describe(parsed)));
    return ExitCode.Usage;
}

// Ctrl+C first lets the command cancel its job at the host, which may take a worker's two seconds and a little.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(12), EnableDefaultExceptionHandler = true });
