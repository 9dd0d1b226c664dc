using System.CommandLine;
using System.Globalization;
using EditorBridge.Cli.Jobs;
using EditorBridge.Cli.Reports;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Cli.Commands;

/// <summary>jobs: what the host has done and does.</summary>
internal static class JobsCommands
{
    private static readonly Argument<string> Name = new("JOB") { Description = "The job's name, such as jobs/a1b2." };

    public static Command Jobs()
    {
        var jobs = new Command("jobs", "Jobs of the host.");
        jobs.Subcommands.Add(Command("list", "List jobs, newest first.", named: false, async (_, client, report, cancellation) =>
        {
            await foreach (var job in client.ListAsync(cancellation: cancellation).ConfigureAwait(false)) report.Say(Describe(job));
            return ExitCode.Done;
        }));
        jobs.Subcommands.Add(Command("show", "Show one job.", named: true, async (name, client, report, cancellation) =>
        {
            report.Say(Describe(await client.GetAsync(name, cancellation).ConfigureAwait(false)));
            return ExitCode.Done;
        }));
        jobs.Subcommands.Add(Command("watch", "Follow a job to its end. Ctrl+C leaves it running.", named: true, async (name, client, report, cancellation) =>
        {
            var job = await new JobWatch(client, report).ToEndAsync(name, 0, cancellation).ConfigureAwait(false);
            report.Say(Describe(job));
            return job.State switch
            {
                Job.Types.State.Succeeded => ExitCode.Done,
                Job.Types.State.Cancelled => throw new Refused("CANCELLED", $"{name} was cancelled."),
                _ => throw EditorBridgeException.From(job.Error),
            };
        }));
        jobs.Subcommands.Add(Command("cancel", "End a job.", named: true, async (name, client, report, cancellation) =>
        {
            var job = await client.CancelAsync(name, cancellation).ConfigureAwait(false);
            if (!EditorBridgeClient.IsFinal(job.State)) job = await client.WaitAsync(name, cancellation: cancellation).ConfigureAwait(false);
            report.Say(Describe(job));
            return ExitCode.Done;
        }));
        return jobs;
    }

    private static Command Command(string verb, string description, bool named, Func<string, EditorBridgeClient, IReport, CancellationToken, Task<int>> action)
    {
        var command = new Command(verb, description);
        if (named) command.Arguments.Add(Name);
        Session.Run(command, async (parsed, report, cancellation) =>
        {
            var name = named ? parsed.GetValue(Name)! : "";
            if (named && !name.StartsWith("jobs/", StringComparison.Ordinal)) name = "jobs/" + name;
            using var client = await EditorBridgeClient.ConnectAsync(Session.ClientOptions(report), cancellation).ConfigureAwait(false);
            return await action(name, client, report, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static StateEvent Describe(Job job) => JobWatch.Event(job) with
    {
        Kind = job.Spec.Loop ? "loop" : PlanEvents.Word(job.Spec.Kind),
        Prompt = job.Spec.Prompt.Length > 60 ? job.Spec.Prompt[..57] + "..." : job.Spec.Prompt,
        Frames = job.Spec.Delivery.Frames,
        Created = job.CreateTime?.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        Clips = job.Takes.Count == 0 ? null : [.. job.Takes.Where(take => take.Clip is not null)
            .Select(take => take.Clip.Files.FirstOrDefault(file => file.Part == ClipFile.Types.Part.Media)?.LocalPath is { Length: > 0 } path ? path : take.Clip.Name)],
    };
}
