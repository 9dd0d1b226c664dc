using System.Diagnostics;
using System.Globalization;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using EditorBridge.Training.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Training.Vae;

/// <summary>How to train the video autoencoder.</summary>
public sealed record VaeTraining
{
    /// <summary>Folder for state, weights and the log.</summary>
    public required string Folder { get; init; }

    /// <summary>Length of the run; a resumed run goes on where it was.</summary>
    public required TimeSpan Time { get; init; }

    /// <summary>Start of the random streams.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Peak learning rate.</summary>
    public double Rate { get; init; } = 2e-3;

    /// <summary>Whether convolutions run in bf16 (masters stay fp32).</summary>
    public bool HalfPrecision { get; init; } = true;

    /// <summary>Where to compute: cpu or cuda.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Weight at the beginning of the pull towards the coefficients that vary most; a fiftieth of it is left at the end.</summary>
    public double Guide { get; init; } = 0.3;

    /// <summary>Whether encoder and latent statistics stay as they are in <see cref="From"/>: latents cached before remain valid.</summary>
    public bool DecoderOnly { get; init; }

    /// <summary>Diffusers folder of weights to begin with, or null for random ones.</summary>
    public string? From { get; init; }
}

/// <summary>Trains the Wan 2.2 form video autoencoder on rendered scenes and textures.</summary>
public static class VaeTrainer
{
    /// <summary>The sizes of sketch: at most 4 M parameters, wide where the resolution is low.</summary>
    public static Wan22VaeConfig Sizes { get; } = new()
    {
        BaseDim = 16, DecoderBaseDim = 16, ZDim = 48, DimMult = [1, 2, 4, 4],
        LatentsMean = [.. Enumerable.Repeat(0.0, 48)], LatentsStd = [.. Enumerable.Repeat(1.0, 48)],
    };

    /// <summary>Runs until the time is over; saves about every three minutes.</summary>
    public static void Run(VaeTraining run, Action<string> log)
    {
        Directory.CreateDirectory(run.Folder);
        string statePath = Path.Combine(run.Folder, "state.safetensors"), clockPath = Path.Combine(run.Folder, "seconds.txt");
        random.manual_seed((long)run.Seed);
        var sizes = Sizes;
        if (run.DecoderOnly)
        {
            sizes = ConfigFile.ReadVae(Path.Combine(run.From ?? throw new ArgumentException("Training the decoder alone needs weights to begin with.", nameof(run)), "config.json")).OrThrow();
        }

        using var network = new WanVideoVae(sizes);
        network.Initialize();
        QuietPosterior(network);
        if (run.From is { } from)
        {
            using var start = WanVideoVae.Load(from);
            CopyWithoutStatistics(start, network);
        }

        foreach (var (name, parameter) in network.named_parameters())
        {
            bool encoding = name.StartsWith("encoder.", StringComparison.Ordinal) || name.StartsWith("quant_conv.", StringComparison.Ordinal);
            parameter.requires_grad = !(run.DecoderOnly && encoding);
        }

        var type = run.HalfPrecision ? bfloat16 : float32;
        network.to(type).to(torch.device(run.Device));
        network.ConvolutionType = type;
        using var optimizer = new WeightOptimizer(network, IsMatrix);
        double before = 0;
        if (File.Exists(statePath))
        {
            optimizer.Load(statePath);
            before = double.Parse(File.ReadAllText(clockPath), CultureInfo.InvariantCulture);
            log($"going on at step {optimizer.Steps}, {before:F0} s");
        }

        using var target = run.DecoderOnly || run.Guide == 0 ? null : LatentTarget.Measure(sizes.ZDim, run.Seed);
        using var clips = new VaeClips(run.Seed + (ulong)optimizer.Steps);
        var schedule = new RateSchedule(run.Rate);
        var watch = Stopwatch.StartNew();
        double saved = 0, logged = 0, sum = 0, kl = 0;
        int count = 0;
        while (true)
        {
            double seconds = before + watch.Elapsed.TotalSeconds, progress = seconds / run.Time.TotalSeconds;
            if (progress >= 1)
            {
                break;
            }

            var batch = clips.Take();
            double rate = schedule.At(progress), guide = run.Guide * Math.Pow(0.02, Math.Min(1, 1.5 * progress));
            var (loss, divergence) = QuietCollector.Run(() => Step(network, optimizer, batch, type, rate, target, guide));
            (sum, kl, count) = (sum + loss, kl + divergence, count + 1);
            if (watch.Elapsed.TotalSeconds - logged > 20)
            {
                log($"step {optimizer.Steps} {seconds:F0} s loss {sum / count:F4} kl {kl / count:F2} {(watch.Elapsed.TotalSeconds - logged) / count:F2} s/step");
                (logged, sum, kl, count) = (watch.Elapsed.TotalSeconds, 0, 0, 0);
            }

            if (watch.Elapsed.TotalSeconds - saved > 180)
            {
                saved = watch.Elapsed.TotalSeconds;
                Save(optimizer, run, sizes, before + saved, log);
            }
        }

        Save(optimizer, run, sizes, before + watch.Elapsed.TotalSeconds, log);
    }

