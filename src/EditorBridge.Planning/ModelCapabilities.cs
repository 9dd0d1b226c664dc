using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>A canvas size in pixels.</summary>
/// <param name="Width">Width, a multiple of the VAE's stride times the patch.</param>
/// <param name="Height">Height, likewise.</param>
public readonly record struct CanvasSize(int Width, int Height);

/// <summary>How far a model was trained for a kind of context.</summary>
public enum ContextSupport
{
    /// <summary>The model has no way to take it.</summary>
    None,

    /// <summary>It can be given, but the model never saw it in training.</summary>
    BestEffort,

    /// <summary>The model was trained with it.</summary>
    Trained,
}

/// <summary>How a model is given frames.</summary>
public enum Conditioning
{
    /// <summary>As clean latents among those that are sampled, each with its own timestep: Wan 2.2 TI2V and <c>sketch</c>.</summary>
    CleanLatents,

    /// <summary>Not at all: it goes by words.</summary>
    Words,

    /// <summary>As channels behind the noise, with a mask: image to video, first and last frame.</summary>
    Channels,

    /// <summary>As a video with a mask that network blocks of its own read: VACE.</summary>
    Vace,
}

/// <summary>What the VAE's convolutions compute in; everything else of it is float32.</summary>
public enum VaePrecision
{
    /// <summary>As the authors run it.</summary>
    Float32,

    /// <summary>Half the time and less memory on GPUs; much slower on CPUs without instructions for it.</summary>
    BFloat16,
}

/// <summary>What planning needs to know of a model: its canvas, what context it was trained with, its sizes and its defaults.</summary>
public sealed record ModelCapabilities
{
    /// <summary>Name in the catalogue.</summary>
    public required string Name { get; init; }

    /// <summary>Its family of architectures, such as "wan2.1-vace".</summary>
    public string Family { get; init; } = "wan2.2-ti2v";

    /// <summary>How it is given frames.</summary>
    public Conditioning Conditioning { get; init; }

    /// <summary>Whether it cannot begin without a picture.</summary>
    public bool NeedsFirstFrame { get; init; }

    /// <summary>Whether it cannot do without the picture it ends with.</summary>
    public bool NeedsLastFrame { get; init; }

    /// <summary>Whether it works on masked parts of a video, and takes pictures of subjects, keyframes at any frame and control videos.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool TakesMasks => Conditioning == Conditioning.Vace;

    /// <summary>Rate of the canvas.</summary>
    public required FrameRate CanvasRate { get; init; }

    /// <summary>Canvas sizes it was trained at.</summary>
    public required IReadOnlyList<CanvasSize> Sizes { get; init; }

    /// <summary>Longest canvas, 4n+1 frames.</summary>
    public required int MaxFrames { get; init; }

    /// <summary>Canvas frames per latent after the first.</summary>
    public int TemporalStride { get; init; } = 4;

    /// <summary>Canvas pixels per latent cell along each side.</summary>
    public int SpatialStride { get; init; } = 16;

    /// <summary>Latent cells per token along each side.</summary>
    public int Patch { get; init; } = 2;

    /// <summary>Latent channels.</summary>
    public int LatentChannels { get; init; } = 48;

    /// <summary>One frame before.</summary>
    public required ContextSupport FirstFrame { get; init; }

    /// <summary>Several frames before.</summary>
    public required ContextSupport Before { get; init; }

    /// <summary>Frames after, as a segment of their own at their true time.</summary>
    public required ContextSupport After { get; init; }

    /// <summary>Most context frames a side it was trained with; more are best effort.</summary>
    public int MaxContextFrames { get; init; } = 9;

    /// <summary>Longest text in tokens, end mark included.</summary>
    public int TextLength { get; init; } = 512;

    /// <summary>Width of the transformer.</summary>
    public required int Dim { get; init; }

    /// <summary>Blocks of the transformer.</summary>
    public required int Layers { get; init; }

    /// <summary>Width of its feed-forward.</summary>
    public required int FeedForward { get; init; }

    /// <summary>Parameters of the transformer.</summary>
    public required long TransformerParameters { get; init; }

    /// <summary>Parameters of the text encoder.</summary>
    public required long TextEncoderParameters { get; init; }

    /// <summary>Parameters of the VAE.</summary>
    public required long VaeParameters { get; init; }

    /// <summary>Bytes of the transformer as it is stored; 0 when not known.</summary>
    public long TransformerBytes { get; init; }

    /// <summary>The same of the second transformer.</summary>
    public long LowNoiseBytes { get; init; }

    /// <summary>The same of the image encoder.</summary>
    public long ImageEncoderBytes { get; init; }

    /// <summary>Bytes of the text encoder as it is stored; 0 when not known.</summary>
    public long TextEncoderBytes { get; init; }

    /// <summary>Bytes of the VAE as it is stored; 0 when not known.</summary>
    public long VaeBytes { get; init; }

    /// <summary>Channels of the VAE decoder's last (full resolution) level.</summary>
    public required int VaeDecoderBase { get; init; }

    /// <summary>What the VAE's convolutions compute in.</summary>
    public VaePrecision VaePrecision { get; init; }

    /// <summary>Pixels a side that the VAE folds into channels before its full resolution level: 2 in 2.2, otherwise 1.</summary>
    public int VaePatch { get; init; } = 1;

    /// <summary>Parameters of the image encoder; 0 without.</summary>
    public long ImageEncoderParameters { get; init; }

    /// <summary>Parameters of the second transformer, the expert for low noise; 0 for models with one.</summary>
    public long LowNoiseParameters { get; init; }

    /// <summary>Noise level, 0 to 1, from which on the expert for high noise works; null for models with one transformer.</summary>
    public double? Boundary { get; init; }

    /// <summary>Guidance of the expert for low noise; null: as that for high noise.</summary>
    public double? DefaultLowNoiseGuidance { get; init; }

    /// <summary>Bytes one parameter takes while computing: 4 for fp32, 2 for bf16.</summary>
    public int BytesPerParameter { get; init; } = 4;

    /// <summary>SHA-256 over the weight files, lower-case hex; empty when not known yet.</summary>
    public string Hash { get; init; } = "";

    /// <summary>Presets of the model's own, by name; the others are those of <see cref="SamplingPresets"/>.</summary>
    public IReadOnlyDictionary<string, SamplingPreset> Presets { get; init; } = new Dictionary<string, SamplingPreset>();

    /// <summary>TeaCache's polynomial for it, highest power first; empty where none is known.</summary>
    public IReadOnlyList<double> TeaCacheCoefficients { get; init; } = [];

    /// <summary>Solver steps of the standard preset.</summary>
    public int DefaultSteps { get; init; } = 20;

    /// <summary>Guidance of the standard preset.</summary>
    public double DefaultGuidance { get; init; } = 4;

    /// <summary>Schedule shift.</summary>
    public double DefaultShift { get; init; } = 5;

    /// <summary>Sampler.</summary>
    public string DefaultSampler { get; init; } = "unipc";

    /// <summary>Negative prompt used when none is given.</summary>
    public string DefaultNegativePrompt { get; init; } = "";
}
