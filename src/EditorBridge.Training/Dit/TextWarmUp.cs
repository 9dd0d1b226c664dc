using System.Diagnostics;
using EditorBridge.Diffusion.Text;
using EditorBridge.Training.Captions;
using EditorBridge.Training.Measure;
using EditorBridge.Training.Optimisation;
using EditorBridge.Training.Scenes;
using static TorchSharp.torch;

namespace EditorBridge.Training.Dit;

/// <summary>
/// Teaches the text encoder, before it has seen a picture, to tell the facts of a scene from its caption: the transformer then finds
/// words that already mean something, which saves most of the time that joint training from noise would take.
/// </summary>
internal static class TextWarmUp
{
    private static readonly int[] Sizes = [.. SceneFacts.Classes];

    public static void Run(UMT5Encoder encoder, SentencePieceTokenizer tokenizer, TimeSpan time, ulong seed, Action<string> log)
    {
        var random = SeededRandom.For(seed, 41);
        using var heads = nn.Linear(encoder.Config.DModel, Sizes.Sum());
        using var optimizer = new WeightOptimizer(encoder, IsMatrix);
        using var headOptimizer = new WeightOptimizer(heads, (_, _) => false);
        var schedule = new RateSchedule(2e-3);
        var watch = Stopwatch.StartNew();
        double logged = 0, sum = 0;
        var right = new double[Sizes.Length];
        var asked = new double[Sizes.Length];
        int count = 0;
        while (watch.Elapsed < time)
        {
            using var scope = NewDisposeScope();
            const int Batch = 32;
            var scenes = Enumerable.Range(0, Batch).Select(_ => Scene.Sample(random)).ToArray();
            var prompts = scenes.Select(s => tokenizer.EncodePrompt(CaptionWriter.Write(s, random, complete: random.Chance(0.5)), 64)).ToArray();
            var (ids, mask) = TokenBatch.Of(prompts, prompts.Max(p => p.Count), 0);
            var hidden = encoder.call(ids, mask); // [B, L, D]
            var weight = mask.to(float32).unsqueeze(-1);
            var pooled = (hidden * weight).sum(1) / weight.sum(1);
            var logits = heads.call(pooled).split(Sizes.Select(n => (long)n).ToArray(), 1);
            var loss = zeros(1);
            for (int i = 0; i < Sizes.Length; i++)
            {
                var facts = scenes.Select(s => SceneFacts.Of(s)[i]).ToArray();
                var target = tensor(facts);
                loss = loss + nn.functional.cross_entropy(logits[i], target, ignore_index: -1);
                var guess = logits[i].argmax(1).data<long>().ToArray();
                right[i] += guess.Zip(facts).Count(p => p.First == p.Second);
                asked[i] += facts.Count(f => f >= 0);
            }

            loss.backward();
            double rate = schedule.At(watch.Elapsed / time);
            optimizer.Step(rate);
            headOptimizer.Step(rate);
            sum += loss.item<float>();
            count++;
            if (watch.Elapsed.TotalSeconds - logged > 20)
            {
                log($"text step {optimizer.Steps} loss {sum / count:F3} right {string.Join(' ', right.Zip(asked, (r, a) => $"{r / Math.Max(a, 1):F2}"))} {(watch.Elapsed.TotalSeconds - logged) / count:F2} s/step");
                (logged, sum, count) = (watch.Elapsed.TotalSeconds, 0, 0);
                Array.Clear(right);
                Array.Clear(asked);
            }
        }

        using var noGrad = no_grad();
        optimizer.CopyAverageTo(encoder);
    }

    internal static bool IsMatrix(string name, Tensor weight) =>
        weight.ndim == 2 && name.StartsWith("encoder.", StringComparison.Ordinal) && !name.Contains("relative_attention_bias", StringComparison.Ordinal);
}
