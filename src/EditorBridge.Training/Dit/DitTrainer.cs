using System.Diagnostics;
using System.Globalization;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Text;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Training.Captions;
using EditorBridge.Training.Optimisation;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Training.Dit;

/// <summary>How to train the transformer and the text encoder together.</summary>
public sealed record DitTraining
{
    /// <summary>Folder for state, weights and the log.</summary>
    public required string Folder { get; init; }

    /// <summary>Folder with latent shards; new ones are picked up while training runs.</summary>
    public required string Shards { get; init; }

    /// <summary>The SentencePiece vocabulary.</summary>
    public required string Vocabulary { get; init; }

    /// <summary>Length of the run; a resumed run goes on where it was.</summary>
    public required TimeSpan Time { get; init; }

    /// <summary>Diffusers folder of weights to begin with, or null for new ones.</summary>
    public string? From { get; init; }

    /// <summary>Start of the random streams.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Where to compute: cpu or cuda.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Peak learning rate.</summary>
    public double Rate { get; init; } = 1.5e-3;

    /// <summary>Tokens of a batch, about.</summary>
    public int Tokens { get; init; } = 1800;

    /// <summary>Share of the run after which the canvas takes over from small clips.</summary>
    public double SmallShare { get; init; } = 0.4;

    /// <summary>
    /// Share of the steps that see single frames when the run begins. A frame is 45 tokens, a clip some 600: words are learnt from many more scenes for the same work.
    /// </summary>
    public double PictureShare { get; init; } = 0.3;

    /// <summary>The same when the run ends, null where it does not change: motion is forgotten over single frames, and must be learnt last.</summary>
    public double? LastPictureShare { get; init; }

    /// <summary>Whether matrix products run in bf16; null where that is faster.</summary>
    public bool? HalfPrecision { get; init; }
}

/// <summary>Trains the transformer on cached latents by flow matching, with the conditioning mix of the design.</summary>
public static class DitTrainer
{
    private const double TrainingShift = 3;

    /// <summary>Runs until the time is over; saves about every four minutes.</summary>
    public static void Run(DitTraining run, Action<string> log)
    {
        Directory.CreateDirectory(run.Folder);
        string clockPath = Path.Combine(run.Folder, "seconds.txt"), statePath = Path.Combine(run.Folder, "state.safetensors"), textStatePath = Path.Combine(run.Folder, "text-state.safetensors");
        manual_seed((long)run.Seed);
        using var generator = new Generator(run.Seed, CPU);
        using var transformer = run.From is { } from ? SketchFolder.LoadTransformer(from) : new WanTransformer(SketchSizes.Transformer);
        using var text = run.From is { } also ? SketchFolder.LoadText(also) : new UMT5Encoder(SketchSizes.Text);
        if (run.From is null)
        {
            transformer.Initialize(generator);
            text.Initialize(generator);
        }

        transformer.to(device(run.Device));
        text.to(device(run.Device));
        transformer.ComputeType = run.HalfPrecision switch { true => bfloat16, false => float32, null => ProductType.Fastest(device(run.Device)) };
        using var optimizer = new WeightOptimizer(transformer, IsMatrix, average: 0.999);
        using var textOptimizer = new WeightOptimizer(text, TextWarmUp.IsMatrix, average: 0.999);
        double before = 0;
        if (File.Exists(statePath))
        {
            optimizer.Load(statePath);
            textOptimizer.Load(textStatePath);
            before = double.Parse(File.ReadAllText(clockPath), CultureInfo.InvariantCulture);
            log($"going on at step {optimizer.Steps}, {before:F0} s");
        }

        var tokenizer = SentencePieceTokenizer.Load(run.Vocabulary);
        var shards = new ShardPool(run.Shards);
        var random = SeededRandom.For(run.Seed, 51 + (ulong)optimizer.Steps);
        var schedule = new RateSchedule(run.Rate, Floor: 0.03);
        var watch = Stopwatch.StartNew();
        double saved = 0, logged = 0, sum = 0;
        int count = 0;
        while (true)
        {
            double seconds = before + watch.Elapsed.TotalSeconds, progress = seconds / run.Time.TotalSeconds;
            if (progress >= 1)
            {
                break;
            }

            bool pictures = random.Chance(double.Lerp(run.PictureShare, run.LastPictureShare ?? run.PictureShare, progress));
            var shard = shards.Pick(random, small: random.Chance(progress < run.SmallShare ? 0.9 : 0.12));
            shard = pictures ? shards.PickPictures(random) : shard;
            var mix = pictures ? new ConditioningMix(0, 0, Codec: false, Skip: 0) : ConditioningMix.Sample(random, shard.Frames);
            // Every frame brings its prompt, which costs as much again.
            int tokens = pictures ? run.Tokens / 2 : run.Tokens;
            sum += Step(transformer, text, tokenizer, optimizer, textOptimizer, shard, mix, random, tokens, schedule.At(progress));
            count++;
            if (watch.Elapsed.TotalSeconds - logged > 20)
            {
                log($"step {optimizer.Steps} {seconds:F0} s loss {sum / count:F4} {(watch.Elapsed.TotalSeconds - logged) / count:F2} s/step, {shards.Clips} clips, {shards.Pictures} pictures");
                (logged, sum, count) = (watch.Elapsed.TotalSeconds, 0, 0);
            }

            if (watch.Elapsed.TotalSeconds - saved > 240)
            {
                saved = watch.Elapsed.TotalSeconds;
                Save(run, transformer, text, optimizer, textOptimizer, before + saved);
            }
        }

        Save(run, transformer, text, optimizer, textOptimizer, before + watch.Elapsed.TotalSeconds);
        log($"done at step {optimizer.Steps}");
    }

