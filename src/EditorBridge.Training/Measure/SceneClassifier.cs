using System.Diagnostics;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Training.Optimisation;
using EditorBridge.Training.Scenes;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace EditorBridge.Training.Measure;

/// <summary>
/// Tells the facts of a scene from a clip of 25 frames: five of them at 72x40, side by side in the channels, and their differences, through
/// six convolutions. Judges whether generated clips show what the prompt says.
/// </summary>
public sealed class SceneClassifier : nn.Module<Tensor, IReadOnlyList<Tensor>>
{
    /// <summary>Frames of a clip.</summary>
    public const int Frames = 25;

    private const int Columns = 72, Rows = 40, Looks = 5;

    private readonly ModuleList<Conv2d> convolutions = new();
    private readonly ModuleList<GroupNorm> norms = new();
    private readonly Linear hidden, heads;

    /// <summary>Random weights.</summary>
    public SceneClassifier()
        : base(nameof(SceneClassifier))
    {
        int[] widths = [3 * (2 * Looks - 1), 32, 48, 64, 96, 128];
        for (int i = 0; i + 1 < widths.Length; i++)
        {
            convolutions.Add(nn.Conv2d(widths[i], widths[i + 1], 3, stride: i is 1 or 2 or 3 ? 2 : 1, padding: 1));
            norms.Add(nn.GroupNorm(8, widths[i + 1]));
        }

        // TorchSharp 0.107 leaves the weights of a new GroupNorm as the memory was.
        foreach (var norm in norms)
        {
            nn.init.ones_(norm.weight);
            nn.init.zeros_(norm.bias);
        }

        hidden = nn.Linear(128 * 5 * 9, 160);
        heads = nn.Linear(160, SceneFacts.Classes.Sum());
        RegisterComponents();
    }

    /// <summary>Scores of every fact's classes.</summary>
    /// <param name="clips">[B, 27, 40, 72] from <see cref="Look"/>.</param>
    public override IReadOnlyList<Tensor> forward(Tensor clips)
    {
        using var scope = NewDisposeScope();
        var x = clips;
        for (int i = 0; i < convolutions.Count; i++)
        {
            x = F.silu(norms[i].call(convolutions[i].call(x)));
        }

        x = F.silu(hidden.call(F.dropout(x.flatten(1), 0.2, training)));
        return [.. heads.call(x).split(SceneFacts.Classes.Select(n => (long)n).ToArray(), 1).Select(t => t.MoveToOuterDisposeScope())];
    }

    /// <summary>What the classifier sees of clips [B, 3, 25, H, W]: five frames and the four differences, 72x40.</summary>
    public static Tensor Look(Tensor clips)
    {
        using var scope = NewDisposeScope();
        var chosen = clips.index_select(2, tensor(new long[] { 0, 6, 12, 18, 24 })); // [B, 3, 5, H, W]
        var small = F.interpolate(chosen.transpose(1, 2).flatten(0, 1), [Rows, Columns], mode: InterpolationMode.Area).view(clips.size(0), Looks, 3, Rows, Columns);
        var differences = small.diff(dim: 1) * 2;
        return cat([small, differences], 1).flatten(1, 2).MoveToOuterDisposeScope();
    }

    /// <summary>The likeliest class of every fact, for each clip.</summary>
    public long[][] Classify(Tensor looks)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        eval();
        var guesses = forward(looks).Select(t => t.argmax(1).data<long>().ToArray()).ToArray();
        return [.. Enumerable.Range(0, (int)looks.size(0)).Select(i => guesses.Select(g => g[i]).ToArray())];
    }

    /// <summary>Renders clips and trains on them until the time is over, a third of it for rendering.</summary>
    public static SceneClassifier Train(TimeSpan time, ulong seed, Action<string> log)
    {
        var random = SeededRandom.For(seed, 81);
        var watch = Stopwatch.StartNew();
        var network = new SceneClassifier();
        using var scope = NewDisposeScope();
        List<Tensor> looks = [];
        List<long[]> facts = [];
        while (watch.Elapsed < time * 0.4)
        {
            using var inner = NewDisposeScope();
            var scene = Scene.Sample(random);
            looks.Add(Look(tensor(RenderLooks(scene, random.Between(-0.9, -0.1)), [1, 3, Frames, 80, 144])).to(float16).MoveToOuterDisposeScope());
            facts.Add(SceneFacts.Of(scene));
        }

        log($"{looks.Count} clips rendered");
        var all = cat(looks);
        using var optimizer = new WeightOptimizer(network, (name, w) => w.ndim >= 2 && !name.StartsWith("heads", StringComparison.Ordinal), weightDecay: 0.1);
        var schedule = new RateSchedule(1.5e-3);
        double sum = 0, logged = 0;
        int count = 0, held = Math.Min(200, looks.Count / 10);
        network.train();
        double start = watch.Elapsed.TotalSeconds;
        while (watch.Elapsed < time)
        {
            using var step = NewDisposeScope();
            int[] rows = [.. Enumerable.Range(0, 32).Select(_ => held + random.Next(looks.Count - held))];
            var x = Blur(all.index_select(0, tensor(rows.Select(r => (long)r).ToArray())).to(float32), random);
            var scores = network.call(x);
            var loss = zeros(1);
            for (int i = 0; i < scores.Count; i++)
            {
                loss = loss + F.cross_entropy(scores[i], tensor(rows.Select(r => facts[r][i]).ToArray()), ignore_index: -1);
            }

            loss.backward();
            optimizer.Step(schedule.At((watch.Elapsed.TotalSeconds - start) / (time.TotalSeconds - start)));
            sum += loss.item<float>();
            if (++count % 100 == 0 || watch.Elapsed.TotalSeconds - logged > 30)
            {
                log($"classifier step {optimizer.Steps} loss {sum / count:F3}");
                (sum, count, logged) = (0, 0, watch.Elapsed.TotalSeconds);
            }
        }

        optimizer.CopyAverageTo(network);
        var guesses = network.Classify(all.narrow(0, 0, held).to(float32));
        for (int i = 0; i < SceneFacts.Names.Count; i++)
        {
            log($"held out {SceneFacts.Names[i]}: {SceneFacts.BalancedAccuracy([.. facts.Take(held).Select(f => f[i])], [.. guesses.Select(g => g[i])], SceneFacts.Classes[i]):P0}");
        }

        return network;
    }

    /// <summary>Reads weights written by <see cref="WeightSaver"/>.</summary>
    public static SceneClassifier Load(string path)
    {
        using var file = EditorBridge.Models.Safetensors.SafetensorsFile.Open(path).OrThrow();
        var network = new SceneClassifier();
        WeightLoader.Load(network, file);
        return network;
    }

    // Only the frames that are looked at are drawn; the others stay black.
    private static float[] RenderLooks(Scene scene, double start)
    {
        const int Width = 144, Height = 80, Plane = Width * Height;
        var clip = new float[3 * Frames * Plane];
        for (int f = 0; f < Frames; f += 6)
        {
            SceneRenderer.Render(scene, Width, Height, start + f / 24.0).CopyTo(clip.AsSpan(f * Plane), Frames * Plane);
        }

        return clip;
    }

    // Decoded clips are softer than rendered ones and a little off in level.
    private static Tensor Blur(Tensor looks, SeededRandom random)
    {
        var x = looks;
        if (random.Chance(0.6))
        {
            double share = random.Between(0.2, 1);
            x = x + share * (F.avg_pool2d(x, 3, stride: 1, padding: 1, count_include_pad: false) - x);
        }

        return x + 0.03 * randn_like(x);
    }
}
