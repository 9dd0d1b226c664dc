namespace EditorBridge.Models.Store.Pull;

/// <summary>What came of a verification.</summary>
/// <param name="Hashed">Files whose whole content was compared with a hash.</param>
/// <param name="Problems">A sentence for each file that is missing or damaged.</param>
public sealed record VerifiedModel(int Hashed, IReadOnlyList<string> Problems)
{
    /// <summary>
    /// Reads every file of a model and compares it with the hash known for it: the hub's for a model that was pulled, the names of their blobs for one in the Hugging
    /// Face cache. Of others the headers are read, which tells that every tensor lies inside its file, and nothing of the values.
    /// </summary>
    /// <param name="place">The model.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<VerifiedModel> OfAsync(ModelPlace place, Action<PullProgress> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(place);
        var problems = new List<string>();
        if (ModelPull.Read(place.Location) is { } model)
        {
            var hashed = await CheckAsync([.. model.Files.Select(file => (file, Path.Combine(place.Location, file.Path)))], "pull it again, which fetches what is damaged", problems, progress, cancellation).ConfigureAwait(false);
            return new VerifiedModel(hashed, problems);
        }

        if (place.Origin == ModelOrigin.HuggingFaceCache)
        {
            List<(HubFile, string)> blobs = [.. Directory.GetFiles(place.Location, "*", SearchOption.AllDirectories).Select(Blob).OfType<(HubFile, string)>()];
            return new VerifiedModel(await CheckAsync(blobs, "fetch it again with the tool that the cache belongs to", problems, progress, cancellation).ConfigureAwait(false), problems);
        }

        if (InspectedModel.Of(place).Problem is { } problem) problems.Add(problem);
        return new VerifiedModel(0, problems);
    }

    private static async Task<int> CheckAsync(IReadOnlyList<(HubFile File, string Place)> files, string remedy, List<string> problems, Action<PullProgress> progress, CancellationToken cancellation)
    {
        var (done, total, hashed) = (0L, files.Sum(file => file.File.Size), 0);
        foreach (var (file, path) in files)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                if (!File.Exists(path)) problems.Add($"'{path}' is missing; {remedy}.");
                else if (await FileDigest.CheckAsync(file, path, read => progress(new PullProgress("check", file.Path, done += read, total)), cancellation).ConfigureAwait(false)) hashed++;
                else problems.Add($"'{path}' is damaged, its content is not what its hash says; {remedy}.");
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                problems.Add($"'{path}' cannot be read: {error.Message.TrimEnd('.')}; {remedy}.");
            }
        }

        return hashed;
    }

    // In the cache a file is a link to a blob that is named by its hash: SHA-256 of large files, git's SHA-1 of small ones.
    private static (HubFile, string)? Blob(string path)
    {
        if (File.ResolveLinkTarget(path, returnFinalTarget: true) is not FileInfo { Exists: true } blob) return null;
        var name = blob.Name.ToLowerInvariant();
        if (name.Length is not (40 or 64) || !name.All(char.IsAsciiHexDigit)) return null;
        return (new HubFile { Path = Path.GetFileName(path), Size = blob.Length, Sha256 = name.Length == 64 ? name : null, Blob = name.Length == 40 ? name : null }, path);
    }
}
