using System.CommandLine;
using EditorBridge.Training.Captions;
using EditorBridge.Training.Scenes;

namespace EditorBridge.Training;

/// <summary><c>captions</c>: prints random captions; the SentencePiece vocabulary is made from them.</summary>
internal static class CaptionsCommand
{
    public static Command Create()
    {
        var count = new Option<int>("--count") { Description = "How many captions.", DefaultValueFactory = _ => 20 };
        var seed = new Option<ulong>("--seed") { Description = "Start of the random stream.", DefaultValueFactory = _ => 1 };
        var command = new Command("captions", "Prints random captions, one a line.") { count, seed };
        command.SetAction(result =>
        {
            var random = new SeededRandom(result.GetValue(seed));
            using var output = new StreamWriter(Console.OpenStandardOutput());
            for (int i = 0; i < result.GetValue(count); i++)
            {
                output.WriteLine(CaptionWriter.Write(Scene.Sample(random), random));
            }

            return 0;
        });
        return command;
    }
}
