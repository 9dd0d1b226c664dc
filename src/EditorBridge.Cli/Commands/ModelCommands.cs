using System.CommandLine;
using EditorBridge.Cli.Reports;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Cli.Commands;

/// <summary>models: what is on this machine, and how more gets there.</summary>
internal static class ModelCommands
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The model's name, as `models list` has it." };
    private static readonly Argument<string> Source = new("NAME") { Description = "A name of `models list --catalogue`, or OWNER/REPOSITORY at the hub." };
    private static readonly Argument<string> Place = new("PATH") { Description = "A model's folder or file, a folder of models, ComfyUI's folder, or the Hugging Face cache." };
    private static readonly Option<bool> Catalogue = new("--catalogue") { Description = "List what can be pulled by name instead, with its licence." };
    private static readonly Option<string> NewName = new("--name") { Description = "What to call it here.", HelpName = "NAME" };

    public static Command Models()
    {
        var models = new Command("models", "Models on this machine.");
        models.Subcommands.Add(Verb("list", "List them, the default first.", [], [Catalogue], ListAsync));
        models.Subcommands.Add(Verb("add", "Make models known that lie on this machine; they are used where they lie.", [Place], [NewName], AddAsync));
        models.Subcommands.Add(Verb("inspect", "Say what lies somewhere, from the headers of its files.", [Place], [], InspectAsync));
        models.Subcommands.Add(Verb("pull", "Fetch a model. Ctrl+C ends it; pulling again goes on from there.", [Source], [], PullAsync));
        models.Subcommands.Add(Verb("verify", "Compare a model's files with their hashes.", [Name], [], VerifyAsync));
        models.Subcommands.Add(Verb("remove", "Delete a model that was pulled, forget one that was added.", [Name], [], RemoveAsync));
        return models;
    }

    private static async Task ListAsync(ParseResult parsed, EditorBridgeClient client, IReport report, CancellationToken cancellation)
    {
        if (parsed.GetValue(Catalogue))
        {
            foreach (var entry in await client.ListCatalogueAsync(cancellation).ConfigureAwait(false))
                report.Say(new CatalogueEvent(entry.ModelId, entry.DisplayName, entry.Repository, entry.License, entry.Supported, entry.Installed));
            return;
        }

        foreach (var model in await client.ListModelsAsync(cancellation).ConfigureAwait(false)) report.Say(Describe(model));
    }

    private static async Task AddAsync(ParseResult parsed, EditorBridgeClient client, IReport report, CancellationToken cancellation)
    {
        var path = Path.GetFullPath(parsed.GetValue(Place)!);
        foreach (var model in await client.AddModelsAsync(path, parsed.GetValue(NewName) ?? "", cancellation).ConfigureAwait(false)) report.Say(Describe(model));
    }

    private static async Task InspectAsync(ParseResult parsed, EditorBridgeClient client, IReport report, CancellationToken cancellation)
    {
        foreach (var found in await client.InspectModelsAsync(Path.GetFullPath(parsed.GetValue(Place)!), cancellation).ConfigureAwait(false))
        {
            report.Say(new InspectionEvent(found.LocalPath, found.ModelId, found.Ready, [.. found.Networks.Select(network =>
                new NetworkFigure(network.Kind, network.DisplayName, network.LocalPath, network.Tensors, network.Parameters, network.SizeBytes, [.. network.Types_]) { Problem = Said(network.Problem) })])
            {
                Variant = Said(found.Variant), Layout = Said(found.Layout), Problem = Said(found.Problem),
            });
        }
    }

    private static async Task PullAsync(ParseResult parsed, EditorBridgeClient client, IReport report, CancellationToken cancellation)
    {
        var source = parsed.GetValue(Source)!;
        try
        {
            report.Say(Describe(await client.PullModelAsync(source, Follow(source, report), cancellation).ConfigureAwait(false)));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw new Refused("CANCELLED", $"Cancelled; what was fetched of {source} stays, and `editorbridge models pull {source}` goes on from there.");
        }
    }

    private static async Task VerifyAsync(ParseResult parsed, EditorBridgeClient client, IReport report, CancellationToken cancellation)
    {
        var name = parsed.GetValue(Name)!;
        var found = await client.VerifyModelAsync(Resource(name), Follow(name, report), cancellation).ConfigureAwait(false);
        report.Say(new VerificationEvent(name, found.HashedFiles, [.. found.Problems]));
        if (found.Problems.Count > 0)
            throw new Refused("MODEL_DAMAGED", found.Problems.Count == 1 ? found.Problems[0] : $"{found.Problems.Count} files of {name} are missing or damaged; the first: {found.Problems[0]}");
    }

    private static async Task RemoveAsync(ParseResult parsed, EditorBridgeClient client, IReport report, CancellationToken cancellation)
    {
        var name = parsed.GetValue(Name)!;
        var removed = await client.RemoveModelAsync(Resource(name), cancellation).ConfigureAwait(false);
        report.Say(new RemovedEvent(name, removed.LocalPath, removed.FilesDeleted));
    }

    private static Action<ModelProgress> Follow(string name, IReport report)
    {
        var clock = TimeProvider.System;
        (string Stage, long Start, long Bytes) first = ("", 0, 0);
        return progress =>
        {
            // Speed is that of this stage and this run: what was there before took no time.
            if (progress.Stage != first.Stage) first = (progress.Stage, clock.GetTimestamp(), progress.Bytes);
            var seconds = clock.GetElapsedTime(first.Start).TotalSeconds;
            double? speed = seconds > 1 && progress.Bytes > first.Bytes ? (progress.Bytes - first.Bytes) / seconds : null;
            report.Say(new TransferEvent(name, progress.Stage, progress.Bytes, progress.TotalBytes, progress.TotalBytes > 0 ? (double)progress.Bytes / progress.TotalBytes : 0)
            {
                File = Said(progress.File), BytesPerSecond = speed, SecondsLeft = speed is { } known ? (progress.TotalBytes - progress.Bytes) / known : null,
            });
        };
    }

    private static ModelEvent Describe(Model model) => new(model.Name.Replace("models/", "", StringComparison.Ordinal), model.DisplayName, model.Family,
        model.State == Model.Types.State.Ready, model.IsDefault, model.SizeBytes, model.Parameters)
    {
        Problem = Said(model.Problem),
        Kinds = [.. (model.Capabilities?.Kinds ?? []).Select(Jobs.PlanEvents.Word)],
        Path = Said(model.LocalPath),
        License = Said(model.License),
        Repository = Said(model.Repository),
    };

    private static string? Said(string text) => text.Length > 0 ? text : null;

    private static string Resource(string name) => name.StartsWith("models/", StringComparison.Ordinal) ? name : "models/" + name;

    private static Command Verb(
        string verb, string description, IEnumerable<Argument> arguments, IEnumerable<Option> options, Func<ParseResult, EditorBridgeClient, IReport, CancellationToken, Task> action)
    {
        var command = new Command(verb, description);
        foreach (var argument in arguments) command.Arguments.Add(argument);
        foreach (var option in options) command.Options.Add(option);
        Session.Run(command, async (parsed, report, cancellation) =>
        {
            using var client = await EditorBridgeClient.ConnectAsync(Session.ClientOptions(report), cancellation).ConfigureAwait(false);
            await action(parsed, client, report, cancellation).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }
}
