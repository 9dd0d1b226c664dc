using EditorBridge.Host.Models;
using EditorBridge.Host.Security;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Store;
using EditorBridge.Models.Store.Pull;
using EditorBridge.Models.Variants;
using EditorBridge.Protocol.V1;
using Google.Rpc;
using Grpc.Core;
using InspectedModel = EditorBridge.Protocol.V1.InspectedModel;
using InspectedNetwork = EditorBridge.Protocol.V1.InspectedNetwork;

namespace EditorBridge.Host.Services;

/// <summary>The part that changes which models there are.</summary>
internal sealed partial class ModelServiceEndpoint
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    public override Task<ListCatalogueModelsResponse> ListCatalogueModels(ListCatalogueModelsRequest request, ServerCallContext context)
    {
        if (request.PageSize < 0) throw Errors.Invalid("page_size", "INVALID_ARGUMENT", "The page size is negative.");
        var size = request.PageSize == 0 ? 50 : Math.Min(request.PageSize, 1000);
        var entries = CatalogueEntry.All.ToList();
        var start = request.PageToken.Length == 0 ? 0 : entries.FindIndex(entry => entry.Name == request.PageToken);
        if (start < 0) throw Errors.Invalid("page_token", "INVALID_ARGUMENT", "The page token is none that this host gave.");
        var here = models.All().Select(model => model.Name).ToHashSet(StringComparer.Ordinal);
        var answer = new ListCatalogueModelsResponse();
        answer.Models.AddRange(entries.Skip(start).Take(size).Select(entry => new CatalogueModel
        {
            ModelId = entry.Name, DisplayName = entry.Title, Repository = entry.Repository, License = entry.License, Supported = true, Installed = here.Contains(entry.Name),
        }));
        if (start + size < entries.Count) answer.NextPageToken = entries[start + size].Name;
        return Task.FromResult(answer);
    }

    /// <inheritdoc/>
    public override Task<InspectModelsResponse> InspectModels(InspectModelsRequest request, ServerCallContext context)
    {
        var answer = new InspectModelsResponse();
        foreach (var place in Places(request.Path))
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            answer.Models.Add(Write(place));
        }

        return Task.FromResult(answer);
    }

    /// <inheritdoc/>
    public override Task<AddModelsResponse> AddModels(AddModelsRequest request, ServerCallContext context)
    {
        var places = Places(request.Path);
        if (request.ModelId.Length > 0)
        {
            if (places.Count > 1)
                throw Errors.Invalid("model_id", "MODEL_AMBIGUOUS", $"'{request.Path}' holds {places.Count} models ({string.Join(", ", places.Select(place => place.Name))}); name one of their folders or files, or add them under their own names.");
            if (!ModelName.IsValid(request.ModelId))
                throw Errors.Invalid("model_id", "INVALID_ARGUMENT", $"'{request.ModelId}' cannot name a model: use lower-case letters, digits, and between them dots, dashes and underscores.");
            places = [places[0] with { Name = request.ModelId }];
        }

        var known = models.All().ToDictionary(model => model.Name, StringComparer.Ordinal);
        foreach (var place in places)
        {
            if (known.TryGetValue(place.Name, out var other) && other.Folder != place.Location)
                throw Errors.Invalid("model_id", "MODEL_EXISTS", $"There is a model {place.Name} already, in '{other.Folder}'; give this one another name with --name.");
            if (ModelStore.Inspect(place) is { Capabilities: null, Inspected: { Variant: null } unknown })
                throw Errors.Invalid("path", "MODEL_UNKNOWN", unknown.Problem ?? $"'{place.Location}' is {unknown.Networks.FirstOrDefault()?.Title ?? "nothing that is recognised"}, not a model; name the transformer's file, or the model's folder.");
        }

        added.Add([.. places.Where(place => !known.ContainsKey(place.Name))]);
        var answer = new AddModelsResponse();
        answer.Models.AddRange(places.Select(place => Write(Named("models/" + place.Name))));
        return Task.FromResult(answer);
    }

    /// <inheritdoc/>
    public override async Task PullModel(PullModelRequest request, IServerStreamWriter<PullModelResponse> responseStream, ServerCallContext context)
    {
        var entry = CatalogueEntry.Find(request.Source);
        var repository = entry?.Repository ?? request.Source;
        if (repository.Split('/') is not [{ Length: > 0 } owner, { Length: > 0 } tail] || (owner + tail).Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_' or '.')) || owner.StartsWith('.') || tail.StartsWith('.'))
        {
            throw Errors.Invalid("source", "MODEL_UNKNOWN",
                $"The catalogue has no model '{request.Source}'; it has {string.Join(", ", CatalogueEntry.All.Select(known => known.Name))}, and OWNER/REPOSITORY names any other.");
        }

        var name = entry?.Name ?? ModelName.From(tail);
        if (models.Find(name) is { Source: not ModelSource.Pulled } other)
            throw Errors.Precondition("MODEL_EXISTS", $"There is a model {name} already, in '{other.Folder}'; `editorbridge models remove {name}` forgets one that was added.");
        var pull = new ModelPull(new HubAddress(new Uri(options.Hub), options.HubToken), models.Pulled, clock, new PullOptions { Parallel = options.ParallelPulls, SpareBytes = options.SpareDiskBytes });
        await FollowAsync((report, ending) => pull.RunAsync(repository, name, report, ending), progress => new PullModelResponse { Progress = progress }, responseStream, context).ConfigureAwait(false);
        await responseStream.WriteAsync(new PullModelResponse { Model = Write(Named("models/" + name)) }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async Task VerifyModel(VerifyModelRequest request, IServerStreamWriter<VerifyModelResponse> responseStream, ServerCallContext context)
    {
        var model = Named(request.Name);
        var found = await FollowAsync(
            (report, ending) => VerifiedModel.OfAsync(model.Place, report, ending), progress => new VerifyModelResponse { Progress = progress }, responseStream, context).ConfigureAwait(false);
        var verification = new ModelVerification { HashedFiles = found.Hashed };
        verification.Problems.AddRange(found.Problems);
        await responseStream.WriteAsync(new VerifyModelResponse { Verification = verification }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task<RemoveModelResponse> RemoveModel(RemoveModelRequest request, ServerCallContext context)
    {
        var name = request.Name.StartsWith("models/", StringComparison.Ordinal) ? request.Name["models/".Length..] : "";
        var model = models.Find(name);
        if (model is null && !(ModelName.IsValid(name) && models.IsUnfinished(name))) throw Errors.NotFound("model", request.Name);
        switch (model?.Source)
        {
            case ModelSource.Shipped:
                throw Errors.Precondition("MODEL_NOT_REMOVABLE", $"{name} ships with EditorBridge and stays.");
            case ModelSource.Named:
                throw Errors.Precondition("MODEL_NOT_REMOVABLE", $"{name} lies in '{model.Folder}', which {ModelStore.Variable} names; take it out of there.");
            case ModelSource.Added:
                added.Remove(name);
                return Task.FromResult(new RemoveModelResponse { LocalPath = model.Folder });
            default:
                try
                {
                    models.Delete(name);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    throw Errors.Precondition("CANNOT_WRITE", $"{name} cannot be removed from '{models.Pulled}': {e.Message.TrimEnd('.')}; end what uses it and try again.");
                }

                return Task.FromResult(new RemoveModelResponse { LocalPath = model?.Folder ?? models.Pulled, FilesDeleted = true });
        }
    }

    private async Task<T> FollowAsync<T, TMessage>(
        Func<Action<PullProgress>, CancellationToken, Task<T>> work, Func<ModelProgress, TMessage> message, IServerStreamWriter<TMessage> stream, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        PullProgress? latest = null, said = null;
        var task = Task.Run(() => work(progress => Volatile.Write(ref latest, progress), ending.Token));
        try
        {
            while (await Task.WhenAny(task, Task.Delay(ReportEvery, clock)).ConfigureAwait(false) != task)
            {
                if (Volatile.Read(ref latest) is not { } now || ReferenceEquals(now, said)) continue;
                said = now;
                await stream.WriteAsync(message(new ModelProgress { Stage = now.Stage, File = now.File, Bytes = now.Bytes, TotalBytes = now.TotalBytes })).ConfigureAwait(false);
            }

            return await task.ConfigureAwait(false);
        }
        catch (PullException e)
        {
            // Never UNAVAILABLE, which clients take for a host that is gone and try again.
            var code = e.Reason switch { "HUB_NOT_FOUND" => Code.NotFound, "HUB_REFUSED" => Code.PermissionDenied, "DISK_SPACE" => Code.ResourceExhausted, _ => Code.FailedPrecondition };
            throw Errors.Make(code, e.Reason, e.Message);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw Errors.Precondition("HOST_STOPPING", "The host is being stopped; pull again to go on from there.");
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
        }
    }

    private IReadOnlyList<ModelPlace> Places(string path)
    {
        if (!Path.IsPathFullyQualified(path)) throw Errors.Invalid("path", "INVALID_ARGUMENT", $"'{path}' is not a full path.");
        if (AllowedFolders.Refusal(options, path) is { } outside) throw Errors.Invalid("path", "PATH_NOT_ALLOWED", outside);
        var places = ModelPlace.Find(path);
        return places.Ok ? places.Value : throw Errors.Invalid("path", "MODEL_UNKNOWN", places.Problem);
    }

    private static InspectedModel Write(ModelPlace place)
    {
        var (inspected, capabilities, problem) = ModelStore.Inspect(place);
        var answer = new InspectedModel
        {
            LocalPath = place.Location,
            ModelId = place.Name,
            Variant = inspected.Variant?.Name ?? "",
            Layout = inspected.Layout switch { ModelLayout.Diffusers => "diffusers", ModelLayout.Original => "original", ModelLayout.ComfyUI => "comfyui", _ => "" },
            Ready = capabilities is not null,
            Problem = problem,
        };
        foreach (var network in inspected.Networks)
        {
            var written = new InspectedNetwork
            {
                Kind = network.Kind switch
                {
                    NetworkKind.Transformer => "transformer", NetworkKind.Vae => "vae", NetworkKind.TextEncoder => "text_encoder", NetworkKind.ImageEncoder => "image_encoder", NetworkKind.Lora => "lora", _ => "",
                },
                DisplayName = network.Title, LocalPath = network.Path, Tensors = network.Tensors, Parameters = network.Parameters, SizeBytes = network.Bytes, Problem = network.Problem ?? "",
            };
            written.Types_.AddRange(network.Types);
            answer.Networks.Add(written);
        }

        return answer;
    }
}
