using System.CommandLine;
using EditorBridge.Diffusion.Native;
using EditorBridge.Training.Dit;
using EditorBridge.Training.Measure;
using static TorchSharp.torch;

namespace EditorBridge.Training;

/// <summary><c>measure</c> and <c>classifier</c>: the quality of a model folder as a table.</summary>
internal static class MeasureCommand
{
    public static Command Classifier()
    {
        var output = new Option<string>("--out") { Description = "Folder for state and weights; a run found there goes on.", Required = true };
        var minutes = new Option<double>("--minutes") { Description = "Length of the run.", DefaultValueFactory = _ => 60 };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random stream.", DefaultValueFactory = _ => 31 };
        var from = new Option<string?>("--from") { Description = "Weights to begin with, such as src/EditorBridge.Training/Measure/classifier.safetensors." };
        var looks = new Option<string?>("--looks") { Description = "Folder of looks from 'looks', which may go on making them on another core; without it they are rendered between the steps." };
        var command = new Command("classifier", "Trains the classifier that 'measure' judges generated clips with.") { output, minutes, seed, from, looks };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            set_num_threads(1);
            ClassifierTrainer.Run(
                new ClassifierTraining
                {
                    Folder = result.GetValue(output)!, Time = TimeSpan.FromMinutes(result.GetValue(minutes)), Seed = result.GetValue(seed), From = result.GetValue(from),
                    Looks = result.GetValue(looks),
                },
                Console.WriteLine);
            return 0;
        });
        return command;
    }

    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "Model folder.", Required = true };
        var classifier = new Option<string>("--classifier") { Description = "File from 'classifier'.", DefaultValueFactory = _ => SceneClassifier.Shipped };
        var clips = new Option<int>("--clips") { Description = "Generated clips; 24 take about ten minutes on one core.", DefaultValueFactory = _ => 24 };
        var prompts = new Option<int>("--prompts") { Description = "Clips generated from words alone for the classifier.", DefaultValueFactory = _ => 96 };
        var judged = new Option<int>("--judged") { Description = "Decoded renders that show how far the classifier is to be trusted.", DefaultValueFactory = _ => 200 };
        var output = new Option<string?>("--json") { Description = "JSON file to write." };
        var width = new Option<int>("--width") { Description = "Pixels across.", DefaultValueFactory = _ => 288 };
        var height = new Option<int>("--height") { Description = "Rows.", DefaultValueFactory = _ => 160 };
        var guidance = new Option<double>("--guidance") { Description = "Guidance scale.", DefaultValueFactory = _ => 2 };
        var command = new Command("measure", "Measures a model folder and prints a table.") { model, classifier, clips, prompts, judged, output, width, height, guidance };
        command.SetAction(result =>
        {
            NativeTorch.Load();
            set_num_threads(1);
            using var sketch = new SketchModel(result.GetValue(model)!) { Guidance = result.GetValue(guidance) };
            using var judge = SceneClassifier.Load(result.GetValue(classifier)!);
            var table = new SketchQuality(sketch, judge, result.GetValue(width), result.GetValue(height), Console.Error.WriteLine).Run(result.GetValue(clips), result.GetValue(prompts), result.GetValue(judged));
            Console.WriteLine(table.ToMarkdown());
            if (result.GetValue(output) is { } file)
            {
                File.WriteAllText(file, table.ToJson());
            }

            return 0;
        });
        return command;
    }
}
