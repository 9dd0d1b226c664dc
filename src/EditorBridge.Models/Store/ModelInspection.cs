using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Networks;
using EditorBridge.Models.Variants;

namespace EditorBridge.Models.Store;

/// <summary>One network of a model, as its files' headers describe it.</summary>
public sealed record InspectedNetwork
{
    /// <summary>Which network; null for none of a Wan model.</summary>
    public required NetworkKind? Kind { get; init; }

    /// <summary>Its file or folder.</summary>
    public required string Path { get; init; }

    /// <summary>What it is; empty where it could not be read.</summary>
    public required string Title { get; init; }

    /// <summary>Number of tensors.</summary>
    public required int Tensors { get; init; }

    /// <summary>Number of values in them.</summary>
    public required long Parameters { get; init; }

    /// <summary>Bytes of its files.</summary>
    public required long Bytes { get; init; }

    /// <summary>How the values are stored, the type of most first, such as <c>BF16</c>.</summary>
    public required IReadOnlyList<string> Types { get; init; }

    /// <summary>Why it cannot be used; null when nothing is wrong with it.</summary>
    public string? Problem { get; init; }
}

/// <summary>What a model is, told from the headers of its files.</summary>
public sealed record InspectedModel
{
    /// <summary>Where it lies.</summary>
    public required ModelPlace Place { get; init; }

    /// <summary>How its files are laid out; null where the parts of a model were not found.</summary>
    public required ModelLayout? Layout { get; init; }

    /// <summary>What its transformer is; null when that could not be told.</summary>
    public required WanVariant? Variant { get; init; }

    /// <summary>Its networks.</summary>
    public required IReadOnlyList<InspectedNetwork> Networks { get; init; }

    /// <summary>What is missing or wrong, in one sentence; null when all its parts are there, their headers sound and the networks whole.</summary>
    public required string? Problem { get; init; }

    /// <summary>Bytes of the files of all networks.</summary>
    public long Bytes => Networks.Sum(network => network.Bytes);

    /// <summary>Values in all networks.</summary>
    public long Parameters => Networks.Sum(network => network.Parameters);

    /// <summary>Reads the headers of a model. No weights are read.</summary>
    /// <param name="place">The model.</param>
    public static InspectedModel Of(ModelPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        var parts = ModelParts.Find(place.Location);
        IEnumerable<(string Path, NetworkKind? Kind)> expected = parts.Ok
            ? parts.Value.Networks.Select(part => (part.Path, (NetworkKind?)part.Kind))
            // What there is of an incomplete model is still worth knowing.
            : File.Exists(place.Location) ? [(place.Location, null)]
            : new[] { "transformer", "transformer_2", "vae", "text_encoder", "image_encoder" }.Select(part => Path.Combine(place.Location, part)).Where(Directory.Exists).Select(path => (path, (NetworkKind?)null));
        WanVariant? variant = null;
        var networks = new List<InspectedNetwork>();
        foreach (var (path, kind) in expected) networks.Add(Network(path, kind, parts.Value?.Layout, ref variant));
        if (parts is { Ok: true, Value.LowNoiseTransformer: not null } && variant is { ComesAsPair: true } expert) variant = expert.AsPair();
        return new InspectedModel
        {
            Place = place,
            Layout = parts.Ok ? parts.Value.Layout : null,
            Variant = variant,
            Networks = networks,
            Problem = networks.FirstOrDefault(network => network.Problem is not null)?.Problem ?? (parts.Ok ? null : parts.Problem),
        };
    }

    // Expected and layout are null where the parts of the model were not found.
    private static InspectedNetwork Network(string path, NetworkKind? expected, ModelLayout? layout, ref WanVariant? variant)
    {
        var opened = Checkpoint.Open(path);
        if (!opened.Ok) return new InspectedNetwork { Kind = null, Path = path, Title = "", Tensors = 0, Parameters = 0, Bytes = 0, Types = [], Problem = opened.Problem };
        using var weights = opened.Value;
        var kind = NetworkKinds.Of(weights);
        string? problem = null;
        var title = "";
        if (kind == NetworkKind.Transformer)
        {
            var recognised = WanVariant.Recognise(weights.Tensors.Select(tensor => new TensorEntry(tensor.Key, tensor.Value.Type, tensor.Value.Shape, tensor.Value.Offset, tensor.Value.Length)), path);
            variant ??= recognised.Value;
            (title, problem) = (recognised.Value?.Name ?? "", recognised.Problem);
        }

        if (problem is null && expected is { } wanted && layout is { } known) problem = NetworkFit.Problem(wanted, path, known, weights);

        return new InspectedNetwork
        {
            Kind = kind,
            Path = path,
            Title = title.Length > 0 ? title : Title(kind),
            Tensors = weights.Tensors.Count,
            Parameters = weights.Tensors.Values.Sum(tensor => tensor.Elements),
            Bytes = weights.Tensors.Values.Select(tensor => tensor.File).Distinct().Sum(file => file.Length),
            Types = [.. weights.Tensors.Values.GroupBy(tensor => tensor.Type).OrderByDescending(group => group.Sum(tensor => tensor.Length)).Select(group => group.Key.ToString())],
            Problem = problem,
        };
    }

    private static string Title(NetworkKind? kind) => kind switch
    {
        NetworkKind.Transformer => "a transformer of another family",
        NetworkKind.Vae => "a video VAE",
        NetworkKind.TextEncoder => "a text encoder",
        NetworkKind.ImageEncoder => "an image encoder",
        NetworkKind.Lora => "a LoRA",
        _ => "no network of a Wan model",
    };
}
