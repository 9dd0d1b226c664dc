using System.CommandLine;
using EditorBridge.Cli;
using EditorBridge.Cli.Commands;
using EditorBridge.Cli.Reports;

var root = new RootCommand("EditorBridge: generate B-roll, extend clips and fill gaps on a timeline, with a model on this machine.");
foreach (var command in JobCommands.All()) root.Subcommands.Add(command);
root.Subcommands.Add(TimelineCommands.Timeline());
root.Subcommands.Add(JobsCommands.Jobs());
foreach (var command in HostCommands.All()) root.Subcommands.Add(command);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    // One sentence rather than a page of help: what is wrong, and how to learn more. A misspelt command says more than that one is missing.
    using IReport report = args.Contains("--json") ? new JsonLinesReport() : new TextReport();
    var error = parsed.Errors.FirstOrDefault(one => one.Message.StartsWith("Unrecognized", StringComparison.Ordinal)) ?? parsed.Errors[0];
    var message = string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
    report.Say(new ErrorEvent("USAGE", $"{message}; `{string.Join(' ', CommandPath(parsed.CommandResult))} --help` says more."));
    return ExitCode.Usage;
}

// Ctrl+C first lets the command cancel its job at the host, which may take a worker's two seconds and a little.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(12), EnableDefaultExceptionHandler = true });

static IEnumerable<string> CommandPath(System.CommandLine.Parsing.CommandResult command)
{
    var names = new Stack<string>();
    for (System.CommandLine.Parsing.SymbolResult? at = command; at is not null; at = at.Parent)
    {
        if (at is System.CommandLine.Parsing.CommandResult { Command: var named }) names.Push(named is RootCommand ? "editorbridge" : named.Name);
    }

    return names;
}
