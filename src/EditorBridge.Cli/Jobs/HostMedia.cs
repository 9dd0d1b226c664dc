using EditorBridge.Cli.Reports;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Cli.Jobs;

/// <summary>Gives files to the host: by their path, or, where the host cannot read that path (a sandbox, another view of the disk), by uploading them.</summary>
internal sealed class HostMedia(EditorBridgeClient client, IReport report)
{
    /// <summary>The file as it can stand in a job, and what the host found in it.</summary>
    public async Task<(MediaSource Source, MediaInfo Info)> OpenAsync(string path, CancellationToken cancellation)
    {
        try
        {
            return (new MediaSource { Path = path }, await client.ProbeMediaAsync(path, cancellation).ConfigureAwait(false));
        }
        catch (EditorBridgeException error) when (IsHiddenFromHost(error, path))
        {
            report.Say(new NoticeEvent($"The host cannot read {path} where it lies, so the file is uploaded."));
            var source = new MediaSource { Asset = (await client.UploadAsync(path, cancellation: cancellation).ConfigureAwait(false)).Name };
            return (source, await client.ProbeMediaAsync(source, cancellation).ConfigureAwait(false));
        }
    }

    /// <summary>Whether a file that the host does not find can be read here.</summary>
    public static bool IsHiddenFromHost(EditorBridgeException error, string path)
    {
        if (error.Reason != "MEDIA_OFFLINE") return false;
        try
        {
            using var stream = File.OpenRead(path);
            return true;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
