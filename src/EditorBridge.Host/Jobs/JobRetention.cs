namespace EditorBridge.Host.Jobs;

/// <summary>
/// Removes jobs that ended long ago, with their folders under the data folder; the clips that clients fetched lie elsewhere and are theirs. Jobs
/// that wait or run are never touched.
/// </summary>
internal sealed class JobRetention(JobStore store, DataFolder folder, HostOptions options, TimeProvider clock, ILogger<JobRetention> log)
{
    // Whoever watched a job to its end has this long to fetch its clips, however full the folder is.
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    /// <summary>Removes what is too old, then the oldest of the rest until the job folders fit into their limit.</summary>
    /// <returns>Ids of the jobs that were removed.</returns>
    public IReadOnlyList<string> Apply()
    {
        var now = clock.GetUtcNow();
        var ended = store.Ended();
        var removed = new List<string>();
        if (options.KeepJobs > TimeSpan.Zero)
            foreach (var (id, _) in ended.TakeWhile(job => now - job.Ended > options.KeepJobs)) Remove(id, removed);
        if (options.MostJobBytes > 0)
        {
            var total = SizeOf(folder.Jobs);
            foreach (var (id, _) in ended.Skip(removed.Count).TakeWhile(job => now - job.Ended > Grace))
            {
                if (total <= options.MostJobBytes) break;
                total -= SizeOf(folder.Job(id));
                Remove(id, removed);
            }
        }

        if (removed.Count > 0) log.LogInformation("Removed {Count} jobs that ended long ago: {Jobs}", removed.Count, removed);
        return removed;
    }

    private void Remove(string id, List<string> removed)
    {
        removed.Add(id);
        // The row first: a folder without a row is removed at the next start, a row without its folder would offer clips that are gone.
        if (!store.Delete(id)) return;
        try
        {
            if (Directory.Exists(folder.Job(id))) Directory.Delete(folder.Job(id), recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("The folder of jobs/{Id} could not be removed: {Why}", id, e.Message);
        }
    }

    // What can be made again has a limit of its own (FrameCacheBytes) and must not push clips out.
    private static long SizeOf(string path) =>
        Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.Directory?.Name != JobLayout.CacheName).Sum(Length) : 0;

    private static long Length(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            // A running job's temporary file that is gone again.
            return 0;
        }
    }
}
