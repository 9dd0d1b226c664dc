using EditorBridge.Cli.Jobs;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Cli.Companion;

/// <summary>
/// While somebody answers what a job still needs to know, the host is started and looks into the media of the clips that the job is about; it remembers them,
/// so that the job need not wait. Whatever goes wrong here the job itself will say.
/// </summary>
internal sealed class EarlyLook : IAsyncDisposable
{
    private readonly CancellationTokenSource over = new();
    private readonly Task looking;

    /// <summary>Begins, and returns at once.</summary>
    /// <param name="said">What is known of the job; its timeline is a file.</param>
    /// <param name="options">How the host is found.</param>
    public EarlyLook(JobArguments said, ClientOptions options)
    {
        var cancellation = over.Token;
        looking = Task.Run(() => LookAsync(said, options with { Notify = null }, cancellation), CancellationToken.None);
    }

    /// <summary>Ends it, looked or not.</summary>
    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync().ConfigureAwait(false);
        await looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        over.Dispose();
    }

    private static async Task LookAsync(JobArguments said, ClientOptions options, CancellationToken cancellation)
    {
        using var client = await EditorBridgeClient.ConnectAsync(options, cancellation).ConfigureAwait(false);
        await Task.WhenAll(Files(said).Select(path => client.ProbeMediaAsync(path, cancellation))).ConfigureAwait(false);
    }

    private static List<string> Files(JobArguments said)
    {
        // Which clip is lengthened does not depend on by how much.
        if (said is { Kind: JobSpec.Types.Kind.Extend, Frames: null, OutPoint: null }) said = said with { Frames = 1 };
        using var file = TimelineFile.Open(said.Timeline, said.Rate);
        var index = file.Document.Index;
        if (!TimelineJobs.Find(index, said).TryGet(out var jobs, out _)) return [];
        return [.. jobs.SelectMany(job => job.Shown(index)).Select(clip => ClipMedia.Locate(clip, file.Folder).TryGet(out var path, out _) ? path : null).OfType<string>().Distinct()];
    }
}
