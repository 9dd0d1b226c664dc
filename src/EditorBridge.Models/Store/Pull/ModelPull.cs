using System.Text.Json;

namespace EditorBridge.Models.Store.Pull;

/// <summary>How far a pull or a verification is.</summary>
/// <param name="Stage">"list", "check" (reading what is there) or "download".</param>
/// <param name="File">The file that was last worked on; empty for none.</param>
/// <param name="Bytes">Bytes done.</param>
/// <param name="TotalBytes">Bytes in all.</param>
public sealed record PullProgress(string Stage, string File, long Bytes, long TotalBytes);

/// <summary>How a pull goes about it.</summary>
public sealed record PullOptions
{
    /// <summary>Files fetched at once.</summary>
    public int Parallel { get; init; } = 4;

    /// <summary>How long a server may say nothing.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that must stay free on the disk.</summary>
    public long SpareBytes { get; init; } = 1L << 30;
}

/// <summary>
/// Brings a repository into the store. Files are gathered, each under its name only when its hash is right, in a folder beside the models, and that folder becomes
/// the model's when all are there. A pull that was ended goes on with what it has; one of a model that is there checks it and fetches what is damaged.
/// </summary>
/// <param name="hub">Where models come from.</param>
/// <param name="store">The folder of models.</param>
/// <param name="clock">For waits.</param>
/// <param name="options">How.</param>
public sealed class ModelPull(HubAddress hub, string store, TimeProvider clock, PullOptions? options = null)
{
    /// <summary>The folder in the store where pulls gather their files.</summary>
    public const string Gathering = ".pulling";

    private static readonly string[] Extras = ["assets/", "examples/"];
    private static readonly string[] Pickles = [".bin", ".pth", ".pt", ".ckpt"];

    private readonly PullOptions _options = options ?? new PullOptions();

    /// <summary>Fetches a repository.</summary>
    /// <param name="repository">Owner and repository.</param>
    /// <param name="name">Name of the model.</param>
    /// <param name="progress">Told how far it is, from any thread.</param>
    /// <param name="cancellation">Ends it; what is there stays for the next time.</param>
    /// <returns>The model's folder.</returns>
    /// <exception cref="PullException">It could not be fetched.</exception>
    public async Task<string> RunAsync(string repository, string name, Action<PullProgress> progress, CancellationToken cancellation)
    {
        var (final, gathering) = (Path.Combine(store, name), Path.Combine(store, Gathering, name));
        try
        {
            Directory.CreateDirectory(gathering);
            await using var held = Hold(gathering, name);
            if (Directory.Exists(final) && await IsWholeAsync(final, gathering, repository, progress, cancellation).ConfigureAwait(false))
            {
                held.Close();
                Directory.Delete(gathering, recursive: true);
                return final;
            }

            progress(new PullProgress("list", "", 0, 0));
            using var client = new HubClient(hub, clock, _options.Silence);
            var listed = await client.ListAsync(repository, "main", cancellation).ConfigureAwait(false);
            var model = listed with { Files = [.. listed.Files.Where(file => IsWanted(file, listed.Files)).OrderByDescending(file => file.Size)] };
            if (model.Files.Count == 0) throw new PullException("HUB_ANSWER_BAD", $"{repository} has no files; check its name.");
            Discard(gathering, model);
            Write(Path.Combine(gathering, ModelFiles.FileName), model);
            RequireSpace(gathering, model);
            await FetchAllAsync(client, model, gathering, progress, cancellation).ConfigureAwait(false);
            held.Close();
            File.Delete(LockOf(gathering));
            Directory.Move(gathering, final);
            return final;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PullException("CANNOT_WRITE", $"'{name}' cannot be stored in '{store}': {error.Message.TrimEnd('.')}; free some space or name another folder for models, then pull again to go on.", error);
        }
    }

    /// <summary>What a model's folder says of where it came from; null when it was not pulled.</summary>
    /// <param name="folder">The model's folder.</param>
    public static ModelFiles? Read(string folder)
    {
        try
        {
            var path = Path.Combine(folder, ModelFiles.FileName);
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), HubJson.Default.ModelFiles) : null;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private async Task FetchAllAsync(HubClient client, ModelFiles model, string gathering, Action<PullProgress> progress, CancellationToken cancellation)
    {
        var (done, total) = (0L, model.Files.Sum(file => file.Size));
        var download = new FileDownload(client, model, clock);
        await Parallel.ForEachAsync(model.Files, new ParallelOptions { MaxDegreeOfParallelism = _options.Parallel, CancellationToken = cancellation }, async (file, token) =>
        {
            var target = Path.Combine(gathering, file.Path);
            if (File.Exists(target)) Add(file.Size);
            else await download.RunAsync(file, target, Add, token).ConfigureAwait(false);

            void Add(long bytes) => progress(new PullProgress("download", file.Path, Interlocked.Add(ref done, bytes), total));
        }).ConfigureAwait(false);
    }

