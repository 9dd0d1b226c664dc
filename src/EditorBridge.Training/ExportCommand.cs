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
        var output = new Option<string>("--out") { Description = "Model folder to write.", Required = true };
        var guidance = new Option<double>("--guidance") { Description = "Default guidance.", DefaultValueFactory = _ => 2 };
        var steps = new Option<int>("--steps") { Description = "Default solver steps.", DefaultValueFactory = _ => 20 };
        var shift = new Option<double>("--shift") { Description = "Default shift.", DefaultValueFactory = _ => 5 };
        var command = new Command("export", "Writes trained weights as a Diffusers folder in fp16.") { vae, dit, output, guidance, steps, shift };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            string folder = result.GetValue(output)!;
            using var network = WanVideoVae.Load(result.GetValue(vae)!);
            network.Save(Path.Combine(folder, "vae"), float16);
            using var transformer = SketchFolder.LoadTransformer(result.GetValue(dit)!);
            using var text = SketchFolder.LoadText(result.GetValue(dit)!);
            SketchFolder.Save(folder, transformer, text, float16);
            SketchFolder.SaveSettings(folder, result.GetValue(shift), result.GetValue(steps), result.GetValue(guidance));
            return 0;
        });
        return command;
    }
}
