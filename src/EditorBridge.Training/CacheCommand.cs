using System.CommandLine;
using System.Diagnostics;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Training.Dit;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;

namespace EditorBridge.Training;

/// <summary><c>cache</c>: renders scenes and stores their latents, in shards that training reads.</summary>
internal static class CacheCommand
{
    public static Command Create()
    {
        var components = new Option<string>("--components") { Description = "File of the components that latents hold; made when it is not there. Default: those of the shipped model.", DefaultValueFactory = _ => PrincipalComponents.Shipped };
        var vae = new Option<string?>("--vae") { Description = "Folder of the video autoencoder: contexts are as its encoder gives them, with its errors. Without it all latents are exact." };
        var output = new Option<string>("--out") { Description = "Folder for shards.", Required = true };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random stream; other seeds add other clips.", DefaultValueFactory = _ => 1 };
        var stages = new Option<int[]>("--stages") { Description = "How many shards of each stage: small, canvas, longer, longest, single frames (512 of them in a shard).", Required = true, AllowMultipleArgumentsPerToken = true };
        var command = new Command("cache", "Renders and encodes training clips.") { components, vae, output, seed, stages };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            set_num_threads(1);
            using var exact = PrincipalComponents.At(result.GetValue(components)!, VaeTrainer.Sizes.ZDim, Console.WriteLine);
            using var network = result.GetValue(vae) is { } vaeFolder ? WanVideoVae.Load(vaeFolder) : null;
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
                        if (stage == 4)
                        {
                            LatentShard.MakePictures(path, exact.Of, random, plan.Width, plan.Height, plan.Count);
                        }
                        else
                        {
                            LatentShard.Make(path, exact.Of, network is null ? exact.Of : network.Encode, random, plan.Width, plan.Height, plan.Frames, plan.Count);
                        }

                        Console.WriteLine($"{Path.GetFileName(path)} {plan} {watch.Elapsed.TotalSeconds:F1} s");
                    }
                }
            }

            return 0;
        });
        return command;
    }
}
