using System.CommandLine;
using EditorBridge.Diffusion.Native;
using EditorBridge.Training.Dit;
using EditorBridge.Training.Measure;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;

namespace EditorBridge.Training;

/// <summary><c>looks</c>: renders what the classifier learns from, beside its training.</summary>
internal static class LooksCommand
{
    private const int Rendered = 128, Decoded = 8;

    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "Model folder whose autoencoder one look in seventeen goes through, which takes half of the time.", Required = true };
        var output = new Option<string>("--out") { Description = "Folder for the looks.", Required = true };
        var minutes = new Option<double>("--minutes") { Description = "How long.", DefaultValueFactory = _ => 60 };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random stream; another one than the classifier's.", DefaultValueFactory = _ => 61 };
        var command = new Command("looks", "Renders scenes for 'classifier --looks', in a process of its own.") { model, output, minutes, seed };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            set_num_threads(1);
            string folder = result.GetValue(output)!;
            Directory.CreateDirectory(folder);
            using var sketch = new SketchModel(result.GetValue(model)!);
            using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, Console.WriteLine);
            var watch = System.Diagnostics.Stopwatch.StartNew();
            for (ulong number = 0; watch.Elapsed.TotalMinutes < result.GetValue(minutes); number++)
            {
                string name = Path.Combine(folder, $"s{result.GetValue(seed)}-{number:D4}");
                if (File.Exists($"{name}-decoded.safetensors"))
                    continue;
                // Choosing alone would teach that balls always bounce: half of the scenes are as they come.
                var maker = new LookMaker(SeededRandom.For(result.GetValue(seed), number), components, coded: 0.8);
                LookShard.Write($"{name}-rendered.safetensors", [.. Enumerable.Range(0, Rendered).Select(i => maker.Render(i % 2 == 0 ? 6 : 1))], decoded: false);
                LookShard.Write($"{name}-decoded.safetensors", [.. Enumerable.Range(0, Decoded).Select(i => maker.Decode(sketch, i % 2 == 0 ? 6 : 1))], decoded: true);
                Console.WriteLine($"{number}: {watch.Elapsed.TotalSeconds:F0} s");
            }

            return 0;
        });
        return command;
    }
}
