using System.Diagnostics;
using System.Globalization;
using EditorBridge.Diffusion.Native;
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

    /// <summary>Whether convolutions run in bf16 (masters stay fp32); null where that is faster.</summary>
    public bool? HalfPrecision { get; init; }

    /// <summary>Where to compute: cpu or cuda.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>File of the components that latents hold; made when it is not there.</summary>
    public required string Components { get; init; }

    /// <summary>Whether the encoder stays as it is in <see cref="From"/>.</summary>
    public bool DecoderOnly { get; init; }

    /// <summary>Diffusers folder of weights to begin with, or null for random ones.</summary>
    public string? From { get; init; }
}

/// <summary>
/// Trains the Wan 2.2 form video autoencoder on rendered scenes and textures. Latents are the principal components of their
/// pixels from the start, so encoder and decoder learn side by side and latents for the transformer can be had before either has.
/// </summary>
public static class VaeTrainer
{
    /// <summary>Deviation of the noise the decoder learns to bear: about what sampling leaves in the latents.</summary>
    private const double LatentNoise = 0.08;

    /// <summary>The sizes of sketch: at most 4 M parameters, wide where the resolution is low.</summary>
    public static WanVaeConfig Sizes { get; } = WanVaeConfig.Wan22 with
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
        using var network = new WanVideoVae(Sizes);
        network.Initialize();
        if (run.From is { } from)
        {
            using var start = WanVideoVae.Load(from);
            Copy(start, network);
        }

        PlainPosterior(network);
        foreach (var (name, parameter) in network.named_parameters())
        {
            bool encoding = name.StartsWith("encoder.", StringComparison.Ordinal) || name.StartsWith("quant_conv.", StringComparison.Ordinal);
            parameter.requires_grad = !(run.DecoderOnly && encoding);
        }

        var type = run.HalfPrecision switch { true => bfloat16, false => float32, null => ProductType.Fastest(torch.device(run.Device)) };
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

        using var components = PrincipalComponents.At(run.Components, Sizes.ZDim, log);
        using var clips = new VaeClips(run.Seed + (ulong)optimizer.Steps);
        var schedule = new RateSchedule(run.Rate);
        var watch = Stopwatch.StartNew();
        double saved = 0, logged = 0, sum = 0, code = 0;
        int count = 0;
        while (true)
        {
            double seconds = before + watch.Elapsed.TotalSeconds, progress = seconds / run.Time.TotalSeconds;
            if (progress >= 1)
            {
                break;
            }

            var batch = clips.Take();
            double rate = schedule.At(progress);
            var (picture, latent) = Step(network, optimizer, batch, type, rate, components);
            (sum, code, count) = (sum + picture, code + latent, count + 1);
            if (watch.Elapsed.TotalSeconds - logged > 20)
            {
                log($"step {optimizer.Steps} {seconds:F0} s loss {sum / count:F4} latents {code / count:F4} {(watch.Elapsed.TotalSeconds - logged) / count:F2} s/step");
                (logged, sum, code, count) = (watch.Elapsed.TotalSeconds, 0, 0, 0);
            }

            if (watch.Elapsed.TotalSeconds - saved > 180)
            {
                saved = watch.Elapsed.TotalSeconds;
                Save(optimizer, run, before + saved, log);
            }
        }

        Save(optimizer, run, before + watch.Elapsed.TotalSeconds, log);
    }

    /// <summary>One update; gives the loss of the pictures and that of the latents.</summary>
    internal static (double Picture, double Latent) Step(WanVideoVae network, WeightOptimizer optimizer, ClipBatch batch, ScalarType type, double rate, PrincipalComponents components)
    {
        using var pause = CollectorPause.Begin();
        using var scope = NewDisposeScope();
        var video = tensor(batch.Values, [batch.Count, 3, batch.Frames, batch.Height, batch.Width]).to(network.parameters().First().device);
        var target = components.Of(video); // [B, z, f, h, w]
        var mean = network.EncodeMoments(video.to(type)).Mean.to(float32);
        // By their cost in pixels for the decoder, and all alike for the transformer.
        var latentLoss = ((components.Weight.to(video.device) + 0.3) * (mean - target).square()).mean();
        // Half of the clips teach the decoder what sampling will give it, half of them what the encoder does.
        var own = rand([batch.Count, 1, 1, 1, 1], device: video.device) < 0.5;
        var latent = where(own, mean, target) + randn_like(mean) * LatentNoise;
        var decoded = network.Decode(latent.to(type), clamp: false).to(float32);
        var pictureLoss = VaeLoss.Of(video, decoded);
        (pictureLoss + latentLoss).backward();
        optimizer.Step(rate);
        return (pictureLoss.item<float>(), latentLoss.item<float>());
    }

    internal static bool IsMatrix(string name, Tensor weight) =>
        weight.ndim >= 4 && weight.size(0) >= 16 && weight.size(1) >= 16 && !name.EndsWith("norm.gamma", StringComparison.Ordinal);

    // Only means are trained; the posterior's variance is that of the noise the decoder bears.
    private static void PlainPosterior(WanVideoVae network)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        int z = network.Config.ZDim;
        var parameters = network.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        parameters["quant_conv.weight"].narrow(0, z, z).zero_();
        parameters["quant_conv.bias"].narrow(0, z, z).fill_(2 * Math.Log(LatentNoise));
    }

    private static void Copy(WanVideoVae from, WanVideoVae to)
    {
        using var noGrad = no_grad();
        var targets = to.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, parameter) in from.named_parameters())
        {
            targets[name].copy_(parameter);
        }
    }

    private static void Save(WeightOptimizer optimizer, VaeTraining run, double seconds, Action<string> log)
    {
        optimizer.Save(Path.Combine(run.Folder, "state.safetensors"));
        File.WriteAllText(Path.Combine(run.Folder, "seconds.txt"), seconds.ToString("F1", CultureInfo.InvariantCulture));
        using var average = new WanVideoVae(Sizes);
        optimizer.CopyAverageTo(average);
        average.Save(Path.Combine(run.Folder, "vae"));
        var (rendered, texture) = VaeQuality.Quick(average);
        log(string.Create(CultureInfo.InvariantCulture, $"saved at step {optimizer.Steps}: PSNR rendered {rendered:F2} dB, textures {texture:F2} dB"));
    }
}
