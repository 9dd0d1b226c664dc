using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EditorBridge.Models;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Configs;
using EditorBridge.Models.Networks;
using EditorBridge.Models.Safetensors;
using EditorBridge.Models.Variants;
using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>
/// What a model folder says of itself beyond the sizes of its networks: the file <c>editorbridge.json</c> at its root. What the file leaves out is as published for
/// the variant.
/// </summary>
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

    /// <summary>Solver steps of the standard preset.</summary>
    public required int Steps { get; init; }

    /// <summary>Guidance of the standard preset.</summary>
    public required double Guidance { get; init; }

    /// <summary>Schedule shift.</summary>
    public required double Shift { get; init; }

    /// <summary>Sampler.</summary>
    public required string Sampler { get; init; }

    /// <summary>Negative prompt used when none is given.</summary>
    public required string NegativePrompt { get; init; }

    /// <summary>Guidance of the expert for low noise; null: as that for high noise, or there is one transformer.</summary>
    public double? LowNoiseGuidance { get; init; }

    /// <summary>Noise level, 0 to 1, from which on the expert for high noise works; null: as the model's own index says, or as published.</summary>
    public double? Boundary { get; init; }

    /// <summary>Presets by name, each whole: draft, standard, final; null or left out: as every model's.</summary>
    public IReadOnlyDictionary<string, SamplingPreset>? Presets { get; init; }

    /// <summary>TeaCache's polynomial on the modulation of the blocks, highest power first; null: as published, where it is.</summary>
    public IReadOnlyList<double>? TeaCacheCoefficients { get; init; }

    /// <summary>What the VAE's convolutions compute in.</summary>
    public VaePrecision VaePrecision { get; init; }

    /// <summary>What Wan 2.2 TI2V-5B was trained for; used where a folder has no settings of its own.</summary>
    public static ModelSettings Ti2v { get; } = PublishedSettings.Ti2v;
}

/// <summary>Reads what planning needs from a model in any layout. Reads headers and configs; weights only to hash small ones.</summary>
public static class ModelFolder
{
    // Larger weights are told apart by their headers: a hash of 20 GB takes longer than many a job.
    private const long WholeHashLimit = 512L << 20;

    // Settings as they are spelled in the file.
    private const string Guidance = "guidance";
    private const string LowNoiseGuidance = "lowNoiseGuidance";