    /// <summary>One update; gives the loss and the divergence of the posterior.</summary>
    internal static (double Loss, double Divergence) Step(WanVideoVae network, WeightOptimizer optimizer, ClipBatch batch, ScalarType type, double rate, LatentTarget? target = null, double guide = 0)
    {
        using var scope = NewDisposeScope();
        var video = tensor(batch.Values, [batch.Count, 3, batch.Frames, batch.Height, batch.Width]).to(network.parameters().First().device);
        var (mean, logVariance) = network.EncodeMoments(video.to(type));
        (mean, logVariance) = (mean.to(float32), logVariance.to(float32).clamp(-20, 6));
        var latent = mean + (0.5 * logVariance).exp() * randn_like(mean);
        var decoded = network.Decode(network.Normalise(latent).to(type), clamp: false).to(float32);
        var (loss, divergence) = VaeLoss.Of(video, decoded, mean, logVariance);
        if (target is not null)
        {
            loss = loss + guide * (mean - target.Of(video)).square().mean();
        }

        loss.backward();
        optimizer.Step(rate);
        return (loss.item<float>(), divergence.item<float>());
    }

    internal static bool IsMatrix(string name, Tensor weight) =>
        weight.ndim >= 4 && weight.size(0) >= 16 && weight.size(1) >= 16 && !name.EndsWith("norm.gamma", StringComparison.Ordinal);

    // Noise as strong as the signal would hide what the encoder says from the decoder for the first hundreds of steps.
    private static void QuietPosterior(WanVideoVae network)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        network.named_parameters().Single(p => p.name == "quant_conv.bias").parameter.narrow(0, network.Config.ZDim, network.Config.ZDim).fill_(-4);
    }

    private static void CopyWithoutStatistics(WanVideoVae from, WanVideoVae to)
    {
        using var noGrad = no_grad();
        var targets = to.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, parameter) in from.named_parameters())
        {
            targets[name].copy_(parameter);
        }
    }

    private static void Save(WeightOptimizer optimizer, VaeTraining run, Wan22VaeConfig config, double seconds, Action<string> log)
    {
        optimizer.Save(Path.Combine(run.Folder, "state.safetensors"));
        File.WriteAllText(Path.Combine(run.Folder, "seconds.txt"), seconds.ToString("F1", CultureInfo.InvariantCulture));
        if (!run.DecoderOnly)
        {
            using var plain = new WanVideoVae(Sizes);
            optimizer.CopyAverageTo(plain);
            config = LatentStatistics.Measure(plain, Sizes, run.Seed);
        }

        using var normalised = new WanVideoVae(config);
        optimizer.CopyAverageTo(normalised);
        normalised.Save(Path.Combine(run.Folder, "vae"));
        var (rendered, texture) = VaeQuality.Quick(normalised);
        log(string.Create(CultureInfo.InvariantCulture, $"saved at step {optimizer.Steps}: PSNR rendered {rendered:F2} dB, textures {texture:F2} dB"));
    }
}
