using EditorBridge.Models.Checkpoints;

namespace EditorBridge.Models.Lora;

/// <summary>
/// A LoRA in any of the spellings in use for Wan: <c>diffusion_model.blocks.0.….lora_A.weight</c> and its like, musubi's and kohya's
/// <c>lora_unet_blocks_0_….lora_down.weight</c> (also with points left in), Diffusers' <c>transformer.blocks.0.attn1.….lora_A.weight</c> with
/// <c>transformer_2.</c> for the low-noise expert, and full differences <c>.diff</c> and <c>.diff_b</c>.
/// </summary>
public sealed class LoraFile : IDisposable
{
    private enum Part
    {
        Down,
        Up,
        Alpha,
        Difference,
        BiasDifference,
    }

    private static readonly (string Ending, Part Part)[] Endings =
    [
        (".lora_A.weight", Part.Down), (".lora_B.weight", Part.Up), (".lora_down.weight", Part.Down), (".lora_up.weight", Part.Up),
        (".lora_A.default.weight", Part.Down), (".lora_B.default.weight", Part.Up), (".lora.down.weight", Part.Down), (".lora.up.weight", Part.Up),
        (".alpha", Part.Alpha), (".diff", Part.Difference), (".diff_b", Part.BiasDifference),
    ];

    private static readonly string[] Prefixes =
        ["base_model.model.", "model.diffusion_model.", "diffusion_model.", "transformer.", "unet.", "lora_unet_", "lora_transformer_"];

    private const string LowNoisePrefix = "transformer_2.";

    private readonly INamedTensors tensors;

    private LoraFile(INamedTensors tensors, IReadOnlyList<LoraLayer> layers, IReadOnlyList<LoraLayer> lowNoise, IReadOnlyList<string> unread)
        => (this.tensors, Layers, LowNoiseLayers, Unread) = (tensors, layers, lowNoise, unread);

    /// <summary>Where it lies.</summary>
    public string Path => tensors.Path;

    /// <summary>Its layers: for the only transformer, or of a file for both experts those for high noise.</summary>
    public IReadOnlyList<LoraLayer> Layers { get; }

    /// <summary>Layers that the file itself gives to the low-noise expert; mostly none, as each expert has a file of its own.</summary>
    public IReadOnlyList<LoraLayer> LowNoiseLayers { get; }

    /// <summary>Keys that are no part of a LoRA known here.</summary>
    public IReadOnlyList<string> Unread { get; }

    /// <summary>Opens a LoRA.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The LoRA, or why it cannot be used.</returns>
    public static ReadResult<LoraFile> Open(string path)
    {
        var tensors = Checkpoint.Open(path);
        return tensors.Ok ? Of(tensors.Value) : ReadResult<LoraFile>.Failed(tensors.Problem);
    }

    /// <inheritdoc/>
    public void Dispose() => tensors.Dispose();

    private static ReadResult<LoraFile> Of(INamedTensors tensors)
    {
        var (layers, lowNoise) = (new SortedDictionary<string, LoraLayer>(StringComparer.Ordinal), new SortedDictionary<string, LoraLayer>(StringComparer.Ordinal));
        var unread = new List<string>();
        var problem = tensors.Tensors.Values.Select(tensor => Add(tensor, layers, lowNoise, unread)).FirstOrDefault(reason => reason is not null)
            ?? layers.Values.Concat(lowNoise.Values).Select(Incomplete).FirstOrDefault(reason => reason is not null)
            ?? (layers.Count + lowNoise.Count == 0 ? "holds no layer of a LoRA in a spelling known here" : null);
        if (problem is null)
            return ReadResult<LoraFile>.Of(new LoraFile(tensors, [.. layers.Values], [.. lowNoise.Values], unread));
        tensors.Dispose();
        return ReadResult<LoraFile>.Failed($"'{tensors.Path}' {problem}.");
    }

    private static string? Add(
        NamedTensor tensor, SortedDictionary<string, LoraLayer> layers, SortedDictionary<string, LoraLayer> lowNoise, List<string> unread)
    {
        var (ending, part) = Endings.FirstOrDefault(candidate => tensor.Name.EndsWith(candidate.Ending, StringComparison.Ordinal));
        if (ending is null)
        {
            unread.Add(tensor.Name);
            return null;
        }
        var name = tensor.Name[..^ending.Length];
        var low = name.StartsWith(LowNoisePrefix, StringComparison.Ordinal);
        // Prefixes may follow each other: base_model.model.diffusion_model.…
        foreach (var prefix in low ? [LowNoisePrefix] : Prefixes)
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                name = name[prefix.Length..];

        var all = low ? lowNoise : layers;
        var layer = all.GetValueOrDefault(name) ?? new LoraLayer(name);
        if (part switch { Part.Down => layer.Down, Part.Up => layer.Up, Part.Difference => layer.Difference, Part.BiasDifference => layer.BiasDifference, _ => null } is not null
            || (part == Part.Alpha && layer.Alpha is not null))
            return $"has '{tensor.Name}' twice, in two spellings";
        if (part == Part.Alpha && tensor.Elements != 1)
            return $"has '{tensor.Name}' with {tensor.Elements} numbers instead of one";
        all[name] = part switch
        {
            Part.Down => layer with { Down = tensor },
            Part.Up => layer with { Up = tensor },
            Part.Alpha => layer with { Alpha = Number(tensor) },
            Part.Difference => layer with { Difference = tensor },
            _ => layer with { BiasDifference = tensor },
        };
        return null;
    }

    private static string? Incomplete(LoraLayer layer)
    {
        if (layer.Down is null != layer.Up is null)
            return $"has only one half of the product for '{layer.Name}'; download it again";
        if (layer is { Down: { } down, Up: { } up } && (down.Shape.Count < 2 || up.Shape.Count < 2 || down.Shape[0] != up.Shape[1] || down.Shape[0] < 1
            || up.Shape.Skip(2).Any(size => size != 1)))
            return $"has a product for '{layer.Name}' of [{string.Join(", ", up.Shape)}] and [{string.Join(", ", down.Shape)}], which do not go together";
        return layer.Alpha is { } alpha && !float.IsFinite(alpha) ? $"has an alpha for '{layer.Name}' that is not a number" : null;
    }

    private static float Number(NamedTensor tensor)
    {
        if (tensor.Type is TensorType.I64 or TensorType.I32)
            return tensor.Type == TensorType.I64 ? BitConverter.ToInt64(tensor.Bytes) : BitConverter.ToInt32(tensor.Bytes);
        Span<float> value = stackalloc float[1];
        tensor.Read(0, value);
        return value[0];
    }
}
