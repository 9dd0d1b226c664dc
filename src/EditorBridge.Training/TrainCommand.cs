using System.CommandLine;
using System.Globalization;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Text;
using EditorBridge.Training.Dit;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;

namespace EditorBridge.Training;

/// <summary><c>train vae</c> and <c>train dit</c>.</summary>
internal static class TrainCommand
{
    public static Command Create() => new("train", "Trains a part of the model; goes on where an earlier run in the same folder stopped.") { Vae(), Text(), Dit() };

    private static Command Vae()
    {
        var folder = new Option<string>("--out") { Description = "Folder for state, weights and log.", Required = true };
        var minutes = new Option<double>("--minutes") { Description = "Length of the whole run.", Required = true };
        var rate = new Option<double>("--rate") { Description = "Peak learning rate.", DefaultValueFactory = _ => 2e-3 };
        var threads = new Option<int>("--threads") { Description = "Threads to compute with.", DefaultValueFactory = _ => 1 };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random streams.", DefaultValueFactory = _ => 1 };
        var full = new Option<bool>("--fp32") { Description = "Compute in fp32 throughout, also where bf16 with fp32 masters would be faster." };
        var from = new Option<string?>("--from") { Description = "Diffusers folder of weights to begin with." };
        var device = new Option<string>("--device") { Description = "cpu, cuda, cuda:N, mps or auto.", DefaultValueFactory = _ => "cpu" };
        var components = new Option<string>("--components") { Description = "File of the components that latents hold; made when it is not there. Default: those of the shipped model.", DefaultValueFactory = _ => PrincipalComponents.Shipped };
        var decoder = new Option<bool>("--decoder-only") { Description = "Leave the encoder as it is: latents and what was trained on them stay valid." };
        var command = new Command("vae", "Trains the video autoencoder.") { folder, minutes, rate, threads, seed, full, from, decoder, components, device };
        command.SetAction(result =>
        {
            if (Chosen(result.GetValue(device)!) is not { } chosen)
                return 1;
            set_num_threads(result.GetValue(threads));
            string out_ = result.GetValue(folder)!;
            Directory.CreateDirectory(out_);
            using var log = Log(out_);
            VaeTrainer.Run(
                new VaeTraining
                {
                    Folder = out_, Time = TimeSpan.FromMinutes(result.GetValue(minutes)), Seed = result.GetValue(seed),
                    Rate = result.GetValue(rate), HalfPrecision = result.GetValue(full) ? false : null, From = result.GetValue(from),
                    DecoderOnly = result.GetValue(decoder), Components = result.GetValue(components)!, Device = chosen.Name,
                },
                line => Write(log, line));
            return 0;
        });
        return command;
    }

    private static Command Text()
    {
        var folder = new Option<string>("--out") { Description = "Folder for weights and log.", Required = true };
        var minutes = new Option<double>("--minutes") { Description = "Length of the run.", Required = true };
        var vocabulary = new Option<string>("--vocabulary") { Description = "SentencePiece model.", Required = true };
        var threads = new Option<int>("--threads") { Description = "Threads to compute with.", DefaultValueFactory = _ => 1 };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random streams.", DefaultValueFactory = _ => 1 };
        var command = new Command("text", "Warms the text encoder up on captions; writes it with a new transformer to begin 'train dit --from' with.")
        {
            folder, minutes, vocabulary, threads, seed,
        };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            set_num_threads(result.GetValue(threads));
            string target = result.GetValue(folder)!;
            Directory.CreateDirectory(target);
            using var log = Log(target);
            using var generator = new Generator(result.GetValue(seed), CPU);
            using var transformer = new EditorBridge.Diffusion.Wan.WanTransformer(SketchSizes.Transformer);
            using var text = new UMT5Encoder(SketchSizes.Text);
            transformer.Initialize(generator);
            text.Initialize(generator);
            TextWarmUp.Run(text, SentencePieceTokenizer.Load(result.GetValue(vocabulary)!), TimeSpan.FromMinutes(result.GetValue(minutes)), result.GetValue(seed), line => Write(log, line));
            SketchFolder.Save(target, transformer, text, float32);
            return 0;
        });
        return command;
    }

    private static Command Dit()
    {
        var folder = new Option<string>("--out") { Description = "Folder for state, weights and log.", Required = true };
        var shards = new Option<string>("--shards") { Description = "Folder of latents from 'cache'.", Required = true };
        var vocabulary = new Option<string>("--vocabulary") { Description = "SentencePiece model.", Required = true };
        var minutes = new Option<double>("--minutes") { Description = "Length of the whole run.", Required = true };
        var rate = new Option<double>("--rate") { Description = "Peak learning rate.", DefaultValueFactory = _ => 1.5e-3 };
        var tokens = new Option<int>("--tokens") { Description = "Tokens a batch.", DefaultValueFactory = _ => 1800 };
        var pictures = new Option<double[]>("--picture-share")
        {
            Description = "Share of the steps on single frames; two numbers for the share at the beginning and at the end.", Arity = new ArgumentArity(1, 2), AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [0.3],
        };
        var small = new Option<double>("--small-share") { Description = "Share of the run on small clips.", DefaultValueFactory = _ => 0.4 };
        var threads = new Option<int>("--threads") { Description = "Threads to compute with.", DefaultValueFactory = _ => 1 };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random streams.", DefaultValueFactory = _ => 1 };
        var full = new Option<bool>("--fp32") { Description = "Compute in fp32 throughout, also where bf16 would be faster." };
        var from = new Option<string?>("--from") { Description = "Diffusers folder of weights to begin with." };
        var device = new Option<string>("--device") { Description = "cpu, cuda, cuda:N, mps or auto.", DefaultValueFactory = _ => "cpu" };
        var command = new Command("dit", "Trains the transformer and the text encoder.") { folder, shards, vocabulary, minutes, rate, tokens, pictures, small, threads, seed, full, from, device };
        command.SetAction(result =>
        {
            if (Chosen(result.GetValue(device)!) is not { } chosen)
                return 1;
            set_num_threads(result.GetValue(threads));
            string target = result.GetValue(folder)!;
            Directory.CreateDirectory(target);
            using var log = Log(target);
            DitTrainer.Run(
                new DitTraining
                {
                    Folder = target, Shards = result.GetValue(shards)!, Vocabulary = result.GetValue(vocabulary)!, Time = TimeSpan.FromMinutes(result.GetValue(minutes)),
                    Rate = result.GetValue(rate), Tokens = result.GetValue(tokens), SmallShare = result.GetValue(small), PictureShare = result.GetValue(pictures)![0], LastPictureShare = result.GetValue(pictures)![^1], Seed = result.GetValue(seed),
                    HalfPrecision = result.GetValue(full) ? false : null, From = result.GetValue(from), Device = chosen.Name,
                },
                line => Write(log, line));
            return 0;
        });
        return command;
    }

    private static ComputeDevice? Chosen(string asked)
    {
        var choice = ComputeDevice.Choose(asked);
        if (!choice.Ok)
            Console.Error.WriteLine(choice.Problem);
        return choice.Value;
    }

    private static StreamWriter Log(string folder) => new(Path.Combine(folder, "log.txt"), append: true) { AutoFlush = true };

    private static void Write(StreamWriter log, string line)
    {
        string stamped = $"{TimeProvider.System.GetUtcNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture)} {line}";
        log.WriteLine(stamped);
        Console.WriteLine(stamped);
    }
}
