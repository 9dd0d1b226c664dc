using EditorBridge.Protocol.V1;
using Grpc.Core;

namespace EditorBridge.Client;

public sealed partial class EditorBridgeClient
{
    // The headers of many large files on a disk that sleeps.
    private static readonly TimeSpan ReadingDeadline = TimeSpan.FromMinutes(2);

    /// <summary>The models that can be pulled by name.</summary>
    /// <param name="cancellation">Ends the call.</param>
    public async Task<IReadOnlyList<CatalogueModel>> ListCatalogueAsync(CancellationToken cancellation = default)
    {
        var models = new List<CatalogueModel>();
        var request = new ListCatalogueModelsRequest();
        do
        {
            var page = await CallAsync((c, o) => c.Models.ListCatalogueModelsAsync(request, o), UnaryDeadline, cancellation).ConfigureAwait(false);
            models.AddRange(page.Models);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return models;
    }

    /// <summary>What lies at a path on the host's machine.</summary>
    /// <param name="path">A full path.</param>
    /// <param name="cancellation">Ends the call.</param>
    public async Task<IReadOnlyList<InspectedModel>> InspectModelsAsync(string path, CancellationToken cancellation = default) =>
        (await CallAsync((c, o) => c.Models.InspectModelsAsync(new InspectModelsRequest { Path = path }, o), ReadingDeadline, cancellation).ConfigureAwait(false)).Models;

    /// <summary>Makes the models at a path known to the host, where they lie.</summary>
    /// <param name="path">A full path on the host's machine.</param>
    /// <param name="name">A name, where there is one model only; empty for one made from the folder's.</param>
    /// <param name="cancellation">Ends the call.</param>
    public async Task<IReadOnlyList<Model>> AddModelsAsync(string path, string name = "", CancellationToken cancellation = default) =>
        (await CallAsync((c, o) => c.Models.AddModelsAsync(new AddModelsRequest { Path = path, ModelId = name }, o), ReadingDeadline, cancellation).ConfigureAwait(false)).Models;

    /// <summary>Fetches a model from the host's hub.</summary>
    /// <param name="source">A name of the catalogue, or owner and repository.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Ends the pull; what was fetched stays for the next one.</param>
    public async Task<Model> PullModelAsync(string source, Action<ModelProgress>? progress = null, CancellationToken cancellation = default)
    {
        var last = await LastAsync(o => _connection.Models.PullModel(new PullModelRequest { Source = source }, o), message =>
        {
            if (message.Progress is { } now) progress?.Invoke(now);
        }, cancellation).ConfigureAwait(false);
        return last?.Model ?? throw new EditorBridgeException("HOST_UNREACHABLE", "The host ended before the model was there; pull again to go on from there.");
    }

    /// <summary>Compares a model's files with their hashes.</summary>
    /// <param name="name">"models/{model}".</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Ends the verification.</param>
    public async Task<ModelVerification> VerifyModelAsync(string name, Action<ModelProgress>? progress = null, CancellationToken cancellation = default)
    {
        var last = await LastAsync(o => _connection.Models.VerifyModel(new VerifyModelRequest { Name = name }, o), message =>
        {
            if (message.Progress is { } now) progress?.Invoke(now);
        }, cancellation).ConfigureAwait(false);
        return last?.Verification ?? throw new EditorBridgeException("HOST_UNREACHABLE", "The host ended before the model was verified; try again.");
    }

    /// <summary>Removes a model: the files of one that was pulled; one that was added is forgotten only.</summary>
    /// <param name="name">"models/{model}".</param>
    /// <param name="cancellation">Ends the call.</param>
    public Task<RemoveModelResponse> RemoveModelAsync(string name, CancellationToken cancellation = default) =>
        CallAsync((c, o) => c.Models.RemoveModelAsync(new RemoveModelRequest { Name = name }, o), ReadingDeadline, cancellation);

    private static async Task<T?> LastAsync<T>(Func<CallOptions, AsyncServerStreamingCall<T>> begin, Action<T> each, CancellationToken cancellation)
        where T : class
    {
        T? last = null;
        try
        {
            using var call = begin(new CallOptions(cancellationToken: cancellation));
            while (await call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false))
            {
                last = call.ResponseStream.Current;
                each(last);
            }

            return last;
        }
        catch (RpcException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (RpcException e)
        {
            throw EditorBridgeException.From(e);
        }
    }
}
