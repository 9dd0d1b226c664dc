using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EditorBridge.Benchmarks;
using EditorBridge.Diffusion.Native;
using EditorBridge.Planning;
using static TorchSharp.torch;

if (HugePages.RunAgain(args) is { } ended)
    return ended;

string[] all = ["dit-1.3b", "dit-5b", "vae-2.1", "vae-2.2", "t5", "job-5b", "job-vace"];
var what = new Argument<string[]>("what") { Description = $"What to measure: {string.Join(", ", all)}; everything when not given.", DefaultValueFactory = _ => all };
what.AcceptOnlyFromAmong(all);
var folder = new Option<string?>("--folder") { Description = "Where weights are made, and deleted afterwards; a temporary folder when not given. All of them together need 45 GB." };
var keep = new Option<bool>("--keep") { Description = "Leave the weights, and use those that are there." };
var device = new Option<string>("--device") { Description = "all: the CPU, and the GPU where one works; auto, cpu, cuda, cuda:N or mps.", DefaultValueFactory = _ => "all" };
var threads = new Option<int>("--threads") { Description = "Threads.", DefaultValueFactory = _ => Environment.ProcessorCount };
var runs = new Option<int>("--runs") { Description = "Runs of each, of which the best counts.", DefaultValueFactory = _ => 3 };
var json = new Option<string?>("--json") { Description = "Where the figures are written as JSON.", DefaultValueFactory = _ => "benchmarks.json" };
var small = new Option<bool>("--small") { Description = "Networks of the same form a few kilobytes in size: tries the program, measures nothing." };

var root = new RootCommand("Measures the networks at full size with random weights.") { what, folder, keep, device, threads, runs, json, small };
root.SetAction(result =>
{
    var places = Places(result.GetValue(device)!);
    set_num_threads(result.GetValue(threads));
    var tiny = result.GetValue(small);
    var weights = Path.GetFullPath(result.GetValue(folder) ?? Path.Combine(Path.GetTempPath(), "editorbridge-benchmarks"));
    void Say(string line) => Console.Error.WriteLine(line);
    var (width, height) = tiny ? (64, 64) : (480, 272);
    var canvas = tiny ? new CanvasSize(64, 64) : new CanvasSize(256, 160);
    var measured = new List<Measurement>();
    NetworkBenchmarks On(ComputeDevice place) => new(place, result.GetValue(runs), Say);
    foreach (var name in result.GetValue(what)!)
    {
        measured.AddRange(name switch
        {
            "dit-1.3b" => With("t2v-1.3b", (on, path) => On(on).Transformer($"DiT 1.3B, {width}x{height}x17", path, width, height, 17, 8)),
            "dit-5b" => With("ti2v-5b", (on, path) => On(on).Transformer($"DiT 5B, {width}x{height}x17", path, width, height, 17, 16)),
            "vae-2.1" => With("vae-2.1", (on, path) => On(on).Vae($"VAE 2.1, a latent frame of {width}x{height}", path, width, height)),
            "vae-2.2" => With("vae-2.2", (on, path) => On(on).Vae($"VAE 2.2, a latent frame of {width}x{height}", path, width, height)),
            "t5" => With("umt5-xxl", (on, path) => On(on).TextEncoder("UMT5-XXL, 60 pieces", path, 60)),
            "job-5b" => With("model-ti2v-5b", (on, path) => new JobBenchmark(on, Say).Run($"TI2V-5B, a job of {canvas.Width}x{canvas.Height}x9, 2 steps", path, path, canvas, 9, 2)),
            _ => With("model-vace-1.3b", (on, path) => new JobBenchmark(on, Say).Run($"VACE 1.3B, a job of {canvas.Width}x{canvas.Height}x9, 2 steps", path, path, canvas, 9, 2)),
        });
    }

    Console.WriteLine(Table.Of(measured));
    if (result.GetValue(json) is { Length: > 0 } file)
        File.WriteAllText(file, JsonSerializer.Serialize(measured, MeasurementJson.Default.IReadOnlyListMeasurement) + "\n");
    return 0;

    IReadOnlyList<Measurement> With(string name, Func<ComputeDevice, string, Measurement> measure)
    {
        var path = Path.Combine(weights, name);
        var there = Directory.Exists(path) && result.GetValue(keep);
        if (!there)
        {
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
            Say(string.Create(CultureInfo.InvariantCulture, $"making {name} in {weights}"));
            if (name.StartsWith("model-", StringComparison.Ordinal))
                ModelWeights.Model(name["model-".Length..], path, tiny, canvas);
            else
                ModelWeights.Network(name, path, tiny);
        }

        try
        {
            return [.. places.Select(place => measure(place, path))];
        }
        finally
        {
            if (!result.GetValue(keep))
                Directory.Delete(path, recursive: true);
        }
    }
});

var model = new Argument<string>("model") { Description = $"Which: {string.Join(", ", ModelWeights.Models)}." };
model.AcceptOnlyFromAmong([.. ModelWeights.Models]);
var target = new Argument<string>("folder") { Description = "The new model's folder." };
var picture = new Option<string>("--canvas") { Description = "The one picture size it makes, in pixels; sides are multiples of 32.", DefaultValueFactory = _ => "256x160" };
var write = new Command("weights", "Writes a whole model of full size with random weights, for jobs through the real programs.") { model, target, picture, small };
write.SetAction(result =>
{
    if (result.GetValue(picture)!.Split('x') is not [var across, var down] || !int.TryParse(across, out var wide) || !int.TryParse(down, out var high))
    {
        Console.Error.WriteLine($"The canvas '{result.GetValue(picture)}' is not a size such as 256x160.");
        return 1;
    }

    NativeTorch.Load();
    ModelWeights.Model(result.GetValue(model)!, Path.GetFullPath(result.GetValue(target)!), result.GetValue(small), new CanvasSize(wide, high));
    return 0;
});
root.Subcommands.Add(write);
root.Subcommands.Add(PluginCommands.Queue());
root.Subcommands.Add(PluginCommands.Render());
root.Subcommands.Add(PluginCommands.Press());
return root.Parse(args).Invoke();

static IReadOnlyList<ComputeDevice> Places(string asked)
{
    if (asked != "all") return [ComputeDevice.Choose(asked).OrThrow()];
    var (cpu, best) = (ComputeDevice.Choose("cpu").OrThrow(), ComputeDevice.Choose("auto").OrThrow());
    return best.Device.type == TorchSharp.DeviceType.CPU ? [cpu] : [cpu, best];
}
