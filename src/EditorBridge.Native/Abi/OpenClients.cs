using System.Collections.Concurrent;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.Abi;

/// <summary>A client that a program in another language holds by its number.</summary>
internal sealed class OpenClient(EditorBridgeClient client)
{
    private readonly CancellationTokenSource _end = new();

    public EditorBridgeClient Client => client;

    /// <summary>Cancelled when the client is disconnected.</summary>
    public CancellationToken End => _end.Token;

    /// <summary>The host's models.</summary>
    public async Task<ListModelsResponse> ModelsAsync()
    {
        var answer = new ListModelsResponse();
        answer.Models.AddRange(await client.ListModelsAsync(End).ConfigureAwait(false));
        return answer;
    }

    /// <summary>Adds what happens to a job, and ends the collection with it.</summary>
    public async Task WatchAsync(string job, bool previews, BlockingCollection<JobEvent> events, CancellationToken leave)
    {
        try
        {
            await foreach (var happened in client.WatchAsync(job, 0, previews, leave).ConfigureAwait(false)) events.Add(happened, CancellationToken.None);
        }
        finally
        {
            events.CompleteAdding();
        }
    }

    public void Disconnect()
    {
        _end.Cancel();
        client.Dispose();
    }
}

/// <summary>The clients by number. A number is never used twice, so a stale one is found out.</summary>
internal static class OpenClients
{
    private static readonly ConcurrentDictionary<long, OpenClient> Clients = new();
    private static long last;

    public static long Add(EditorBridgeClient client)
    {
        var handle = Interlocked.Increment(ref last);
        Clients[handle] = new OpenClient(client);
        return handle;
    }

    /// <exception cref="EditorBridgeException">There is none of that number.</exception>
    public static OpenClient Get(long handle) =>
        Clients.TryGetValue(handle, out var client) ? client : throw new EditorBridgeException("BAD_HANDLE", $"There is no client {handle}; it was disconnected or never connected.");

    public static void Remove(long handle)
    {
        if (Clients.TryRemove(handle, out var client)) client.Disconnect();
    }
}
