using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Training.Captions;
using EditorBridge.Training.Dit;
using EditorBridge.Training.Scenes;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;

namespace EditorBridge.Training.Measure;

/// <summary>Measures a model folder on prompts and clips it was not trained on.</summary>
public sealed class SketchQuality(SketchModel model, SceneClassifier classifier, int width, int height, Action<string> log)
{
    private const int Context = SketchSizes.ContextFrames;
    private readonly int _plane = width * height;

    // A single shuffle of a hundred prompts strays from chance by several per cent of its own.
    private const int Shuffles = 20;

    /// <summary>Runs all measurements.</summary>
    /// <param name="clips">Generated clips of each kind.</param>
    /// <param name="prompts">Clips generated from words alone and judged by the classifier.</param>
    /// <param name="judged">Decoded renders judged by the classifier.</param>
    /// <param name="seed">Start of the random stream; not one of the training's.</param>
    public QualityTable Run(int clips, int prompts, int judged, ulong seed = 424_242)
    {
        var table = new QualityTable();
        Autoencoder(table, Math.Max(1, clips / 6), seed);
        Judge(table, judged, seed);
        Attributes(table, prompts, seed);
        Extension(table, Math.Max(2, clips / 2), seed);
        Fill(table, Math.Max(2, clips / 2), seed);
        Reversal(table, Math.Max(2, clips / 2), seed);
        return table;
    }

    private void Autoencoder(QualityTable table, int count, ulong seed)
    {
        foreach (int frames in new[] { 1, 5, 49 })
        {
            var random = SeededRandom.For(seed, 1);
            double rendered = 0, texture = 0;
            for (int i = 0; i < count; i++)
            {
                rendered += VaeQuality.Psnr(model.Vae, SceneRenderer.RenderClip(Scene.Sample(random), width, height, frames, -frames / 48.0), frames, height, width) / count;
                texture += VaeQuality.Psnr(model.Vae, TextureClip.Render(random, width, height, frames), frames, height, width) / count;
            }

            table.Add("autoencoder", $"{frames} frames, rendered", rendered, "dB", "28 dB");
            table.Add("autoencoder", $"{frames} frames, footage-like", texture, "dB");
            log($"autoencoder, {frames} frames: {rendered:F1} dB, {texture:F1} dB");
        }
    }

    // The classifier itself, on scenes it was not trained on and on what the autoencoder leaves of them; all classes about as often.
    private void Judge(QualityTable table, int count, ulong seed)
    {
        var random = SeededRandom.For(seed, 6);
        var balance = new SceneBalance();
        List<long[]> truth = [], rendered = [], decoded = [];
        for (int i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            var scene = balance.Next(random, choices: 6);
            truth.Add(SceneFacts.Of(scene));
            float[] source = SceneRenderer.RenderClip(scene, width, height, SceneClassifier.Frames, -0.5);
            rendered.Add(Guess(source));
            decoded.Add(Guess(model.Decode(model.Encode(source, SceneClassifier.Frames, width, height))));
            log($"judged {i + 1}/{count}");
        }

        for (int a = 0; a < SceneFacts.Names.Count; a++)
        {
            table.Add("classifier", $"{SceneFacts.Names[a]}, rendered", Score(truth, rendered, a), "%");
            table.Add("classifier", $"{SceneFacts.Names[a]}, decoded render", Score(truth, decoded, a), "%", "95 %");
        }
    }

    private void Attributes(QualityTable table, int count, ulong seed)
    {
        var random = SeededRandom.For(seed, 2);
        var balance = new SceneBalance();
        List<long[]> truth = [], generated = [];
        for (int i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            var scene = balance.Next(random, choices: 6);
            truth.Add(SceneFacts.Of(scene));
            string prompt = CaptionWriter.Write(scene, random, complete: true);
            var layout = new ConditionedLatents(ConditioningLayout.Forward(SceneClassifier.Frames, 0, 0));
            generated.Add(Guess(model.Decode(model.Sample(prompt, layout, width, height, (long)seed + i))));
            log($"attributes {i + 1}/{count}");
        }

        for (int a = 0; a < SceneFacts.Names.Count; a++)
        {
            string name = SceneFacts.Names[a];
            int shuffles = Math.Min(Shuffles, count - 1);
            double shuffled = shuffles < 1 ? double.NaN : Enumerable.Range(1, shuffles).Average(by => Score([.. truth.Skip(by), .. truth.Take(by)], generated, a));
            table.Add("attributes", $"{name}, generated", Score(truth, generated, a), "%", "80 %");
            table.Add("attributes", $"{name}, shuffled prompts", shuffled, "%", $"{100.0 / SceneFacts.Classes[a]:F0} ± 5 %");
        }
    }

    private static double Score(List<long[]> truth, List<long[]> guesses, int fact) =>
        SceneFacts.BalancedAccuracy([.. truth.Select(t => t[fact])], [.. guesses.Select(g => g[fact])], SceneFacts.Classes[fact]);

    private long[] Guess(float[] clip)
    {
        using var scope = NewDisposeScope();
        return classifier.Classify(SceneClassifier.Look(tensor(clip, [1, 3, SceneClassifier.Frames, height, width])))[0];
    }