    /// <summary>One update; gives the loss on the generated tokens.</summary>
    internal static double Step(
        WanTransformer transformer, UMT5Encoder text, SentencePieceTokenizer tokenizer, WeightOptimizer optimizer, WeightOptimizer textOptimizer,
        LatentShard shard, ConditioningMix mix, SeededRandom random, int tokens, double rate)
    {
        using var pause = CollectorPause.Begin();
        using var scope = NewDisposeScope();
        int perClip = shard.Width / 32 * (shard.Height / 32) * ((int)shard.Main.size(2) - mix.Skip + (mix.After + 3) / 4);
        int batch = Math.Clamp(tokens / perClip, 1, shard.Scenes.Count);
        int[] rows = [.. Enumerable.Range(0, shard.Scenes.Count).OrderBy(_ => random.NextBits()).Take(batch)];
        var index = tensor(rows.Select(r => (long)r).ToArray());
        var here = transformer.parameters().First().device;
        Tensor Take(Tensor latents) => latents.index_select(0, index).to(float32).to(here);
        var (main, conditioning) = mix.LayOut(shard.Frames, Take(shard.Main), Take(shard.Before), Take(shard.After));

        var prompts = rows.Select(r => tokenizer.EncodePrompt(random.Chance(0.1) ? "" : CaptionWriter.Write(shard.Scenes[r], random), 64)).ToArray();
        var context = text.EncodeContext(prompts, 64);

        var sigma = tensor(rows.Select(_ => (float)NoiseLevel(random)).ToArray()).to(here);
        var wide = sigma.view(-1, 1, 1, 1, 1);
        var noise = randn_like(main);
        var noisy = main * (1 - wide) + noise * wide;
        var velocity = transformer.Forward(conditioning.Segments(noisy, sigma.to(float64) * 1000), context)[0];
        var loss = (conditioning.Generated(velocity) - conditioning.Generated(noise - main)).square().mean();
        loss.backward();
        optimizer.Step(rate);
        textOptimizer.Step(rate);
        return loss.item<float>();
    }

    // Mostly logit-normal (Esser et al. 2024), a fifth uniform so that no level is unknown; then shifted towards noise.
    private static double NoiseLevel(SeededRandom random)
    {
        double u = random.Chance(0.2) ? random.NextDouble() : 1 / (1 + Math.Exp(-random.NextNormal()));
        return FlowSchedule.Shift(u, TrainingShift);
    }

    internal static bool IsMatrix(string name, Tensor weight) => weight.ndim == 2 && name.StartsWith("blocks.", StringComparison.Ordinal);

    private static void Save(DitTraining run, WanTransformer transformer, UMT5Encoder text, WeightOptimizer optimizer, WeightOptimizer textOptimizer, double seconds)
    {
        optimizer.Save(Path.Combine(run.Folder, "state.safetensors"));
        textOptimizer.Save(Path.Combine(run.Folder, "text-state.safetensors"));
        File.WriteAllText(Path.Combine(run.Folder, "seconds.txt"), seconds.ToString("F1", CultureInfo.InvariantCulture));
        using var average = new WanTransformer(transformer.Config);
        using var textAverage = new UMT5Encoder(text.Config);
        optimizer.CopyAverageTo(average);
        textOptimizer.CopyAverageTo(textAverage);
        SketchFolder.Save(run.Folder, average, textAverage, float32);
    }
}
