using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;

namespace EditorBridge.Planning;

/// <summary>
/// What a job keeps in memory at the same time, in bytes, counted from the tensors that the networks hold on to. An upper bound: what overlaps only in part counts as
/// if it did as a whole.
/// </summary>
/// <param name="Model">The model.</param>
/// <param name="Canvas">The canvas.</param>
/// <param name="Latents">Latents of the longest window, those beside the main sequence included.</param>
/// <param name="Sampling">How it is sampled.</param>
/// <param name="Continues">Whether new frames are decoded on from given ones.</param>
/// <param name="VaeTile">Longest side in latents of the VAE's tiles; 0 for whole pictures.</param>
internal sealed record JobMemory(ModelCapabilities Model, CanvasSize Canvas, long Latents, SamplingPlan Sampling, bool Continues, int VaeTile = 0)
{
    // A .NET process with libtorch loaded, before any weight; on the GPU, what its libraries take.
    private const long ProcessBytes = 450L << 20;
    private const long DeviceBytes = 700L << 20;

    // A large text encoder at work: one of its weights in float32, and what a prompt becomes (UMT5-XXL, measured).
    private const long TextEncoderBytes = 500_000_000;

    // Weights on their way to a GPU, and what is loaded before it goes.
    private const long TransferBytes = 1L << 30;

    // Of a full-resolution place and base channel. Remembered: two frames in float32 of seven convolutions there, of six with twice and four times the channels on the
    // levels below, of ten on the deepest. At work: thirteen tensors of a chunk of four frames.
    private const long CacheBytes = 100, WorkBytes = 208;

    // Channels of the deepest level, in base channels.
    private const long DeepestLevel = 4;

    /// <summary>Weights that are in main memory for themselves.</summary>
    public long Weights { get; } = InMemory(Model.TransformerParameters) + InMemory(Model.TextEncoderParameters) + InMemory(Model.VaeParameters)
        + InMemory(Model.LowNoiseParameters) + InMemory(Model.ImageEncoderParameters);

    /// <summary>Weights that stay mapped files.</summary>
    public long Mapped => MappedOf(Model.TransformerParameters, Model.TransformerBytes) + MappedOf(Model.TextEncoderParameters, Model.TextEncoderBytes)
        + MappedOf(Model.VaeParameters, Model.VaeBytes) + MappedOf(Model.LowNoiseParameters, Model.LowNoiseBytes) + MappedOf(Model.ImageEncoderParameters, Model.ImageEncoderBytes);

    /// <summary>Weights of the transformers among these.</summary>
    public long MappedTransformers => MappedOf(Model.TransformerParameters, Model.TransformerBytes) + MappedOf(Model.LowNoiseParameters, Model.LowNoiseBytes);

    /// <summary>Keys and values of every block for each text, in float32.</summary>
    public long Texts => TextsOf(4);

    /// <summary>A pass of the transformer in float32 beside <see cref="Texts"/>, step cache included.</summary>
    public long Pass
    {
        get
        {
            // Residual before and after each of a block's three parts, their modulated inputs and results; inside attention q, k, v and what norm and rotation made of
            // them are no more than the later ones. The feed-forward part between its two products, activated in place.
            long block = (12L * Model.Dim) + Model.FeedForward;
            // A context beside the main sequence, and the hint it gives.
            if (Model.Conditioning == Conditioning.Vace) block += 2L * Model.Dim;
            // One weight at a time in float32.
            var upcast = Model.TransformerParameters < NamedTensor.FewValues ? 0 : 4L * Model.Dim * Model.FeedForward;
            return (4 * Tokens * block) + Residuals + upcast;
        }
    }

    /// <summary>Whole video the conditioning is made of, in float32, for as long as it is encoded.</summary>
    public long Pixels
    {
        get
        {
            // VACE has the video, its mask, what is kept and what changes, and for a mask the source beside; others the video and a copy.
            var channels = Model.Conditioning == Conditioning.Vace ? 20 : 6;
            return 4L * channels * Frames * Canvas.Width * Canvas.Height;
        }
    }

    /// <summary>Latents of a window with the solver's history, and VACE's context.</summary>
    public long States => 4 * Latents * (Canvas.Width / Model.SpatialStride) * (Canvas.Height / Model.SpatialStride)
        * ((8L * Model.LatentChannels) + (Model.Conditioning == Conditioning.Vace ? 12L * Model.LatentChannels : 0));

    /// <summary>What the decoder remembers of a clip, all tiles together.</summary>
    public long VaeCache => CacheBytes * Model.VaeDecoderBase * Tiles.Count * Tiles.Area;

    /// <summary>The VAE at work on one tile, without what it remembers.</summary>
    public long VaeWork => Chunk + Kernel;

    /// <summary>The VAE on the CPU.</summary>
    public long Vae => VaeCache + VaeWork;

