using System.Diagnostics;
using System.Globalization;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Training.Optimisation;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace EditorBridge.Training.Measure;

/// <summary>How to train the classifier.</summary>
public sealed record ClassifierTraining
{
    /// <summary>Folder for state, weights and the log.</summary>
    public required string Folder { get; init; }

    /// <summary>Length of the run; a resumed run goes on where it was.</summary>
    public required TimeSpan Time { get; init; }

    /// <summary>Weights to begin with; null for random ones. A run that is found in the folder goes on with its own.</summary>
    public string? From { get; init; }

    /// <summary>A folder of looks from <c>looks</c>, which may go on making them; null renders all of them between the steps.</summary>
    public string? Looks { get; init; }

    /// <summary>Start of the random streams; the measuring command has another.</summary>
    public ulong Seed { get; init; } = 31;

    /// <summary>Peak learning rate.</summary>
    public double Rate { get; init; } = 2e-3;

    /// <summary>Rendered clips in memory.</summary>
    public int Clips { get; init; } = 16_000;

    /// <summary>Clips never trained on, which the log's accuracies are measured on.</summary>
    public int HeldOut { get; init; } = 400;

    /// <summary>Clips of a step.</summary>
    public int Batch { get; init; } = 32;
}

/// <summary>Trains <see cref="SceneClassifier"/> on scenes it renders while it trains.</summary>
public static class ClassifierTrainer
{
    /// <summary>Runs until the time is over; saves every four minutes.</summary>
    public static void Run(ClassifierTraining run, Action<string> log)
    {
        Directory.CreateDirectory(run.Folder);
        string statePath = Path.Combine(run.Folder, "state.safetensors"), clockPath = Path.Combine(run.Folder, "seconds.txt");
        manual_seed((long)run.Seed);
        using var network = run.From is { } from ? SceneClassifier.Load(from) : new SceneClassifier();
        using var optimizer = new WeightOptimizer(network, (name, w) => w.ndim >= 2 && !name.StartsWith("heads", StringComparison.Ordinal), weightDecay: 0.1);
        double before = 0;
        if (File.Exists(statePath))
        {
            optimizer.Load(statePath);
            before = double.Parse(File.ReadAllText(clockPath), CultureInfo.InvariantCulture);
            log($"going on at step {optimizer.Steps}, {before:F0} s");
        }

        using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, log);
        var held = new LookPool(run.HeldOut);
        var maker = new LookMaker(SeededRandom.For(run.Seed, 81), components, coded: 1);
        while (held.Count < run.HeldOut)
        {
            held.Add(maker.Render(6));
        }

        var random = SeededRandom.For(run.Seed, 82 + (ulong)optimizer.Steps);
        maker = new LookMaker(random, components, coded: 0.7);
        var (pool, decoded) = (new LookPool(run.Clips), new LookPool(run.Clips));
        HashSet<string> read = [];
        var schedule = new RateSchedule(run.Rate);
        var watch = Stopwatch.StartNew();
        double saved = 0, logged = 0, sum = 0;
        int count = 0;
        network.train();
        while (before + watch.Elapsed.TotalSeconds < run.Time.TotalSeconds)
        {
            if (run.Looks is { } folder && count % 10 == 0)
            {
                Read(folder, read, pool, decoded);
            }

            // Rendering costs as much as looking; each clip is looked at some eight times, half of them in a mirror.
            int wanted = pool.Count < 20 * run.Batch ? 20 * run.Batch : run.Batch / (run.Looks is null ? 8 : 16);
            for (int i = 0; i < wanted; i++)
            {
                // Choosing alone would teach that balls always bounce: half of the clips are as they come.
                pool.Add(maker.Render(random.Chance(0.5) ? 6 : 1));
            }

            double seconds = before + watch.Elapsed.TotalSeconds;
            sum += Step(network, optimizer, pool, decoded, run.Batch, random, schedule.At(seconds / run.Time.TotalSeconds));
            count++;
            double now = watch.Elapsed.TotalSeconds;
            if (now - logged > 30)
            {
                log($"step {optimizer.Steps} {seconds:F0} s loss {sum / count:F3} {(now - logged) / count:F2} s/step, {pool.Count} clips, {decoded.Count} decoded");
                (sum, count, logged) = (0, 0, now);
            }

            if (now - saved > 240)
            {
                saved = now;
                Save(run, optimizer, held, before + now, log);
            }
        }

