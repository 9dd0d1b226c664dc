namespace EditorBridge.Models.Checkpoints;

/// <summary>
/// A checkpoint without what programs wrap around the names of a network: the prefix of its place in a larger model, and the extra tensors of
/// scaled fp8 (a marker <c>scaled_fp8</c>; beside a weight its <c>scale_weight</c>, one number, and its <c>scale_input</c>, of use only to fp8 arithmetic).
/// </summary>
internal sealed class UnwrappedTensors : INamedTensors
{
    private const string Marker = "scaled_fp8";
    private static readonly string[] Prefixes = ["model.diffusion_model.", "diffusion_model."];

    private readonly INamedTensors stored;

    private UnwrappedTensors(INamedTensors stored, IReadOnlyDictionary<string, NamedTensor> tensors) => (this.stored, Tensors) = (stored, tensors);

    public string Path => stored.Path;

    public IReadOnlyDictionary<string, NamedTensor> Tensors { get; }

    /// <summary>Unwraps a checkpoint, which the result then owns; it is disposed when there is none.</summary>
    public static ReadResult<INamedTensors> Of(INamedTensors stored)
    {
        var tensors = new Dictionary<string, NamedTensor>(StringComparer.Ordinal);
        var prefix = Prefixes.FirstOrDefault(start => stored.Tensors.Keys.Any(name => name.StartsWith(start, StringComparison.Ordinal))) ?? "";
        foreach (var (name, tensor) in stored.Tensors)
        {
            var bare = name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
            if (!tensors.TryAdd(bare, bare == name ? tensor : tensor with { Name = bare }))
                return Refused(stored, $"'{stored.Path}' holds tensor '{bare}' with and without the prefix '{prefix}'.");
        }

        foreach (var name in (string[])["patch_embedding", "vace_patch_embedding"])
            if (Unflattened(tensors, name) is { } unflattened)
                tensors[unflattened.Name] = unflattened;

        tensors.Remove(Marker);
        var value = new float[1];
        foreach (var (name, scale) in tensors.Where(pair => pair.Key.EndsWith(".scale_weight", StringComparison.Ordinal)).ToList())
        {
            var layer = name[..^"scale_weight".Length];
            if (!tensors.TryGetValue(layer + "weight", out var weight))
                return Refused(stored, $"'{stored.Path}' holds the scale '{name}' but no tensor '{layer}weight' to go with it.");
            if (scale.Elements != 1 || scale.Type is not (TensorType.F32 or TensorType.F16 or TensorType.BF16))
                return Refused(stored, $"'{stored.Path}' holds the scale '{name}' as {scale.Type} [{string.Join(", ", scale.Shape)}]; only one number a layer is known here.");
            scale.Read(0, value);
            if (!float.IsFinite(value[0]))
                return Refused(stored, $"'{stored.Path}' holds the scale '{name}', which is not a number; download it again.");
            tensors[layer + "weight"] = weight with { Scale = value[0] };
            tensors.Remove(name);
            tensors.Remove(layer + "scale_input");
        }

        return ReadResult<INamedTensors>.Of(new UnwrappedTensors(stored, tensors));
    }

    public void Dispose() => stored.Dispose();

    // GGUF knows four axes: some writers join the outer two of the only weights with five.
    private static NamedTensor? Unflattened(Dictionary<string, NamedTensor> tensors, string name)
        => tensors.TryGetValue(name + ".weight", out var weight) && tensors.TryGetValue(name + ".bias", out var bias)
            && weight.Shape.Count == 4 && bias.Shape is [> 0 and var rows] && weight.Shape[0] % rows == 0
            ? weight with { Shape = [rows, weight.Shape[0] / rows, .. weight.Shape.Skip(1)] }
            : null;

    private static ReadResult<INamedTensors> Refused(INamedTensors stored, string problem)
    {
        stored.Dispose();
        return ReadResult<INamedTensors>.Failed(problem);
    }
}
