using EditorBridge.Training.Scenes;

namespace EditorBridge.Training.Measure;

/// <summary>
/// Chooses scenes so that every class of every fact is seen about as often. As they come, a balloon sinks in one scene of fifty: a
/// class that a hundred scenes lack is neither learnt nor measured, and shifts what chance would score.
/// </summary>
internal sealed class SceneBalance
{
    private readonly double[][] _seen = [.. SceneFacts.Classes.Select(classes => Enumerable.Repeat(1.0, classes).ToArray())];

    /// <summary>Draws scenes and takes the one whose facts were seen least.</summary>
    /// <param name="random">Source.</param>
    /// <param name="choices">Scenes to choose from; 1 takes them as they come.</param>
    public Scene Next(SeededRandom random, int choices)
    {
        var scene = Enumerable.Range(0, choices).Select(_ => Scene.Sample(random)).MaxBy(Rarity)!;
        foreach (var (fact, value) in Known(scene))
        {
            _seen[fact][value]++;
        }

        return scene;
    }

    private double Rarity(Scene scene) => Known(scene).Average(known => _seen[known.Fact].Sum() / (_seen[known.Fact][known.Value] * SceneFacts.Classes[known.Fact]));

    private static IEnumerable<(int Fact, long Value)> Known(Scene scene) => SceneFacts.Of(scene).Select((value, fact) => (fact, value)).Where(known => known.value >= 0);
}
