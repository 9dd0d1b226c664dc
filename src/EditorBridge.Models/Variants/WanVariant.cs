using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;

namespace EditorBridge.Models.Variants;

/// <summary>The lines of Wan transformers, told apart by what they take besides noise.</summary>
public enum WanLine
{
    /// <summary>2.2 TI2V: 48 latent channels, a timestep per token (and <c>sketch</c>, which shares its form).</summary>
    TextImageToVideo22,

    /// <summary>Text to video with 16 latent channels: 2.1, or one expert of 2.2 A14B (their tensors look alike).</summary>
    TextToVideo,

    /// <summary>2.1 image to video: mask and image channels, and features of an image encoder.</summary>
    ImageToVideo21,

    /// <summary>2.1 first and last frame: as image to video, with learned positions for two images.</summary>
    FirstLastFrame21,

    /// <summary>One expert of 2.2 A14B image to video: mask and image channels, no image encoder.</summary>
    ImageToVideo22,

    /// <summary>VACE: blocks of its own for a context video.</summary>
    Vace,
}

/// <summary>What a transformer checkpoint is, read from the names and shapes of its tensors, in original, Diffusers or ComfyUI naming.</summary>
/// <param name="Line">Its line.</param>
/// <param name="Name">How people call it.</param>
/// <param name="Dim">Width of the residual stream.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="InChannels">Channels that come in.</param>
/// <param name="OutChannels">Latent channels that go out.</param>
public sealed record WanVariant(WanLine Line, string Name, long Dim, int Layers, long InChannels, long OutChannels)
{
    private static readonly string[] Prefixes = ["model.diffusion_model.", "diffusion_model."];

    // Parts that only relatives of these lines have; without them they would pass for one of the lines.
    private static readonly (string Start, string What)[] Relatives =
    [
        ("ref_conv.", "with control by a reference (Fun)"), ("control_adapter.", "with camera control"), ("casual_audio_encoder.", "driven by sound (S2V)"),
        ("audio_injector.", "driven by sound (S2V)"), ("face_adapter.", "driven by a face (Animate)"), ("motion_encoder.", "driven by a face (Animate)"),
        ("pose_patch_embedding.", "driven by a pose (Animate)"),
    ];

    /// <summary>The model of which this is one expert: what people call the pair of them.</summary>
    /// <exception cref="InvalidOperationException">No model of this line has two experts.</exception>
    public WanVariant AsPair() => this with
    {
        Name = Line switch
        {
            WanLine.TextToVideo => "Wan 2.2 T2V-A14B",
            WanLine.ImageToVideo22 => "Wan 2.2 I2V-A14B",
            _ => throw new InvalidOperationException($"{Name} does not come as two experts."),
        },
    };

    /// <summary>Whether models of this line may come as two experts.</summary>
    public bool ComesAsPair => Line is WanLine.TextToVideo or WanLine.ImageToVideo22;

    /// <summary>Recognises a checkpoint.</summary>
    /// <param name="tensors">The tensors of all its files.</param>
    /// <param name="source">What to call it in a problem.</param>
    public static ReadResult<WanVariant> Recognise(IEnumerable<TensorEntry> tensors, string source)
    {
        var shapes = new Dictionary<string, IReadOnlyList<long>>(StringComparer.Ordinal);
        foreach (var tensor in tensors)
        {
            var prefix = Prefixes.FirstOrDefault(start => tensor.Name.StartsWith(start, StringComparison.Ordinal)) ?? "";
            shapes[tensor.Name[prefix.Length..]] = tensor.Shape;
        }
        foreach (var (start, what) in Relatives)
            if (shapes.Keys.FirstOrDefault(key => key.StartsWith(start, StringComparison.Ordinal)) is { } part)
                return ReadResult<WanVariant>.Failed($"'{source}' holds '{part}': it is a Wan transformer {what}, which is not supported.");
        var head = shapes.GetValueOrDefault("proj_out.weight") ?? shapes.GetValueOrDefault("head.head.weight");
        if (shapes.GetValueOrDefault("patch_embedding.weight") is not { Count: 5 } patch || head is not { Count: 2 })
            return ReadResult<WanVariant>.Failed($"'{source}' is not a Wan transformer: its patch embedding or its head is missing.");

        var (dim, input, output) = (patch[0], patch[1], head[0] / Math.Max(1, patch[2] * patch[3] * patch[4]));
        bool Any(params string[] starts) => shapes.Keys.Any(key => starts.Any(start => key.StartsWith(start, StringComparison.Ordinal)));
        var layers = shapes.Keys.Where(key => key.StartsWith("blocks.", StringComparison.Ordinal)).Select(key => key.Split('.')[1]).Distinct().Count();
        return Of(
            source, dim, layers, input, output, vace: Any("vace_blocks."),
            image: Any("img_emb.", "condition_embedder.image_embedder."), frames: Any("img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed"));
    }

    /// <summary>Recognises a checkpoint by its config, before any weights are looked at.</summary>
    /// <param name="config">The transformer's <c>config.json</c>.</param>
    /// <param name="source">What to call it in a problem.</param>
    public static ReadResult<WanVariant> Recognise(WanTransformerConfig config, string source) => Of(
        source, config.Dim, config.NumLayers, config.InChannels, config.OutChannels, vace: config.VaceLayers is not null,
        image: config.ImageDim is not null || config.AddedKvProjDim is not null, frames: config.PosEmbedSeqLen is not null);

    private static ReadResult<WanVariant> Of(string source, long dim, int layers, long input, long output, bool vace, bool image, bool frames)
    {
        var line = vace ? WanLine.Vace : frames ? WanLine.FirstLastFrame21 : image ? WanLine.ImageToVideo21 : (input, output) switch
        {
            (48, 48) => WanLine.TextImageToVideo22,
            (16, 16) => WanLine.TextToVideo,
            (36, 16) => WanLine.ImageToVideo22,
            _ => (WanLine?)null,
        };
        return line is { } known
            ? ReadResult<WanVariant>.Of(new WanVariant(known, NameOf(known, dim), dim, layers, input, output))
            : ReadResult<WanVariant>.Failed($"'{source}' takes {input} and gives {output} channels; no Wan transformer known here does.");
    }

    private static string NameOf(WanLine line, long dim) => (line, dim) switch
    {
        (WanLine.TextImageToVideo22, 3072) => "Wan 2.2 TI2V-5B",
        (WanLine.TextImageToVideo22, _) => "a small model in the form of Wan 2.2 TI2V",
        (WanLine.TextToVideo, 1536) => "Wan 2.1 T2V-1.3B",
        (WanLine.TextToVideo, _) => "Wan 2.1 T2V-14B or an expert of Wan 2.2 T2V-A14B",
        (WanLine.ImageToVideo21, _) => "Wan 2.1 I2V-14B",
        (WanLine.FirstLastFrame21, _) => "Wan 2.1 FLF2V-14B",
        (WanLine.ImageToVideo22, _) => "an expert of Wan 2.2 I2V-A14B",
        (WanLine.Vace, 1536) => "Wan 2.1 VACE-1.3B",
        (WanLine.Vace, _) => "Wan 2.1 VACE-14B",
        _ => throw new ArgumentOutOfRangeException(nameof(line)),
    };
}
