using System.CommandLine;
using System.Globalization;
using EditorBridge.Diffusion.Native;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;

namespace EditorBridge.Training;

/// <summary><c>train vae</c> and <c>train dit</c>.</summary>
internal static class TrainCommand
{
    public static Command Create() => new("train", "Trains a part of the model; goes on where an earlier run in the same folder stopped.") { Vae() };

    private static Command Vae()
    {
        var folder = new Option<string>("--out") { Description = "Folder for state, weights and log.", Required = true };
        var minutes = new Option<double>("--minutes") { Description = "Length of the whole run.", Required = true };
        var rate = new Option<double>("--rate") { Description = "Peak learning rate.", DefaultValueFactory = _ => 2e-3 };
        var threads = new Option<int>("--threads") { Description = "Threads to compute with.", DefaultValueFactory = _ => 1 };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random streams.", DefaultValueFactory = _ => 1 };
        var full = new Option<bool>("--fp32") { Description = "Compute in fp32 throughout instead of bf16 with fp32 masters." };
        var from = new Option<string?>("--from") { Description = "Diffusers folder of weights to begin with." };
        var command = new Command("vae", "Trains the video autoencoder.") { folder, minutes, rate, threads, seed, full, from };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            set_num_threads(result.GetValue(threads));
            string out_ = result.GetValue(folder)!;
            Directory.CreateDirectory(out_);
            using var log = Log(out_);
            VaeTrainer.Run(
                new VaeTraining
                {
                    Folder = out_, Time = TimeSpan.FromMinutes(result.GetValue(minutes)), Seed = result.GetValue(seed),
                    Rate = result.GetValue(rate), HalfPrecision = !result.GetValue(full), From = result.GetValue(from),
                },
                line => Write(log, line));
            return 0;
        });
        return command;
    }

    private static StreamWriter Log(string folder) => new(Path.Combine(folder, "log.txt"), append: true) { AutoFlush = true };

    private static void Write(StreamWriter log, string line)
    {
        string stamped = $"{TimeProvider.System.GetUtcNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture)} {line}";
        log.WriteLine(stamped);
        Console.WriteLine(stamped);
    }
}
