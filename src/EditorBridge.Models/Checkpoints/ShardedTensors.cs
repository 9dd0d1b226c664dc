namespace EditorBridge.Models.Checkpoints;

/// <summary>The tensors of a checkpoint that is split over several files.</summary>
public sealed class ShardedTensors : INamedTensors
{
    private readonly IReadOnlyList<INamedTensors> shards;

    private ShardedTensors(string path, IReadOnlyList<INamedTensors> shards, IReadOnlyDictionary<string, NamedTensor> tensors)
        => (Path, this.shards, Tensors) = (path, shards, tensors);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, NamedTensor> Tensors { get; }

    /// <summary>Joins shards.</summary>
    /// <param name="path">The folder they lie in.</param>
    /// <param name="shards">Owned by the result, disposed when there is none.</param>
    /// <returns>The whole, or which tensor is in two shards.</returns>
    public static ReadResult<ShardedTensors> Join(string path, IReadOnlyList<INamedTensors> shards)
    {
        var tensors = new Dictionary<string, NamedTensor>(StringComparer.Ordinal);
        foreach (var tensor in shards.SelectMany(shard => shard.Tensors.Values))
        {
            if (tensors.TryAdd(tensor.Name, tensor))
                continue;
            var first = tensors[tensor.Name].File.Path;
            foreach (var shard in shards)
                shard.Dispose();
            return ReadResult<ShardedTensors>.Failed($"Tensor '{tensor.Name}' is in '{first}' and again in '{tensor.File.Path}'; the shards do not belong together.");
        }
        return ReadResult<ShardedTensors>.Of(new ShardedTensors(path, shards, tensors));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var shard in shards)
            shard.Dispose();
    }
}
