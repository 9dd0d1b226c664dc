using EditorBridge.Training.Scenes;

namespace EditorBridge.Training.Measure;

/// <summary>The facts of a scene as class numbers, for classifiers.</summary>
public static class SceneFacts
{
    /// <summary>Names of the facts.</summary>
    public static IReadOnlyList<string> Names { get; } = ["time of day", "setting", "weather", "subject", "colour", "motion", "shot", "camera"];

    /// <summary>Number of classes of each fact.</summary>
    public static IReadOnlyList<int> Classes { get; } = [4, 7, 5, 8, 5, 6, 3, 7];

    /// <summary>The facts of a scene; -1 where a fact has no meaning.</summary>
    public static long[] Of(Scene scene)
    {
        bool subject = scene.Subject != Subject.None;
        return
        [
            (long)scene.Time, (long)scene.Setting, (long)scene.Weather, (long)scene.Subject, subject ? (long)scene.Colour : -1,
            subject ? (long)scene.Motion : -1, (long)scene.Shot, (long)scene.Camera,
        ];
    }

    /// <summary>The facts of the same scene seen in a mirror.</summary>
    public static long[] Mirrored(long[] facts) => [.. facts.Select((value, fact) => Mirrored(fact, value))];

    /// <summary>A class in a mirror: left is right.</summary>
    /// <param name="fact">Index into <see cref="Names"/>.</param>
    /// <param name="value">The class.</param>
    public static long Mirrored(int fact, long value) => (Names[fact], value) switch
    {
        ("motion", (long)SubjectMotion.Left) => (long)SubjectMotion.Right,
        ("motion", (long)SubjectMotion.Right) => (long)SubjectMotion.Left,
        ("camera", (long)CameraMove.PanLeft) => (long)CameraMove.PanRight,
        ("camera", (long)CameraMove.PanRight) => (long)CameraMove.PanLeft,
        _ => value,
    };

    /// <summary>Mean over the classes that occur of the share of right answers.</summary>
    public static double BalancedAccuracy(IReadOnlyList<long> truth, IReadOnlyList<long> guess, int classes)
    {
        double sum = 0;
        int present = 0;
        for (int c = 0; c < classes; c++)
        {
            int[] rows = [.. Enumerable.Range(0, truth.Count).Where(i => truth[i] == c)];
            if (rows.Length > 0)
            {
                present++;
                sum += rows.Count(i => guess[i] == c) / (double)rows.Length;
            }
        }

        return present == 0 ? double.NaN : sum / present;
    }
}