    /// <summary>Whether the model is there as it should be; if not, what is right of it is in <paramref name="gathering"/> afterwards.</summary>
    private async Task<bool> IsWholeAsync(string final, string gathering, string repository, Action<PullProgress> progress, CancellationToken cancellation)
    {
        if (Read(final) is not { } model || !model.Repository.Equals(repository, StringComparison.OrdinalIgnoreCase))
            throw new PullException("MODEL_EXISTS", $"'{final}' is there and does not come from {repository}; remove it, or move it elsewhere.");
        var (done, total) = (0L, model.Files.Sum(file => file.Size));
        var bad = new List<HubFile>();
        foreach (var file in model.Files)
        {
            var path = Path.Combine(final, file.Path);
            if (!File.Exists(path) || !await FileDigest.CheckAsync(file, path, read => progress(new PullProgress("check", file.Path, done += read, total)), cancellation).ConfigureAwait(false))
                bad.Add(file);
        }

        if (bad.Count == 0) return true;
        foreach (var file in bad) File.Delete(Path.Combine(final, file.Path));
        // With what the user has put there, such as settings of the model.
        foreach (var path in Directory.GetFiles(final, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(gathering, Path.GetRelativePath(final, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Move(path, target, overwrite: true);
        }

        Directory.Delete(final, recursive: true);
        return false;
    }

    // Whatever an earlier pull left is of use only where the hub still has the same content under that name. What no pull has brought stays.
    private static void Discard(string gathering, ModelFiles model)
    {
        var before = (Read(gathering)?.Files ?? []).ToDictionary(file => file.Path, StringComparer.Ordinal);
        var kept = model.Files.Where(file => before.GetValueOrDefault(file.Path) == file)
            .SelectMany(file => new[] { file.Path, file.Path + FileDownload.Unfinished }).ToHashSet(StringComparer.Ordinal);
        foreach (var path in Directory.GetFiles(gathering, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(gathering, path).Replace('\\', '/');
            var pulled = before.ContainsKey(name) || model.Files.Any(file => file.Path == name) || name.EndsWith(FileDownload.Unfinished, StringComparison.Ordinal);
            if (pulled && !kept.Contains(name)) File.Delete(path);
        }
    }

    private void RequireSpace(string gathering, ModelFiles model)
    {
        var needed = model.Files.Sum(file =>
        {
            var target = Path.Combine(gathering, file.Path);
            var part = target + FileDownload.Unfinished;
            return File.Exists(target) ? 0 : file.Size - (File.Exists(part) ? Math.Min(file.Size, new FileInfo(part).Length) : 0);
        });
        var free = new DriveInfo(gathering).AvailableFreeSpace;
        if (needed + _options.SpareBytes > free)
        {
            throw new PullException("DISK_SPACE",
                $"{model.Repository} needs {Size(needed)} more, and the disk of '{store}' has {Size(free)} free, of which {Size(_options.SpareBytes)} are kept; free some space, or name another folder for models.");
        }
    }

    private static bool IsWanted(HubFile file, IReadOnlyList<HubFile> all)
    {
        if (file.Path.StartsWith('.') || Extras.Any(start => file.Path.StartsWith(start, StringComparison.Ordinal))) return false;
        // Where the same weights are there twice, the pickled ones stay behind.
        var folder = file.Path[..(file.Path.LastIndexOf('/') + 1)];
        return !Pickles.Contains(Path.GetExtension(file.Path))
            || !all.Any(other => other.Path.EndsWith(".safetensors", StringComparison.Ordinal) && other.Path[..(other.Path.LastIndexOf('/') + 1)] == folder && folder.Length > 0);
    }

    private static FileStream Hold(string gathering, string name)
    {
        try
        {
            return new FileStream(LockOf(gathering), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (error is not DirectoryNotFoundException)
        {
            throw new PullException("PULL_RUNNING", $"'{name}' is being pulled already; wait for that to end.", error);
        }
    }

    private static string LockOf(string gathering) => Path.Combine(gathering, "lock");

    private static void Write(string path, ModelFiles model)
    {
        var partial = path + FileDownload.Unfinished;
        using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(stream, model, HubJson.Default.ModelFiles);
            stream.Flush(flushToDisk: true);
        }

        File.Move(partial, path, overwrite: true);
    }

    private static string Size(long bytes) => FormattableString.Invariant($"{bytes / (double)(1 << 30):0.0} GiB");
}
