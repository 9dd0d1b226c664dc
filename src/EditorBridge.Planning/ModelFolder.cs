using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EditorBridge.Models;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Safetensors;
using EditorBridge.Models.Variants;
using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>What a model folder says of itself beyond the sizes of its networks: the file <c>editorbridge.json</c> at its root.</summary>
public sealed record ModelSettings
{
    /// <summary>The file's name.</summary>
    public const string FileName = "editorbridge.json";

    /// <summary>Rate of the canvas.</summary>
    public required FrameRate CanvasRate { get; init; }

    /// <summary>Canvas sizes it was trained at.</summary>
    public required IReadOnlyList<CanvasSize> Sizes { get; init; }

    /// <summary>Longest canvas, 4n+1 frames.</summary>
    public required int MaxFrames { get; init; }

    /// <summary>One frame before.</summary>
    public required ContextSupport FirstFrame { get; init; }

    /// <summary>Several frames before.</summary>
    public required ContextSupport Before { get; init; }

    /// <summary>Frames after.</summary>
    public required ContextSupport After { get; init; }

    /// <summary>Most context frames a side.</summary>
    public required int MaxContextFrames { get; init; }

    /// <summary>Solver steps of the default preset.</summary>
    public required int Steps { get; init; }

    /// <summary>Guidance of the default preset.</summary>
    public required double Guidance { get; init; }

    /// <summary>Schedule shift.</summary>
    public required double Shift { get; init; }

    /// <summary>Sampler.</summary>
    public required string Sampler { get; init; }

    /// <summary>Negative prompt used when none is given.</summary>
    public required string NegativePrompt { get; init; }

    /// <summary>What Wan 2.2 TI2V-5B was trained for; used where a folder has no settings of its own.</summary>
    public static readonly ModelSettings Ti2v = new()
    {
        CanvasRate = FrameRate.F24,
        Sizes = [new CanvasSize(1280, 704), new CanvasSize(704, 1280)],
        MaxFrames = 121,
        FirstFrame = ContextSupport.Trained,
        Before = ContextSupport.BestEffort,
        After = ContextSupport.BestEffort,
        MaxContextFrames = 1,
        Steps = 50,
        Guidance = 5,
        Shift = 5,
        Sampler = "unipc",
        // The built-in list of defects that the authors' own programs use.
        NegativePrompt = "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走",
    };
}

/// <summary>Reads what planning needs from a model folder in Diffusers layout. Reads headers and configs; weights only to hash small ones.</summary>
public static class ModelFolder
{
    // Larger weights are told apart by their headers: a hash of 20 GB takes longer than many a job.
    private const long WholeHashLimit = 512L << 20;

    private static readonly string[] Networks = ["text_encoder", "transformer", "vae"];

