using System.Net;

namespace EditorBridge.Models.Store.Pull;

/// <summary>Fetches one file: goes on where an earlier attempt ended, and gives it its name only when its content is what the hub says.</summary>
internal sealed class FileDownload(HubClient hub, ModelFiles model, TimeProvider clock)
{
    /// <summary>What the name of an unfinished file ends in.</summary>
    public const string Unfinished = ".part";

    private const int HashTries = 2;

    /// <param name="file">The file.</param>
    /// <param name="target">Its place once it is whole.</param>
    /// <param name="progress">Told how many more bytes are there; fewer than none when some had to be thrown away.</param>
    /// <param name="cancellation">Ends the transfer; what is there stays for a later one.</param>
    /// <exception cref="PullException">It could not be fetched.</exception>
    public async Task RunAsync(HubFile file, string target, Action<long> progress, CancellationToken cancellation)
    {
        var part = target + Unfinished;
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        for (var tries = 1; ; tries++)
        {
            await using (var output = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 1, FileOptions.Asynchronous))
            {
                using var digest = new FileDigest(file);
                await FillAsync(file, output, digest, progress, cancellation).ConfigureAwait(false);
                output.Flush(flushToDisk: true);
                if (digest.Matches()) break;
            }

            File.Delete(part);
            progress(-file.Size);
            if (tries == HashTries)
            {
                throw new PullException("FILE_DAMAGED",
                    $"'{file.Path}' of {model.Repository} came {HashTries} times with other content than its hash says, and is not kept; pull again later, or from another hub.");
            }
        }

        File.Move(part, target, overwrite: true);
    }

    private async Task FillAsync(HubFile file, FileStream output, FileDigest digest, Action<long> progress, CancellationToken cancellation)
    {
        var buffer = new byte[1 << 18];
        if (output.Length > file.Size) output.SetLength(0);
        int read;
        while ((read = await output.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
        {
            digest.Append(buffer.AsSpan(0, read));
            progress(read);
        }

        var patience = new HubPatience(clock);
        while (output.Position < file.Size)
        {
            try
            {
                await AttemptAsync(file, output, digest, buffer, patience, progress, cancellation).ConfigureAwait(false);
            }
            catch (HubFault fault)
            {
                await patience.WaitAsync($"'{file.Path}' of {model.Repository}", fault, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task AttemptAsync(
        HubFile file, FileStream output, FileDigest digest, byte[] buffer, HubPatience patience, Action<long> progress, CancellationToken cancellation)
    {
        var from = output.Position;
        using var response = await hub.OpenAsync(model, file, from, cancellation).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            Restart();
            throw Wrong("says that the file ends before its size");
        }

        if (response.StatusCode == HttpStatusCode.PartialContent)
        {
            var range = response.Content.Headers.ContentRange;
            if (range?.From != from || (range.Length is { } length && length != file.Size)) throw Wrong($"answers with bytes '{range}' where those from {from} of {file.Size} were asked for");
        }
        else if (from > 0)
        {
            // It knows nothing of ranges and sends the file from its start.
            Restart();
        }

        if (response.Content.Headers.ContentLength is { } rest && rest > file.Size - output.Position) throw Wrong($"sends {output.Position + rest} bytes where its list says {file.Size}");
        await using var content = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        while (output.Position < file.Size)
        {
            // What comes beyond the size is not read; the hash tells whether the rest is right.
            var read = await ReadAsync(content, buffer.AsMemory(0, (int)Math.Min(buffer.Length, file.Size - output.Position)), cancellation).ConfigureAwait(false);
            if (read == 0) throw Wrong($"ended the file after {output.Position} of {file.Size} bytes");
            digest.Append(buffer.AsSpan(0, read));
            await output.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
            progress(read);
            patience.Progressed();
        }

        void Restart()
        {
            progress(-output.Position);
            output.SetLength(0);
            output.Position = 0;
            digest.Reset();
        }
    }

    private async Task<int> ReadAsync(Stream content, Memory<byte> buffer, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(hub.Silence, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            return await content.ReadAsync(buffer, either.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            throw hub.Broken(error);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw hub.Silent();
        }
    }

    private static HubFault Wrong(string what) => new("HUB_ANSWER_BAD", $"the server {what}") { Transient = true };
}
