using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Pickles;

/// <summary>
/// Weights saved by <c>torch.save</c> (.pth, .pt, .bin), mapped into memory. The pickle inside is read as data, never run: see <see cref="PickleReader"/>.
/// </summary>
public sealed class PickledFile : INamedTensors
{
    private readonly MappedFile file;

    private PickledFile(IReadOnlyList<TensorEntry> entries, MappedFile file)
    {
        this.file = file;
        Tensors = entries.ToDictionary(entry => entry.Name, entry => new NamedTensor(entry, file), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public string Path => file.Path;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, NamedTensor> Tensors { get; }

    /// <summary>Maps a file after reading which tensors it holds.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file, or why it cannot be used.</returns>
    public static ReadResult<PickledFile> Open(string path)
        => MappedFile.Open(path, stream => Read(stream, path), (entries, file) => new PickledFile(entries, file));

    /// <summary>Reads which tensors a file holds.</summary>
    /// <param name="stream">The file; it can be read from any position.</param>
    /// <param name="name">What to call it in a problem.</param>
    public static ReadResult<IReadOnlyList<TensorEntry>> Read(Stream stream, string name)
    {
        try
        {
            var entries = PickledLayout.Read(stream);
            return entries.Count > 0
                ? ReadResult<IReadOnlyList<TensorEntry>>.Of(entries)
                : ReadResult<IReadOnlyList<TensorEntry>>.Failed($"'{name}' holds no tensors under names.");
        }
        catch (PickleException problem)
        {
            return ReadResult<IReadOnlyList<TensorEntry>>.Failed($"'{name}' {problem.Message}.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
