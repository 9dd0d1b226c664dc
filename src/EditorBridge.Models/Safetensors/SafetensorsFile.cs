using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Safetensors;

/// <summary>A safetensors file, mapped into memory.</summary>
public sealed class SafetensorsFile : INamedTensors
{
    private readonly MappedFile file;

    private SafetensorsFile(SafetensorsHeader header, MappedFile file)
    {
        this.file = file;
        Header = header;
        Tensors = header.Tensors.ToDictionary(tensor => tensor.Name, tensor => new NamedTensor(tensor, file), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public string Path => file.Path;

    /// <summary>Tensors in file order, and metadata.</summary>
    public SafetensorsHeader Header { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, NamedTensor> Tensors { get; }

    /// <summary>Maps a file after checking its header.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file, or why it cannot be used.</returns>
    public static ReadResult<SafetensorsFile> Open(string path)
        => MappedFile.Open(path, stream => SafetensorsHeader.Read(stream, stream.Length, path), (header, file) => new SafetensorsFile(header, file));

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
