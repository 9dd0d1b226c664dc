using System.CommandLine;
using System.Diagnostics;
using EditorBridge.Training.Captions;
using EditorBridge.Training.Scenes;

namespace EditorBridge.Training;

/// <summary><c>render</c>: contact sheets of random scenes, to look at the training data.</summary>
internal static class RenderCommand
{
    public static Command Create()
    {
        var count = new Option<int>("--count") { Description = "How many scenes.", DefaultValueFactory = _ => 24 };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random stream.", DefaultValueFactory = _ => 1 };
        var frames = new Option<int>("--frames") { Description = "Pictures a scene, spread over three seconds.", DefaultValueFactory = _ => 1 };
        var width = new Option<int>("--width") { Description = "Pixels across.", DefaultValueFactory = _ => 288 };
        var height = new Option<int>("--height") { Description = "Rows.", DefaultValueFactory = _ => 160 };
        var columns = new Option<int>("--columns") { Description = "Pictures a row.", DefaultValueFactory = _ => 4 };
        var output = new Option<string>("--out") { Description = "PNG file to write.", Required = true };
        var command = new Command("render", "Renders random scenes as a contact sheet.") { count, seed, frames, width, height, columns, output };
        command.SetAction(result =>
        {
            var random = new SeededRandom(result.GetValue(seed));
            int n = result.GetValue(frames);
            List<Picture> pictures = [];
            var watch = new Stopwatch();
            for (int i = 0; i < result.GetValue(count); i++)
            {
                var scene = Scene.Sample(random);
                Console.WriteLine($"{i}: {CaptionWriter.Write(scene, random, complete: true)}");
                watch.Start();
                for (int f = 0; f < n; f++)
                {
                    pictures.Add(SceneRenderer.Render(scene, result.GetValue(width), result.GetValue(height), n == 1 ? 0 : -1.5 + 3.0 * f / (n - 1)));
                }

                watch.Stop();
            }

            Console.WriteLine($"{pictures.Count / watch.Elapsed.TotalSeconds:F0} frames a second");
            PngFile.Write(result.GetValue(output)!, PngFile.Sheet(pictures, result.GetValue(columns)));
            return 0;
        });
        return command;
    }
}
