using EditorBridge.Host.Jobs;
using EditorBridge.Media;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Data.Sqlite;

namespace EditorBridge.Host.Services;

/// <summary>Turns what no method expected into an INTERNAL error with an id that the log has too.</summary>
internal sealed class ErrorInterceptor(DataFolder folder, ILogger<ErrorInterceptor> log) : Interceptor
{
    private const int Busy = 5;
    private const int Locked = 6;

    /// <inheritdoc/>
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(() => continuation(request, context), context);

    /// <inheritdoc/>
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(() => continuation(requestStream, context), context);

    /// <inheritdoc/>
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(async () =>
        {
            await continuation(request, responseStream, context).ConfigureAwait(false);
            return 0;
        }, context);

    private async Task<T> GuardAsync<T>(Func<Task<T>> method, ServerCallContext context)
    {
        try
        {
            return await method().ConfigureAwait(false);
        }
        catch (RpcException)
        {
            throw;
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Grpc.Core.Status(StatusCode.Cancelled, "The caller left."));
        }
        catch (SqliteException e) when (JobDatabase.IsFull(e) || e.SqliteErrorCode is Busy or Locked)
        {
            log.LogError(e, "{Method} could not write", context.Method);
            throw JobDatabase.IsFull(e)
                ? Errors.DiskFull(folder)
                : Errors.Make(Code.Unavailable, "DATABASE_BUSY", "The job database is in use by another program; try again.");
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            log.LogError(e, "{Method} could not write", context.Method);
            throw Errors.DiskFull(folder);
        }
        catch (Exception e)
        {
            var id = Guid.NewGuid().ToString("N")[..8];
            log.LogError(e, "{Method} failed, error {ErrorId}", context.Method, id);
            throw Errors.Make(Code.Internal, "INTERNAL", $"The host failed in {context.Method}; its log has more under error {id}.",
                new Dictionary<string, string> { ["error_id"] = id });
        }
    }
}
