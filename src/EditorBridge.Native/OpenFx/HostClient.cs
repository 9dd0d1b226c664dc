using EditorBridge.Client;

namespace EditorBridge.Native.OpenFx;

/// <summary>The one client of all instances, made when first needed, on a thread of the pool.</summary>
internal static class HostClient
{
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static EditorBridgeClient? client;

    /// <summary>The client; a host is started when none runs.</summary>
    /// <exception cref="EditorBridgeException">None can be reached or started.</exception>
    public static async Task<EditorBridgeClient> GetAsync(CancellationToken cancellation)
    {
        await Gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return client ??= await EditorBridgeClient.ConnectAsync(new ClientOptions { HostProgram = LoadedLibrary.HostProgram() }, cancellation).ConfigureAwait(false);
        }
        finally
        {
            Gate.Release();
        }
    }
}