    /// <summary>The capabilities of the model in <paramref name="folder"/>, or why it cannot be used.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="name">Its name in the catalogue.</param>
    public static ReadResult<ModelCapabilities> Read(string folder, string name)
    {
        if (!Directory.Exists(folder)) return ReadResult<ModelCapabilities>.Failed($"There is no model folder '{folder}'.");
        var settings = Settings(folder);
        if (!settings.Ok) return ReadResult<ModelCapabilities>.Failed(settings.Problem);
        var transformer = ConfigFile.ReadTransformer(Path.Combine(folder, "transformer", "config.json"));
        if (!transformer.Ok) return ReadResult<ModelCapabilities>.Failed(transformer.Problem);
        var variant = WanVariant.Recognise(transformer.Value, folder);
        if (!variant.Ok) return ReadResult<ModelCapabilities>.Failed(variant.Problem);
        if (!variant.Value.Supported)
            return ReadResult<ModelCapabilities>.Failed($"'{folder}' holds {variant.Value.Name}, which this version does not run; choose Wan 2.2 TI2V or a model in its form.");
        var vae = ConfigFile.ReadVae(Path.Combine(folder, "vae", "config.json"));
        if (!vae.Ok) return ReadResult<ModelCapabilities>.Failed(vae.Problem);

        var cell = vae.Value.ScaleFactorSpatial * transformer.Value.PatchSize[1];
        if (settings.Value.Sizes.Where(size => size.Width % cell != 0 || size.Height % cell != 0).Select(size => (CanvasSize?)size).FirstOrDefault() is { } off)
            return ReadResult<ModelCapabilities>.Failed($"'{Path.Combine(folder, ModelSettings.FileName)}' names a canvas of {off.Width}x{off.Height}; this model's grid is {cell} pixels.");

        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var stored = new Dictionary<string, long>(StringComparer.Ordinal);
        var files = new List<string>();
        foreach (var network in Networks)
        {
            var weights = WeightFiles.In(Path.Combine(folder, network));
            if (!weights.Ok) return ReadResult<ModelCapabilities>.Failed(weights.Problem);
            (counts[network], stored[network]) = (0, 0);
            foreach (var path in weights.Value)
            {
                var file = SafetensorsFile.Open(path);
                if (!file.Ok) return ReadResult<ModelCapabilities>.Failed(file.Problem);
                stored[network] += new FileInfo(path).Length;
                using (file.Value)
                    counts[network] += file.Value.Header.Tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size));
                files.Add(path);
            }
        }

        var tokenizer = Path.Combine(folder, "tokenizer", "spiece.model");
        if (!File.Exists(tokenizer)) return ReadResult<ModelCapabilities>.Failed($"There is no '{tokenizer}'; the model is incomplete.");
        files.Add(tokenizer);
        var (s, t, v) = (settings.Value, transformer.Value, vae.Value);
        return ReadResult<ModelCapabilities>.Of(new ModelCapabilities
        {
            Name = name,
            CanvasRate = s.CanvasRate,
            Sizes = s.Sizes,
            MaxFrames = s.MaxFrames,
            TemporalStride = v.ScaleFactorTemporal,
            SpatialStride = v.ScaleFactorSpatial,
            Patch = t.PatchSize[1],
            LatentChannels = v.ZDim,
            FirstFrame = s.FirstFrame,
            Before = s.Before,
            After = s.After,
            MaxContextFrames = s.MaxContextFrames,
            TextLength = t.TextLen,
            Dim = t.Dim,
            Layers = t.NumLayers,
            FeedForward = t.FfnDim,
            TransformerParameters = counts["transformer"],
            TextEncoderParameters = counts["text_encoder"],
            VaeParameters = counts["vae"],
            TransformerBytes = stored["transformer"],
            TextEncoderBytes = stored["text_encoder"],
            VaeBytes = stored["vae"],
            VaeDecoderBase = v.DecoderDim,
            Hash = Hash(folder, files),
            DefaultSteps = s.Steps,
            DefaultGuidance = s.Guidance,
            DefaultShift = s.Shift,
            DefaultSampler = s.Sampler,
            DefaultNegativePrompt = s.NegativePrompt,
        });
    }

    /// <summary>The settings file's text for <paramref name="settings"/>.</summary>
    public static string Write(ModelSettings settings) => JsonSerializer.Serialize(settings, PlanningJson.Default.ModelSettings) + "\n";

    private static ReadResult<ModelSettings> Settings(string folder)
    {
        var path = Path.Combine(folder, ModelSettings.FileName);
        if (!File.Exists(path)) return ReadResult<ModelSettings>.Of(ModelSettings.Ti2v);
        try
        {
            var settings = JsonSerializer.Deserialize(File.ReadAllBytes(path), PlanningJson.Default.ModelSettings);
            return settings is null ? ReadResult<ModelSettings>.Failed($"'{path}' is empty.")
                : Problem(settings) is { } problem ? ReadResult<ModelSettings>.Failed($"'{path}' cannot be used: {problem}.")
                : ReadResult<ModelSettings>.Of(settings);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return ReadResult<ModelSettings>.Failed($"'{path}' cannot be read: {e.Message}");
        }
    }

    private static string? Problem(ModelSettings settings)
    {
        if (settings.Sizes.Count == 0 || settings.Sizes.Any(size => size.Width < 1 || size.Height < 1))
            return "its sizes are missing";
        if (settings.MaxFrames < 5 || settings.MaxFrames % 4 != 1) return "its longest canvas is not 4n+1 frames";
        if (settings.MaxContextFrames < 1 || settings.MaxContextFrames % 4 != 1) return "its context is not 4n+1 frames";
        if (settings.Steps < 1 || !(settings.Guidance >= 1) || !(settings.Shift > 0) || !RequestCheck.Samplers.Contains(settings.Sampler))
            return "its sampling settings are out of range";
        return null;
    }

    private static string Hash(string folder, IEnumerable<string> files)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in files.Order(StringComparer.Ordinal))
        {
            var length = new FileInfo(path).Length;
            var part = length <= WholeHashLimit ? WholeFile(path) : Header(path);
            var line = string.Create(CultureInfo.InvariantCulture, $"{Path.GetRelativePath(folder, path).Replace('\\', '/')} {length} {Convert.ToHexStringLower(part)}\n");
            all.AppendData(Encoding.UTF8.GetBytes(line));
        }

        return Convert.ToHexStringLower(all.GetHashAndReset());
    }

    private static byte[] WholeFile(string path)
    {
        using var stream = File.OpenRead(path);
        return SHA256.HashData(stream);
    }

    private static byte[] Header(string path)
    {
        using var stream = File.OpenRead(path);
        var start = new byte[8];
        stream.ReadExactly(start);
        var header = new byte[(int)Math.Min(BitConverter.ToInt64(start), SafetensorsHeader.MaximumLength)];
        stream.ReadExactly(header);
        return SHA256.HashData(header);
    }
}
