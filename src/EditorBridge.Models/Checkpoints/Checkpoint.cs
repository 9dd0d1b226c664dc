using EditorBridge.Models.Gguf;
using EditorBridge.Models.Pickles;
using EditorBridge.Models.Safetensors;

namespace EditorBridge.Models.Checkpoints;

/// <summary>Opens the weights of one network from the files users have.</summary>
public static class Checkpoint
{
    /// <summary>Opens a weight file, or a folder that holds one or its shards.</summary>
    /// <param name="path">Such as <c>transformer/</c> of a Diffusers folder.</param>
    /// <returns>The tensors under the network's own names, or why they cannot be used.</returns>
    public static ReadResult<INamedTensors> Open(string path)
    {
        var stored = Directory.Exists(path) ? OpenFolder(path) : OpenFile(path);
        return stored.Ok ? UnwrappedTensors.Of(stored.Value) : stored;
    }

    private static ReadResult<INamedTensors> OpenFolder(string path)
    {
        var files = WeightFiles.Find(path);
        if (!files.Ok)
            return ReadResult<INamedTensors>.Failed(files.Problem);
        var shards = new List<INamedTensors>();
        foreach (var file in files.Value.Paths)
        {
            var shard = OpenFile(file);
            if (!shard.Ok)
            {
                shards.ForEach(open => open.Dispose());
                return shard;
            }
            shards.Add(shard.Value);
        }
        var whole = shards.Count == 1 ? ReadResult<INamedTensors>.Of(shards[0]) : As(ShardedTensors.Join(path, shards));
        if (!whole.Ok)
            return whole;
        foreach (var (name, file) in files.Value.Places)
        {
            if (whole.Value.Tensors.GetValueOrDefault(name)?.File.Path == file)
                continue;
            whole.Value.Dispose();
            return ReadResult<INamedTensors>.Failed($"Tensor '{name}' is missing in '{file}', where the index of its folder says it is; download both again.");
        }
        return whole;
    }

    private static ReadResult<INamedTensors> OpenFile(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".pth" or ".pt" or ".bin" or ".ckpt" => As(PickledFile.Open(path)),
        ".gguf" => As(GgufFile.Open(path)),
        _ => As(SafetensorsFile.Open(path)),
    };

    private static ReadResult<INamedTensors> As<T>(ReadResult<T> result)
        where T : class, INamedTensors
        => result.Ok ? ReadResult<INamedTensors>.Of(result.Value) : ReadResult<INamedTensors>.Failed(result.Problem);
}