    /// <summary>The capabilities of the model at <paramref name="location"/>, or why it cannot be used.</summary>
    /// <param name="location">The model's folder, or its transformer file in ComfyUI's folders.</param>
    /// <param name="name">Its name in the catalogue.</param>
    public static ReadResult<ModelCapabilities> Read(string location, string name)
    {
        var found = ModelParts.Find(location);
        if (!found.Ok) return Failed(found.Problem);
        var parts = found.Value;
        var transformer = NetworkSizes.Transformer(parts.Transformer, parts.Layout);
        if (!transformer.Ok) return Failed(transformer.Problem);
        var recognised = Recognise(parts, transformer.Value);
        if (!recognised.Ok) return Failed(recognised.Problem);
        var vae = NetworkSizes.Vae(parts.Vae, parts.Layout);
        if (!vae.Ok) return Failed(vae.Problem);
        var (t, v, line) = (transformer.Value, vae.Value, recognised.Value.Line);
        if (t.OutChannels != v.ZDim)
            return Failed($"'{location}' has a transformer of {t.OutChannels} latent channels and a VAE of {v.ZDim}, which do not go together.");
        if (line is WanLine.ImageToVideo21 or WanLine.FirstLastFrame21 && parts.ImageEncoder is null)
            return Failed($"'{location}' holds {recognised.Value.Name} without its image encoder; the model is incomplete.");
        if (line == WanLine.ImageToVideo22 && parts.LowNoiseTransformer is null)
            return Failed($"'{location}' holds {recognised.Value.Name} without the other expert; the model is incomplete.");
        var pair = parts.LowNoiseTransformer is not null;
        var published = PublishedSettings.For(recognised.Value, pair, location);
        var read = Settings(location, published);
        if (!read.Ok) return Failed(read.Problem);
        var polynomial = read.Value.TeaCacheCoefficients ?? published.TeaCacheCoefficients ?? [];
        if (polynomial.Count == 0 && read.Value.Presets?.FirstOrDefault(preset => preset.Value.StepCache?.Method == "teacache").Key is { } unfitted)
            return Failed($"'{SettingsFile(location)}' cannot be used: its preset '{unfitted}' has TeaCache and it names no teaCacheCoefficients; use easycache.");

        var cell = v.ScaleFactorSpatial * t.PatchSize[1];
        if (read.Value.Sizes.Where(size => size.Width % cell != 0 || size.Height % cell != 0).Select(size => (CanvasSize?)size).FirstOrDefault() is { } off)
            return Failed($"'{SettingsFile(location)}' names a canvas of {off.Width}x{off.Height}; this model's grid is {cell} pixels.");
        // What loading would only find out when a job begins.
        if (parts.Networks.Select(network => NetworkFit.Problem(network.Kind, network.Path, parts.Layout)).FirstOrDefault(problem => problem is not null) is { } unfit)
            return Failed(unfit);
        var files = new List<string>();
        var (counts, stored) = (new List<long>(), new List<long>());
        foreach (var network in (string?[])[parts.Transformer, parts.LowNoiseTransformer, parts.TextEncoder, parts.Vae, parts.ImageEncoder])
        {
            var counted = Count(network, files);
            if (!counted.Ok) return Failed(counted.Problem);
            counts.Add(counted.Value[0]);
            stored.Add(counted.Value[1]);
        }

        if (parts.Tokenizer is { } tokenizer) files.Add(tokenizer);
        var s = read.Value;
        return ReadResult<ModelCapabilities>.Of(new ModelCapabilities
        {
            Name = name,
            Family = PublishedSettings.Family(line, pair),
            Conditioning = line switch
            {
                WanLine.TextImageToVideo22 => Conditioning.CleanLatents,
                WanLine.TextToVideo => Conditioning.Words,
                WanLine.Vace => Conditioning.Vace,
                _ => Conditioning.Channels,
            },
            NeedsFirstFrame = line is WanLine.ImageToVideo21 or WanLine.ImageToVideo22 or WanLine.FirstLastFrame21,
            NeedsLastFrame = line is WanLine.FirstLastFrame21,
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
            Layers = t.NumLayers + (t.VaceLayers?.Count ?? 0),
            FeedForward = t.FfnDim,
            TransformerParameters = counts[0],
            LowNoiseParameters = counts[1],
            TextEncoderParameters = counts[2],
            VaeParameters = counts[3],
            ImageEncoderParameters = counts[4],
            TransformerBytes = stored[0],
            LowNoiseBytes = stored[1],
            TextEncoderBytes = stored[2],
            VaeBytes = stored[3],
            ImageEncoderBytes = stored[4],
            VaeDecoderBase = v.DecoderDim,
            VaePrecision = s.VaePrecision,
            VaePatch = v.Patch,
            Hash = Hash(location, files),
            Presets = s.Presets ?? new Dictionary<string, SamplingPreset>(),
            TeaCacheCoefficients = polynomial,
            DefaultSteps = s.Steps,
            DefaultGuidance = s.Guidance,
            DefaultLowNoiseGuidance = s.LowNoiseGuidance,
            Boundary = pair ? s.Boundary ?? BoundaryOf(location) ?? PublishedSettings.Boundary(line) : null,
            DefaultShift = s.Shift,
            DefaultSampler = s.Sampler,
            DefaultNegativePrompt = s.NegativePrompt,
        });
    }

    /// <summary>Where a model's own settings would lie: <c>editorbridge.json</c> in its folder; for a transformer file of ComfyUI's, beside it under its name.</summary>
    /// <param name="location">The model.</param>
    public static string SettingsFile(string location) =>
        File.Exists(location) ? Path.ChangeExtension(location, ModelSettings.FileName) : Path.Combine(location, ModelSettings.FileName);

    private static ReadResult<ModelCapabilities> Failed(string problem) => ReadResult<ModelCapabilities>.Failed(problem);

    private static ReadResult<WanVariant> Recognise(ModelParts parts, WanTransformerConfig config)
    {
        if (parts.Layout == ModelLayout.Diffusers && File.Exists(Path.Combine(parts.Transformer, "config.json"))) return WanVariant.Recognise(config, parts.Transformer);
        var weights = Checkpoint.Open(parts.Transformer);
        if (!weights.Ok) return ReadResult<WanVariant>.Failed(weights.Problem);
        using (weights.Value) return WanVariant.Recognise(weights.Value.Tensors.Values, parts.Transformer);
    }

    // The values in the network at that path and the bytes of its files, 0 without.
    private static ReadResult<long[]> Count(string? network, List<string> files)
    {
        if (network is null) return ReadResult<long[]>.Of([0, 0]);
        IReadOnlyList<string> paths = [network];
        if (Directory.Exists(network))
        {
            var found = WeightFiles.In(network);
            if (!found.Ok) return ReadResult<long[]>.Failed(found.Problem);
            paths = found.Value;
        }

        files.AddRange(paths);
        var weights = Checkpoint.Open(network);
        if (!weights.Ok) return ReadResult<long[]>.Failed(weights.Problem);
        using (weights.Value) return ReadResult<long[]>.Of([weights.Value.Tensors.Values.Sum(tensor => tensor.Elements), paths.Sum(path => new FileInfo(path).Length)]);
    }

    // Diffusers keeps it in the model's index.
    private static double? BoundaryOf(string folder)
    {
        var index = Path.Combine(folder, "model_index.json");
        if (!File.Exists(index)) return null;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(index));
            return json.RootElement.TryGetProperty("boundary_ratio", out var ratio) && ratio.ValueKind == JsonValueKind.Number && ratio.GetDouble() is > 0 and < 1 and var boundary
                ? boundary : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The settings file's text for <paramref name="settings"/>.</summary>
    public static string Write(ModelSettings settings) => JsonSerializer.Serialize(settings, PlanningJson.Default.ModelSettings) + "\n";