        Save(run, optimizer, held, before + watch.Elapsed.TotalSeconds, log);
    }

    private static void Read(string folder, HashSet<string> read, LookPool pool, LookPool decoded)
    {
        foreach (string path in Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).Where(read.Add))
        {
            var (looks, kind) = LookShard.Read(path);
            foreach (var look in looks)
            {
                (kind ? decoded : pool).Add(look);
            }
        }
    }

    /// <summary>One update; gives the loss, summed over the facts.</summary>
    /// <param name="network">The classifier.</param>
    /// <param name="optimizer">Of its weights.</param>
    /// <param name="pool">Rendered looks.</param>
    /// <param name="decoded">Looks from the autoencoder: up to an eighth of the batch, one for every hundred there are, so that none is learnt by heart.</param>
    /// <param name="batch">Looks in all.</param>
    /// <param name="random">Decides which.</param>
    /// <param name="rate">Learning rate.</param>
    internal static double Step(SceneClassifier network, WeightOptimizer optimizer, LookPool pool, LookPool decoded, int batch, SeededRandom random, double rate)
    {
        using var pause = CollectorPause.Begin();
        using var scope = NewDisposeScope();
        var (looks, facts) = pool.Batch(batch, random);
        if (Math.Min(batch / 8, decoded.Count / 100) is > 0 and var share)
        {
            var some = decoded.Batch(share, random);
            looks = cat([looks.narrow(0, 0, batch - some.Facts.Count), some.Looks]);
            facts = [.. facts.Take(batch - some.Facts.Count), .. some.Facts];
        }

        bool mirrored = random.Chance(0.5);
        var scores = network.call(Softened(SceneClassifier.Shifted(mirrored ? looks.flip(4) : looks, Shift(random), Shift(random)), random));
        var loss = zeros(1);
        for (int i = 0; i < scores.Count; i++)
        {
            long[] truth = [.. facts.Select(f => (mirrored ? SceneFacts.Mirrored(f) : f)[i])];
            if (truth.Any(t => t >= 0))
            {
                loss = loss + F.cross_entropy(scores[i], tensor(truth), ignore_index: -1);
            }
        }

        loss.backward();
        optimizer.Step(rate);
        return loss.item<float>();
    }

    // Where in the picture something is says nothing about the facts.
    private static int Shift(SeededRandom random) => random.Next(2 * SceneClassifier.MostShift + 1) - SceneClassifier.MostShift;

    // Decoded clips are softer than rendered ones and a little off in level.
    private static Tensor Softened(Tensor looks, SeededRandom random)
    {
        var x = looks.flatten(0, 1); // [5B, 3, 80, 144]
        if (random.Chance(0.7))
        {
            double share = random.Between(0.2, 1);
            x = x + share * (F.avg_pool2d(x, 3, stride: 1, padding: 1, count_include_pad: false) - x);
        }

        return (x * random.Between(0.95, 1.05) + random.Between(-0.04, 0.04) + 0.03 * randn_like(x)).view(looks.shape);
    }

    private static void Save(ClassifierTraining run, WeightOptimizer optimizer, LookPool held, double seconds, Action<string> log)
    {
        optimizer.Save(Path.Combine(run.Folder, "state.safetensors"));
        File.WriteAllText(Path.Combine(run.Folder, "seconds.txt"), seconds.ToString("F1", CultureInfo.InvariantCulture));
        using var average = new SceneClassifier();
        optimizer.CopyAverageTo(average);
        WeightSaver.Save(average, Path.Combine(run.Folder, "classifier.safetensors"), float16);
        List<long[]> guesses = [], truth = [];
        for (int first = 0; first < held.Count; first += 50)
        {
            using var scope = NewDisposeScope();
            var (looks, facts) = held.Range(first, Math.Min(50, held.Count - first));
            guesses.AddRange(average.Classify(looks));
            truth.AddRange(facts);
        }

        log("held out: " + string.Join(", ", SceneFacts.Names.Select((name, i) =>
            $"{name} {SceneFacts.BalancedAccuracy([.. truth.Select(t => t[i])], [.. guesses.Select(g => g[i])], SceneFacts.Classes[i]):P0}")));
    }
}
