using System.CommandLine;
using System.Diagnostics;
using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Native;
using EditorBridge.Training.Captions;
using EditorBridge.Training.Dit;
using EditorBridge.Training.Measure;
using EditorBridge.Training.Scenes;
using static TorchSharp.torch;

namespace EditorBridge.Training;

/// <summary><c>sample</c>: contact sheets of generated clips, and of fills and extensions beside the truth.</summary>
internal static class SampleCommand
{
    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "Model folder.", Required = true };
        var output = new Option<string>("--out") { Description = "PNG file to write.", Required = true };
        var prompts = new Option<string[]>("--prompt") { Description = "Prompts; random captions without any.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var count = new Option<int>("--count") { Description = "How many random captions.", DefaultValueFactory = _ => 8 };
        var frames = new Option<int>("--frames") { Description = "Frames a clip.", DefaultValueFactory = _ => 17 };
        var width = new Option<int>("--width") { Description = "Pixels across.", DefaultValueFactory = _ => 288 };
        var height = new Option<int>("--height") { Description = "Rows.", DefaultValueFactory = _ => 160 };
        var job = new Option<string>("--job") { Description = "broll, extend, fill or vae: what is given.", DefaultValueFactory = _ => "broll" };
        var guidance = new Option<double>("--guidance") { Description = "Guidance scale.", DefaultValueFactory = _ => 2 };
        var steps = new Option<int>("--steps") { Description = "Solver steps.", DefaultValueFactory = _ => 20 };
        var shift = new Option<double>("--shift") { Description = "Shift of the schedule.", DefaultValueFactory = _ => 5 };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random streams.", DefaultValueFactory = _ => 7 };
        var command = new Command("sample", "Generates clips and lays frames of them out on a contact sheet.") { model, output, prompts, count, frames, width, height, job, guidance, steps, shift, seed };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            set_num_threads(1);
            using var sketch = new SketchModel(result.GetValue(model)!) { Guidance = result.GetValue(guidance), Steps = result.GetValue(steps), Shift = result.GetValue(shift) };
            int w = result.GetValue(width), h = result.GetValue(height), n = result.GetValue(frames);
            var random = SeededRandom.For(result.GetValue(seed), 71);
            string[] given = result.GetValue(prompts)!;
            List<Picture> pictures = [];
            const int Columns = 6;
            for (int i = 0; i < (given.Length > 0 ? given.Length : result.GetValue(count)); i++)
            {
                var scene = Scene.Sample(random);
                string prompt = given.Length > 0 ? given[i] : CaptionWriter.Write(scene, random);
                var watch = Stopwatch.StartNew();
                using var scope = NewDisposeScope();
                float[] clip = Generate(sketch, result.GetValue(job)!, scene, prompt, w, h, n, (long)result.GetValue(seed) + i, pictures, Columns);
                Console.WriteLine($"{i}: {prompt} ({watch.Elapsed.TotalSeconds:F1} s)");
                Row(pictures, clip, w, h, Columns);
            }

            PngFile.Write(result.GetValue(output)!, PngFile.Sheet(pictures, Columns));
            return 0;
        });
        return command;
    }

    // With context, the truth goes above the result.
    private static float[] Generate(SketchModel sketch, string job, Scene scene, string prompt, int w, int h, int n, long seed, List<Picture> pictures, int columns)
    {
        const int Context = SketchSizes.ContextFrames;
        if (job == "broll")
        {
            return sketch.Decode(sketch.Sample(prompt, new ConditionedLatents(ConditioningLayout.Forward(n, 0, 0)), w, h, seed));
        }

        bool fill = job == "fill";
        int all = Context + n + (fill ? Context : 0);
        all += (4 - (all - 1) % 4) % 4;
        float[] truth = SceneRenderer.RenderClip(scene, w, h, all, -all / 48.0);
        Row(pictures, truth, w, h, columns);
        var encoded = sketch.Encode(truth, all, w, h);
        if (job == "vae")
        {
            return sketch.Decode(encoded);
        }

        Tensor? after = fill ? sketch.Encode(VideoComparison.Cut(truth, w * h, Context + n, Context), Context, w, h) : null;
        var layout = ConditioningLayout.Forward(n, Context, fill ? Context : 0);
        return sketch.Decode(sketch.Sample(prompt, new ConditionedLatents(layout, encoded.narrow(2, 0, layout.HeadLatents), after), w, h, seed));
    }

    private static void Row(List<Picture> pictures, float[] clip, int w, int h, int columns)
    {
        int frames = clip.Length / (3 * w * h);
        for (int i = 0; i < columns; i++)
        {
            pictures.Add(SketchModel.Frame(clip, i * (frames - 1) / (columns - 1), w, h));
        }
    }
}