    private static ReadResult<ModelSettings> Settings(string location, ModelSettings published)
    {
        var path = SettingsFile(location);
        if (!File.Exists(path)) return ReadResult<ModelSettings>.Of(published);
        try
        {
            // What the file leaves out, or has as null, stays as published.
            var all = JsonSerializer.SerializeToNode(published, PlanningJson.Default.ModelSettings)!.AsObject();
            if (JsonNode.Parse(File.ReadAllBytes(path), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) is not JsonObject own)
                return ReadResult<ModelSettings>.Failed($"'{path}' cannot be used: it is no JSON object.");
            if (own.FirstOrDefault(pair => !all.ContainsKey(pair.Key)).Key is { } unknown)
                return ReadResult<ModelSettings>.Failed($"'{path}' cannot be used: there is no setting '{unknown}', only {string.Join(", ", all.Select(pair => pair.Key))}.");
            // The published guidance of the expert for low noise goes with the other's.
            if (own.ContainsKey(Guidance)) all[LowNoiseGuidance] = null;
            foreach (var (name, value) in own.Where(pair => pair.Value is not null || pair.Key == LowNoiseGuidance)) all[name] = value?.DeepClone();
            var settings = all.Deserialize(PlanningJson.Default.ModelSettings)!;
            return Problem(settings) is { } problem ? ReadResult<ModelSettings>.Failed($"'{path}' cannot be used: {problem}.")
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
        if (settings.Steps < 1 || !(settings.Guidance >= 1) || !(settings.Shift > 0) || !RequestCheck.Samplers.Contains(settings.Sampler)
            || settings.Boundary is not (null or > 0 and < 1) || settings.LowNoiseGuidance is not (null or >= 1))
            return "its sampling settings are out of range";
        if (settings.TeaCacheCoefficients is { } polynomial && (polynomial.Count == 0 || !polynomial.All(double.IsFinite))) return "its teaCacheCoefficients are not numbers";
        foreach (var (name, preset) in settings.Presets ?? new Dictionary<string, SamplingPreset>())
        {
            if (!SamplingPresets.Names.Contains(name)) return $"there is no preset '{name}', only draft, standard and final";
            if (preset is null) return $"its preset '{name}' is empty";
            if (Problem(preset, settings) is { } problem) return $"its preset '{name}' is out of range: {problem}";
        }

        return null;
    }

    private static string? Problem(SamplingPreset preset, ModelSettings settings) =>
        preset.Steps is < 1 or > 200 ? "steps"
        : preset.Guidance is not (null or >= 1 and <= 30) ? "guidance"
        : preset.LowNoiseGuidance is not (null or >= 1 and <= 30) ? "lowNoiseGuidance"
        : preset.GuidanceUntil is not (null or >= 0 and <= 1) ? "guidanceUntil"
        : preset.Shift is not (null or >= 0.1 and <= 100) ? "shift"
        : preset.Sampler is { } sampler && !RequestCheck.Samplers.Contains(sampler) ? "sampler"
        : preset.StepCache is { } cache && SamplingCheck.Problem(cache) is not null ? "stepCache"
        : preset.Timesteps is { } timesteps && SamplingCheck.Problem(timesteps, preset.Sampler ?? settings.Sampler, preset.Steps) is not null ? "timesteps"
        : null;

    private static string Hash(string location, IEnumerable<string> files)
    {
        // Networks of ComfyUI's lie in folders side by side.
        var root = File.Exists(location) ? Path.GetDirectoryName(Path.GetDirectoryName(Path.GetFullPath(location))) ?? location : location;
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in files.Order(StringComparer.Ordinal))
        {
            var length = new FileInfo(path).Length;
            var part = length <= WholeHashLimit ? WholeFile(path) : Header(path);
            var line = string.Create(CultureInfo.InvariantCulture, $"{Path.GetRelativePath(root, path).Replace('\\', '/')} {length} {Convert.ToHexStringLower(part)}\n");
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
        // Of what has no safetensors header: the beginning and the end, where GGUF and zip archives say what is in them.
        if (Path.GetExtension(path) != ".safetensors") return Ends(stream);
        var start = new byte[8];
        stream.ReadExactly(start);
        var header = new byte[(int)Math.Min(BitConverter.ToInt64(start), SafetensorsHeader.MaximumLength)];
        stream.ReadExactly(header);
        return SHA256.HashData(header);
    }

    private static byte[] Ends(FileStream stream)
    {
        const int Part = 4 << 20;
        var ends = new byte[2 * Part];
        stream.ReadExactly(ends.AsSpan(0, Part));
        stream.Seek(-Part, SeekOrigin.End);
        stream.ReadExactly(ends.AsSpan(Part));
        return SHA256.HashData(ends);
    }
}