    private void Extension(QualityTable table, int count, ulong seed)
    {
        const int New = 16;
        var random = SeededRandom.For(seed, 3);
        double raw = 0, against = 0, dissolve = 0;
        int lively = 0, asked = 0;
        List<double> ratios = [];
        for (int i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            var scene = Scene.Sample(random);
            float[] truth = SceneRenderer.RenderClip(scene, width, height, Context + New, -0.5);
            float[] start = VideoComparison.Cut(truth, _plane, 0, Context);
            float[] clip = Generate(CaptionWriter.Write(scene, random), start, null, New, (long)seed + i);
            float[] decoded = model.Decode(model.Encode(start, Context, width, height));
            double own = Math.Max(2 / 255.0, VideoComparison.Between(truth, Context - 1, truth, Context, _plane));
            raw += VideoComparison.Between(clip, Context, truth, Context - 1, _plane) / own / count;
            against += VideoComparison.Between(clip, Context, decoded, Context - 1, _plane) / own / count;
            // A dissolve to the shot 16 frames on has gone 1/17 of the way after one frame.
            dissolve += VideoComparison.BetweenBlend(truth, Context - 1, truth, Context + New - 1, 1.0 / (New + 1), truth, Context - 1, _plane) / own / count;
            double motion = VideoComparison.Motion(decoded, 0, Context - 1, _plane);
            if (motion > 0.5 / 255)
            {
                asked++;
                double ratio = VideoComparison.Motion(clip, Context, Context + New - 1, _plane) / motion;
                ratios.Add(ratio);
                lively += ratio is >= 0.5 and <= 2 ? 1 : 0;
            }

            log($"extension {i + 1}/{count}");
        }

        table.Add("seam", "raw, over the source's own difference", raw, "", "1.5");
        table.Add("seam", "against the decoded source", against, "", "1.5");
        table.Add("seam", "hold last frame", 0, "");
        table.Add("seam", "cross-dissolve", dissolve, "");
        table.Add("extension", "motion over the context's, median", ratios.Count == 0 ? double.NaN : ratios.Order().ElementAt(ratios.Count / 2), "", "0.5 to 2");
        table.Add("extension", "clips within 0.5 to 2", asked == 0 ? double.NaN : lively / (double)asked, "%");
    }

    private void Fill(QualityTable table, int count, ulong seed)
    {
        const int New = 23;
        var random = SeededRandom.For(seed, 4);
        double made = 0, dissolved = 0, held = 0, seam = 0;
        int closer = 0;
        for (int i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            var scene = Scene.Sample(random);
            int all = Context + New + Context;
            float[] truth = SceneRenderer.RenderClip(scene, width, height, all, -all / 48.0);
            float[] clip = Generate(CaptionWriter.Write(scene, random), VideoComparison.Cut(truth, _plane, 0, Context), VideoComparison.Cut(truth, _plane, Context + New, Context), New, (long)seed + i);
            double a = 0, b = 0, c = 0;
            for (int f = 0; f < New; f++)
            {
                a += VideoComparison.Between(clip, Context + f, truth, Context + f, _plane) / New;
                b += VideoComparison.BetweenBlend(truth, Context - 1, truth, Context + New, (f + 1.0) / (New + 1), truth, Context + f, _plane) / New;
                c += VideoComparison.Between(truth, Context - 1, truth, Context + f, _plane) / New;
            }

            double own = Math.Max(2 / 255.0, VideoComparison.Between(truth, Context + New - 1, truth, Context + New, _plane));
            seam += VideoComparison.Between(clip, Context + New - 1, truth, Context + New, _plane) / own / count;
            (made, dissolved, held, closer) = (made + a / count, dissolved + b / count, held + c / count, closer + (a < b ? 1 : 0));
            log($"fill {i + 1}/{count}");
        }

        table.Add("fill", "distance to the true frames", made, "");
        table.Add("fill", "cross-dissolve's distance", dissolved, "");
        table.Add("fill", "hold last frame's distance", held, "");
        table.Add("fill", "closer than the cross-dissolve", closer / (double)count, "%", "most");
        table.Add("seam", "end of a fill, raw", seam, "", "1.5");
    }

    // The same last frame, reached forwards and backwards in time, must go on in opposite directions.
    private void Reversal(QualityTable table, int count, ulong seed)
    {
        const int Ahead = 6;
        var random = SeededRandom.For(seed, 5);
        int right = 0, asked = 0;
        while (asked < count)
        {
            using var scope = NewDisposeScope();
            var scene = Scene.Sample(random);
            if (scene.Camera is CameraMove.Static && scene.Motion is SubjectMotion.Still or SubjectMotion.Bounce)
            {
                continue;
            }

            asked++;
            float[] truth = SceneRenderer.RenderClip(scene, width, height, 2 * Context - 1, -0.35);
            // No prompt: the direction may come from the frames alone.
            float[] forward = Generate("", VideoComparison.Cut(truth, _plane, 0, Context), null, Ahead, (long)seed + asked);
            float[] backward = Generate("", VideoComparison.Cut(truth, _plane, Context - 1, Context, reversed: true), null, Ahead, (long)seed + asked);
            int later = Context - 1 + Ahead, earlier = Context - 1 - Ahead;
            double Gain(float[] clip) => VideoComparison.Between(clip, Context + Ahead - 1, truth, earlier, _plane) - VideoComparison.Between(clip, Context + Ahead - 1, truth, later, _plane);
            right += Gain(forward) > Gain(backward) ? 1 : 0;
            log($"reversal {asked}/{count}");
        }

        table.Add("extension", "context reversed, motion reversed", right / (double)count, "%", "90 %");
    }

    private float[] Generate(string prompt, float[] before, float[]? after, int wanted, long seed)
    {
        using var scope = NewDisposeScope();
        var layout = ConditioningLayout.Forward(wanted, Context, after is null ? 0 : Context);
        var tail = after is null ? null : model.Encode(after, Context, width, height);
        return model.Decode(model.Sample(prompt, new ConditionedLatents(layout, model.Encode(before, Context, width, height), tail), width, height, seed));
    }
}
