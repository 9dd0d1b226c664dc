using System.Globalization;
using System.Text.Json;
using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Parity;

/// <summary>Cases of <c>e2e</c>: from a prompt, and whatever else was given, to the video.</summary>
internal sealed class EndToEndParity
{
    /// <summary>Of latents and pixels, as a difference.</summary>
    public const double Tolerance = 2e-4;

    private readonly GoldenFile golden;
    private readonly GoldenComparison comparison;
    private readonly JsonElement arguments;
    private readonly IReadOnlyList<string> networks;
    private readonly string root;
    private readonly string pipeline;

    private EndToEndParity(GoldenFile golden, GoldenComparison comparison)
    {
        (this.golden, this.comparison) = (golden, comparison);
        arguments = golden.Json("kwargs");
        networks = [.. golden.Json("weights").EnumerateArray().Select(name => name.GetString()!)];
        root = Path.Combine(Path.GetDirectoryName(golden.Path)!, "..");
        pipeline = golden.Metadata.GetValueOrDefault("pipeline", "");
    }

    public static bool Run(GoldenFile golden, GoldenComparison comparison)
    {
        if (golden.Has("in.canvas_hw"))
        {
            Letterbox(golden, comparison);
            return true;
        }

        if (!golden.Metadata.ContainsKey("kwargs") || !golden.Has("in.noise"))
            return false;
        new EndToEndParity(golden, comparison).Run();
        return true;
    }

    private static void Letterbox(GoldenFile golden, GoldenComparison comparison)
    {
        var canvas = golden["in.canvas_hw"].data<long>().ToArray();
        foreach (var name in golden.Names.Where(name => name.StartsWith("in.ref", StringComparison.Ordinal)))
        {
            var picture = golden[name].transpose(0, 1); // [1, 3, H, W]
            comparison.Absolute("out" + name[2..], VaceConditioning.OnCanvas(picture, (int)canvas[1], (int)canvas[0])[0], Tolerance);
        }
    }

    private void Run()
    {
        var experts = networks.Where(name => name.StartsWith("dit_", StringComparison.Ordinal)).Select(Transformer).ToList();
        using var vae = VaeParity.Network(Weights("vae", out var vaePath), vaePath);
        var textLength = experts[0].Config.TextLen;
        var context = Encode("input_prompt", "prompt", textLength);
        var negative = Encode("n_prompt", "neg", textLength);

        var noise = golden["in.noise"].unsqueeze(0);
        var (first, channels) = Given(vae);
        var (vace, references) = Vace(vae);
        var conditioning = new ConditionedLatents(ConditioningLayout.Alone((int)noise.shape[2], head: first is null ? 0 : 1), first);
        var kind = arguments.GetProperty("sample_solver").GetString() switch
        {
            "unipc" => SamplerKind.UniPC,
            "dpm++" => SamplerKind.DpmSolver,
            var name => throw new InvalidDataException($"there is no solver '{name}' here"),
        };
        using var sampler = Sampler.Create(kind, arguments.GetProperty("sampling_steps").GetInt32(), arguments.GetProperty("shift").GetDouble());
        using var sampling = new FlowSampling(
            Experts(experts), sampler, conditioning, noise, context, negative, new SamplingInputs { Channels = channels, Image = PictureFeatures(), Vace = vace });
        Follow(sampling, sampler, conditioning);

        var latents = sampling.Latents.narrow(2, references, noise.shape[2] - references);
        comparison.Absolute("out.final_latent", latents[0], Tolerance);
        comparison.Absolute("out.video", vae.Decode(latents)[0], Tolerance);
        experts.ForEach(network => network.Dispose());
    }

    private IReadOnlyList<Expert> Experts(IReadOnlyList<WanTransformer> transformers)
    {
        var guidance = arguments.GetProperty("guide_scale");
        if (transformers.Count == 1)
            return [new Expert(transformers[0], guidance.GetDouble())];

        // Named as (low, high); the networks come as high, low.
        var high = networks.Where(name => name.StartsWith("dit_", StringComparison.Ordinal)).ToList().FindIndex(name => name.Contains("high", StringComparison.Ordinal));
        var (low, boundary) = (1 - high, double.Parse(golden.Metadata["boundary"], CultureInfo.InvariantCulture));
        var (ofLow, ofHigh) = guidance.ValueKind == JsonValueKind.Array ? (guidance[0].GetDouble(), guidance[1].GetDouble()) : (guidance.GetDouble(), guidance.GetDouble());
        return [new Expert(transformers[high], ofHigh, boundary * 1000), new Expert(transformers[low], ofLow)];
    }

