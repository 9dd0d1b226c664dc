using System.CommandLine;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Training.Dit;
using static TorchSharp.torch;

namespace EditorBridge.Training;

/// <summary><c>export</c>: writes trained weights as the model folder that ships.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var vae = new Option<string>("--vae") { Description = "Folder of the video autoencoder.", Required = true };
        var dit = new Option<string>("--dit") { Description = "Folder with transformer and text encoder.", Required = true };
        var other = new Option<string?>("--mean-with") { Description = "Folder of a transformer and a text encoder that those were trained from: each weight becomes the mean of both." };
        var output = new Option<string>("--out") { Description = "Model folder to write.", Required = true };
        var guidance = new Option<double>("--guidance") { Description = "Default guidance.", DefaultValueFactory = _ => 2 };
        var steps = new Option<int>("--steps") { Description = "Default solver steps.", DefaultValueFactory = _ => 20 };
        var shift = new Option<double>("--shift") { Description = "Default shift.", DefaultValueFactory = _ => 5 };
        var command = new Command("export", "Writes trained weights as a Diffusers folder in fp16.") { vae, dit, other, output, guidance, steps, shift };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            string folder = result.GetValue(output)!;
            using var network = WanVideoVae.Load(result.GetValue(vae)!);
            network.Save(Path.Combine(folder, "vae"), float16);
            using var transformer = SketchFolder.LoadTransformer(result.GetValue(dit)!);
            using var text = SketchFolder.LoadText(result.GetValue(dit)!);
            if (result.GetValue(other) is { } before)
            {
                using var oldTransformer = SketchFolder.LoadTransformer(before);
                using var oldText = SketchFolder.LoadText(before);
                Mean(transformer, oldTransformer);
                Mean(text, oldText);
            }

            SketchFolder.Save(folder, transformer, text, float16);
            SketchFolder.SaveSettings(folder, result.GetValue(shift), result.GetValue(steps), result.GetValue(guidance));
            return 0;
        });
        return command;
    }

    // Of weights that are not far from each other, the mean does most of what either does (Wortsman et al. 2022, arXiv:2109.01903).
    private static void Mean(nn.Module network, nn.Module other)
    {
        using var noGrad = no_grad();
        var others = other.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, parameter) in network.named_parameters())
        {
            using var scope = NewDisposeScope();
            parameter.copy_(parameter.to(float32).lerp(others[name].to(float32), 0.5));
        }
    }
}