    /// <summary>A preview, which is decoded on the CPU while texts and latents wait: on from given frames with a copy of what the decoder remembers of a tile, or as the clip's first frame.</summary>
    public long Preview => (VaeCache / Tiles.Count) + (Continues ? Vae : (Chunk / Model.TemporalStride) + Kernel);

    /// <summary>Most main memory on the CPU.</summary>
    public long Peak
    {
        get
        {
            var text = Model.TextEncoderParameters < NamedTensor.FewValues ? 0 : TextEncoderBytes;
            var sampling = Texts + States + Math.Max(Pass, Preview);
            return ProcessBytes + Weights + Math.Max(Math.Max(text, Pixels + Vae), sampling);
        }
    }

    /// <summary>Most main memory where a GPU computes.</summary>
    /// <param name="arrangement">Where the weights are.</param>
    public long PeakBesideDevice(MemoryArrangement arrangement)
        => ProcessBytes + TransferBytes + (arrangement == MemoryArrangement.Streamed ? Blocks : 0) + (Tiles.Count > 1 ? VaeCache : 0) + Pixels;

    /// <summary>Most of a GPU's memory.</summary>
    /// <param name="arrangement">Where the weights are.</param>
    public long PeakOnDevice(MemoryArrangement arrangement)
    {
        var (high, low) = (OnDevice(Model.TransformerParameters, Model.TransformerBytes), OnDevice(Model.LowNoiseParameters, Model.LowNoiseBytes));
        var weights = arrangement switch
        {
            MemoryArrangement.Resident => high + low,
            MemoryArrangement.InTurns => Math.Max(high, low),
            _ => Blocks,
        };
        // The caches of other tiles are in main memory; of whole pictures a preview has a copy.
        var tile = VaeCache / Tiles.Count;
        return DeviceBytes + weights + OnDevice(Model.VaeParameters, Model.VaeBytes)
            + Math.Max(Pixels + tile + VaeWork, States + DeviceTexts + Math.Max(DevicePass, VaeWork + (Tiles.Count > 1 ? tile : 2 * tile)));
    }

    /// <summary>A pass of the transformer on a GPU and what it keeps of the texts.</summary>
    public long DeviceActivations => DevicePass + DeviceTexts;

    private long DeviceTexts => TextsOf(2);

    // In bfloat16 but for the residual stream, its updates and what norms compute.
    private long DevicePass => (Tokens * ((28L * Model.Dim) + (6L * Model.FeedForward) + (Model.Conditioning == Conditioning.Vace ? 8L * Model.Dim : 0))) + Residuals;

    private long Chunk => WorkBytes * Model.VaeDecoderBase * Tiles.Area;

    // The largest kernel in float32 in the order that the product wants, and in the library's own.
    private long Kernel => 2 * 4 * 27 * DeepestLevel * DeepestLevel * Model.VaeDecoderBase * Model.VaeDecoderBase;

    // Two blocks of each transformer at a time, of which one is on its way.
    private long Blocks => 2 * (OnDevice(Model.TransformerParameters, Model.TransformerBytes) + OnDevice(Model.LowNoiseParameters, Model.LowNoiseBytes)) / Model.Layers;

    private long Tokens
    {
        get
        {
            long cell = Model.SpatialStride * Model.Patch;
            return Latents * (Canvas.Width / cell) * (Canvas.Height / cell);
        }
    }

    // A window's latents stand for one frame and then four each.
    private long Frames => (Model.TemporalStride * (Latents - 1)) + 1;

    // TeaCache keeps what the blocks add to every token, for each pass; EasyCache a few latents, which are nothing beside the rest.
    private long Residuals => Sampling.StepCache is { Method: "teacache" } ? 4L * Sampling.PassesPerStep * Tokens * Model.Dim : 0;

    // How many there are, and the full-resolution places of one: pixels, or where the VAE folds them into channels, patches of pixels.
    private (long Count, long Area) Tiles
    {
        get
        {
            var (rows, columns) = (Axis(Canvas.Height), Axis(Canvas.Width));
            var level = (long)(Model.SpatialStride / Model.VaePatch);
            return (rows.Count * columns.Count, rows.Length * columns.Length * level * level);

            TileAxis Axis(int pixels) => TileAxis.Of(pixels / Model.SpatialStride, VaeTile);
        }
    }

    private long TextsOf(int bytes) => 2L * Sampling.PassesPerStep * Model.Layers * Model.TextLength * Model.Dim * bytes;

    private static long InMemory(long parameters) => parameters < NamedTensor.FewValues ? 4 * parameters : 0;

    private long MappedOf(long parameters, long stored) => parameters < NamedTensor.FewValues ? 0 : Stored(parameters, stored);

    // Blocks of GGUF are unpacked to two bytes a value on their way.
    private long OnDevice(long parameters, long stored)
        => parameters < NamedTensor.FewValues ? 4 * parameters : Stored(parameters, stored) is var bytes && bytes < parameters ? 2 * parameters : bytes;

    private long Stored(long parameters, long stored) => stored > 0 ? stored : parameters * Model.BytesPerParameter;
}