    private void Follow(FlowSampling sampling, ISampler sampler, ConditionedLatents conditioning)
    {
        var (inputs, timesteps, conditional, unconditional) = (new List<Tensor>(), new List<Tensor>(), new List<Tensor>(), new List<Tensor>());
        sampling.Predicted = (cond, uncond) =>
        {
            conditional.Add(cond[0].clone().DetachFromDisposeScope());
            unconditional.Add(uncond[0].clone().DetachFromDisposeScope());
        };
        var times = golden["mid.timestep_per_step"];
        while (!sampler.IsDone)
        {
            inputs.Add(sampling.Latents[0].clone());
            if (times.dim() == 3)
            {
                // One a token: those of a frame share its timestep. Tokens behind the last are the reference's padding.
                var segment = conditioning.Segments(sampling.Latents, sampler.Timestep)[0];
                var tokens = segment.Latent.shape[3] / 2 * (segment.Latent.shape[4] / 2);
                var perToken = segment.Timesteps.to(float32)[0].repeat_interleave(tokens);
                timesteps.Add(perToken);
            }
            else
                timesteps.Add(tensor((float)sampler.Timestep).view(1));
            sampling.Step();
        }

        var own = stack(timesteps); // [steps, 1 or tokens]
        comparison.Absolute("mid.timestep_per_step", times.view(times.shape[0], -1).to(float32).narrow(1, 0, own.shape[1]), own, 0);
        Optional("mid.model_input_per_step", () => stack(inputs));
        // Without guidance there are no two passes to compare.
        if (conditional.Count == 0)
            return;
        Optional("mid.noise_pred_cond", () => stack(conditional));
        Optional("mid.noise_pred_uncond", () => stack(unconditional));
    }

    // What image-to-video models are given: a clean first latent, or channels behind the noise.
    private (Tensor? First, Tensor? Channels) Given(WanVideoVae vae)
    {
        if (pipeline.Contains("textimage2video", StringComparison.Ordinal))
        {
            // The reference's picture after its resize by Lanczos, which is not part of the networks.
            if (!golden.Has("mid.vae_encode0.in"))
                return (null, null);
            var encoded = vae.Encode(golden["mid.vae_encode0.in"].unsqueeze(0));
            Optional("mid.vae_encode0.out", () => encoded[0]);
            return (encoded, null);
        }

        if (Picture("in.image_u8_hwc") is { } image)
            return (null, Channels(vae, image, last: null));
        return Picture("in.first_u8_hwc") is { } first && Picture("in.last_u8_hwc") is { } last ? (null, Channels(vae, first, last)) : (null, null);
    }

    private Tensor Channels(WanVideoVae vae, Tensor first, Tensor? last)
    {
        var frames = arguments.GetProperty("frame_num").GetInt32();
        var area = golden["in.max_area"].item<long>();
        var (width, height) = GivenFrames.Size((int)first.shape[3], (int)first.shape[2], area, vae.Config.ScaleFactorSpatial);
        var clip = GivenFrames.Clip(
            GivenFrames.Stretched(first, width, height), last is null ? null : GivenFrames.Stretched(LikeTheReference(last, first), width, height), frames);
        var channels = GivenFrames.Channels(vae, clip, last is null ? [0] : [0, frames - 1]);
        Optional("mid.vae_encode0.in_first_last_frame", () => cat([clip[0].narrow(1, 0, 1), clip[0].narrow(1, frames - 1, 1)], 1));
        Optional("mid.vae_encode0.out", () => channels[0].narrow(0, 4, channels.shape[1] - 4));
        Optional("mid.y", () => channels[0]);
        return channels;
    }

    // A last picture of another size: the reference works out a scaled size, then only cuts or pads the unscaled picture to it, with the
    // sides swapped. Users' pictures are brought to one size before; this is here so that its numbers come out.
    private static Tensor LikeTheReference(Tensor last, Tensor first)
    {
        var (firstWidth, firstHeight) = (first.shape[3], first.shape[2]);
        var (width, height) = (last.shape[3], last.shape[2]);
        if ((width, height) == (firstWidth, firstHeight))
            return last;
        var ratio = Math.Max((double)firstWidth / width, (double)firstHeight / height);
        var (rows, columns) = ((long)Math.Round(width * ratio), (long)Math.Round(height * ratio));
        var (wide, high) = (Math.Max(0, columns - width), Math.Max(0, rows - height));
        if (wide > 0 || high > 0)
            last = nn.functional.pad(last, [wide / 2, (wide + 1) / 2, high / 2, (high + 1) / 2]);
        var (top, left) = ((long)Math.Round((last.shape[2] - rows) / 2.0), (long)Math.Round((last.shape[3] - columns) / 2.0));
        return last.narrow(2, top, rows).narrow(3, left, columns);
    }

