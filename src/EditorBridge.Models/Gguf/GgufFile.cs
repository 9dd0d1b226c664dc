using System.Buffers.Binary;
using System.Text;
using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Gguf;

/// <summary>A GGUF file, mapped into memory.</summary>
public sealed class GgufFile : INamedTensors
{
    private readonly MappedFile file;

    private GgufFile(GgufHeader header, MappedFile file)
    {
        this.file = file;
        Header = header;
        Tensors = header.Tensors.ToDictionary(tensor => tensor.Name, tensor => new NamedTensor(tensor, file), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public string Path => file.Path;

    /// <summary>Tensors in the order of their data, and metadata.</summary>
    public GgufHeader Header { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, NamedTensor> Tensors { get; }

    /// <summary>Maps a file after checking its header.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file, or why it cannot be used.</returns>
    public static ReadResult<GgufFile> Open(string path)
        => MappedFile.Open(path, stream => GgufHeader.Read(stream, path), (header, file) => new GgufFile(header, file));

    /// <summary>A list of texts of the metadata, such as the vocabulary under <c>tokenizer.ggml.tokens</c>; null when there is none of that name.</summary>
    /// <param name="key">Its name.</param>
    public IReadOnlyList<string>? Texts(string key)
    {
        if (Header.Metadata.GetValueOrDefault(key) is not GgufList { Type: 8 } list)
            return null;
        // The header's reader has stepped over each of them: all lie inside the file.
        var texts = new List<string>();
        var at = list.Offset;
        for (long i = 0; i < list.Count; i++)
        {
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file.Bytes(at, 8));
            texts.Add(Encoding.UTF8.GetString(file.Bytes(at + 8, length)));
            at += 8 + length;
        }
        return texts;
    }

    /// <summary>The bytes of a list of numbers of the metadata, little endian; valid while the file is open.</summary>
    /// <param name="list">One of the header's, not of texts, below 2 GiB.</param>
    public ReadOnlySpan<byte> Bytes(GgufList list) => list.Type == 8
        ? throw new ArgumentException("Texts have no common size.", nameof(list))
        : file.Bytes(list.Offset, checked((int)(list.Count * GgufHeader.ElementSize(list.Type))));

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
