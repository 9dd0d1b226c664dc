using System.CommandLine;
using System.Diagnostics;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Training.Dit;
using TorchSharp;
using static TorchSharp.torch;

namespace EditorBridge.Training;

/// <summary><c>cache</c>: renders scenes and stores their latents, in shards that training reads.</summary>
internal static class CacheCommand
{
    public static Command Create()
    {
        var vae = new Option<string>("--vae") { Description = "Folder of the video autoencoder.", Required = true };
        var output = new Option<string>("--out") { Description = "Folder for shards.", Required = true };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random stream; other seeds add other clips.", DefaultValueFactory = _ => 1 };
        var stages = new Option<int[]>("--stages") { Description = "How many shards of each stage: small, canvas, longer, longest.", Required = true, AllowMultipleArgumentsPerToken = true };
        var command = new Command("cache", "Renders and encodes training clips.") { vae, output, seed, stages };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            set_num_threads(1);
            using var network = WanVideoVae.Load(result.GetValue(vae)!);
            network.to(bfloat16);
            network.ConvolutionType = bfloat16;
            foreach (var parameter in network.parameters())
            {
                parameter.requires_grad = false;
            }

            string folder = result.GetValue(output)!;
            Directory.CreateDirectory(folder);
            int[] counts = result.GetValue(stages)!;
            // Stages take turns, so that training can begin before all shards are there.
            for (int i = 0; i < counts.Max(); i++)
            {
                for (int stage = 0; stage < counts.Length; stage++)
                {
                    if (i >= counts[stage])
                    {
                        continue;
                    }

                    string path = Path.Combine(folder, $"s{result.GetValue(seed)}-{stage}-{i:D4}.safetensors");
                    var random = SeededRandom.For(result.GetValue(seed), (ulong)(1000 * stage + i));
                    var plan = ShardPlan.Sample(random, stage);
                    if (!File.Exists(path))
                    {
                        var watch = Stopwatch.StartNew();
                        LatentShard.Make(path, network, random, plan.Width, plan.Height, plan.Frames, plan.Count);
                        Console.WriteLine($"{Path.GetFileName(path)} {plan} {watch.Elapsed.TotalSeconds:F1} s");
                    }
                }
            }

            return 0;
        });
        return command;
    }
}
