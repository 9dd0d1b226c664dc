using System.CommandLine;
using EditorBridge.Training;

var root = new RootCommand("Renders, trains and measures the sketch model that ships with EditorBridge.")
{
    CaptionsCommand.Create(),
    RenderCommand.Create(),
    ShotCommand.Create(),
    CacheCommand.Create(),
    TrainCommand.Create(),
    SampleCommand.Create(),
    ExportCommand.Create(),
    LooksCommand.Create(),
    MeasureCommand.Classifier(),
    MeasureCommand.Create(),
};
return root.Parse(args).Invoke();