    private Tensor? PictureFeatures()
    {
        if (!networks.Any(name => name.StartsWith("clip", StringComparison.Ordinal)))
            return null;
        using var tower = ClipParity.Network(Weights("clip", out var path), path);
        Tensor[] pictures = [.. ((string[])["in.image_u8_hwc", "in.first_u8_hwc", "in.last_u8_hwc"]).Select(Picture).OfType<Tensor>()];
        if (pictures.Length == 2)
            pictures[1] = LikeTheReference(pictures[1], pictures[0]);
        var features = cat(pictures.Select(tower.Encode).ToArray()); // [pictures, 257, C]
        Optional("mid.clip_fea", () => features);
        return features.reshape(1, -1, features.shape[2]);
    }

    private (VaceContext? Context, int References) Vace(WanVideoVae vae)
    {
        if (!golden.Has("in.frames"))
            return (null, 0);
        var (video, mask) = (golden["in.frames"].unsqueeze(0), golden["in.mask"].narrow(0, 0, 1).unsqueeze(0));
        var references = golden.Names.Where(name => name.StartsWith("in.ref_image", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(name => golden[name].unsqueeze(0)).ToList();
        var context = VaceConditioning.Context(vae, video, mask, references);
        Optional("mid.vace_context", () => context[0]);

        var (n, z) = (references.Count, vae.Config.ZDim);
        var (kept, changed) = VaceConditioning.Parts(video, mask);
        Optional("mid.vae_encode0.in", () => kept[0]);
        Optional("mid.vae_encode1.in", () => changed[0]);
        Optional("mid.vae_encode0.out", () => context[0].narrow(0, 0, z).narrow(1, n, context.shape[2] - n));
        Optional("mid.vae_encode1.out", () => context[0].narrow(0, z, z).narrow(1, n, context.shape[2] - n));
        for (var i = 0; i < n; i++)
        {
            var reference = i;
            Optional(string.Create(CultureInfo.InvariantCulture, $"mid.vae_encode{i + 2}.in"), () => references[reference][0]);
            Optional(string.Create(CultureInfo.InvariantCulture, $"mid.vae_encode{i + 2}.out"), () => context[0].narrow(0, 0, z).narrow(1, reference, 1));
        }

        var scale = arguments.TryGetProperty("context_scale", out var weight) ? weight.GetDouble() : 1;
        return (new VaceContext(context, scale), n);
    }

    private Tensor Encode(string argument, string name, int length)
    {
        var prompt = arguments.TryGetProperty(argument, out var text) ? text.GetString() ?? "" : "";
        var ids = golden[$"in.{name}_ids"];
        int[] known = [.. ids.data<long>().Select(id => (int)id)];
        IReadOnlyList<int> tokens = known;
        // An empty negative prompt means the reference's built-in one, which only the ids tell.
        if (prompt.Length > 0 || argument != "n_prompt")
        {
            var tokenizer = SentencePieceTokenizer.Load(Path.Combine(root, networks.First(file => file.StartsWith("tokenizer/", StringComparison.Ordinal))));
            tokens = tokenizer.EncodePrompt(prompt, length);
            comparison.Equal($"in.{name}_ids", known.SequenceEqual(tokens));
        }

        using var encoder = TextEncoderParity.Network(Weights("umt5", out var path), path);
        var context = encoder.EncodeContext([tokens], length);
        comparison.Absolute($"in.{name}_context", TransformerParity.Padded(golden[$"in.{name}_context"], length), context, Tolerance);
        return context;
    }

    private Tensor? Picture(string name) => golden.Has(name)
        ? (golden[name].to(float32) / 255 - 0.5).div_(0.5).permute(2, 0, 1).unsqueeze(0) // [1, 3, H, W]
        : null;

    private void Optional(string name, Func<Tensor> actual)
    {
        if (golden.Has(name))
            comparison.Absolute(name, actual(), Tolerance);
    }

    private WanTransformer Transformer(string name)
    {
        var weights = new GoldenWeights(Path.Combine(root, Path.GetDirectoryName(name)!), Path.GetFileName(name), golden.Placement);
        return TransformerParity.Network(weights, weights.Files[^1].Path);
    }

    // One naming is enough here; each network's own cases go through all.
    private GoldenWeights Weights(string start, out string path)
    {
        var name = networks.FirstOrDefault(file => file.StartsWith(start, StringComparison.Ordinal))
            ?? throw new InvalidDataException($"the file names no weights that begin with '{start}'");
        var weights = new GoldenWeights(Path.Combine(root, Path.GetDirectoryName(name)!), Path.GetFileName(name), golden.Placement);
        path = weights.Files[^1].Path;
        return weights;
    }
}
