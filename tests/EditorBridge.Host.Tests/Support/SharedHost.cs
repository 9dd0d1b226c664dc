using EditorBridge.Client;

namespace EditorBridge.Host.Tests.Support;

/// <summary>One host for all tests that do not end it, with short patience so that faults show soon.</summary>
public sealed class SharedHost : IAsyncLifetime
{
    public const string Name = "shared host";

    public RunningHost Host { get; private set; } = null!;

    public EditorBridgeClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Host = await RunningHost.StartAsync(("WorkerSilence", "00:00:06"), ("StepAllowance", "00:00:03"));
        Client = await Host.ConnectAsync();
    }

    public async Task DisposeAsync()
    {
        Client?.Dispose();
        if (Host is not null) await Host.DisposeAsync();
    }
}

[CollectionDefinition(SharedHost.Name)]
public sealed class SharedHostTests : ICollectionFixture<SharedHost>;
