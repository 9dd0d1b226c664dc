using EditorBridge.Training.Scenes;
using static TorchSharp.torch;

namespace EditorBridge.Training.Measure;

/// <summary>Looks at rendered scenes with their facts, in memory as bytes; new ones take the place of the oldest once it is full.</summary>
internal sealed class LookPool(int capacity, SeededRandom random)
{
    private const int Bytes = 5 * 3 * SceneClassifier.Rows * SceneClassifier.Columns;
    private readonly List<byte[]> _looks = [];
    private readonly List<long[]> _facts = [];
    private readonly double[][] _seen = [.. SceneFacts.Classes.Select(classes => Enumerable.Repeat(1.0, classes).ToArray())];
    private int _next;

    /// <summary>Looks in memory.</summary>
    public int Count => _looks.Count;

    /// <summary>The facts of each.</summary>
    public IReadOnlyList<long[]> Facts => _facts;

    /// <summary>Renders a scene on the canvas and scales it down, as <see cref="SceneClassifier.Look"/> does.</summary>
    /// <param name="choices">Scenes to choose from: the one whose facts were seen least. A balloon sinks in one scene of fifty.</param>
    public void Render(int choices = 1)
    {
        var scene = Enumerable.Range(0, choices).Select(_ => Scene.Sample(random)).MaxBy(Rarity)!;
        double start = random.Between(-0.8, -0.2);
        var look = new byte[Bytes];
        int at = 0;
        foreach (int frame in SceneClassifier.Looks)
        {
            var picture = Halved(SceneRenderer.Render(scene, 2 * SceneClassifier.Columns, 2 * SceneClassifier.Rows, start + frame / 24.0));
            picture.CopyTo(look, at);
            at += picture.Length;
        }

        foreach (var (fact, i) in SceneFacts.Of(scene).Select((fact, i) => (fact, i)).Where(known => known.fact >= 0))
        {
            _seen[i][fact]++;
        }

        if (Count < capacity)
        {
            _looks.Add(look);
            _facts.Add(SceneFacts.Of(scene));
        }
        else
        {
            (_looks[_next], _facts[_next]) = (look, SceneFacts.Of(scene));
            _next = (_next + 1) % capacity;
        }
    }

    private double Rarity(Scene scene) =>
        SceneFacts.Of(scene).Select((fact, i) => (fact, i)).Where(known => known.fact >= 0).Average(known => _seen[known.i].Sum() / (_seen[known.i][known.fact] * SceneFacts.Classes[known.i]));

    /// <summary>A batch: looks [B, 5, 3, 80, 144] in [-1, 1] and the facts of each.</summary>
    public (Tensor Looks, IReadOnlyList<long[]> Facts) Batch(int size)
    {
        int[] rows = [.. Enumerable.Range(0, size).Select(_ => random.Next(Count))];
        return (Stack(rows), [.. rows.Select(r => _facts[r])]);
    }

    /// <summary>All looks from one on, in the order they were rendered.</summary>
    public (Tensor Looks, IReadOnlyList<long[]> Facts) Range(int first, int count)
    {
        int[] rows = [.. Enumerable.Range(first, count)];
        return (Stack(rows), [.. rows.Select(r => _facts[r])]);
    }

    private Tensor Stack(int[] rows)
    {
        var bytes = new byte[rows.Length * Bytes];
        for (int i = 0; i < rows.Length; i++)
        {
            _looks[rows[i]].CopyTo(bytes, i * Bytes);
        }

        using var scope = NewDisposeScope();
        return (tensor(bytes, [rows.Length, SceneClassifier.Looks.Count, 3, SceneClassifier.Rows, SceneClassifier.Columns]).to(float32) / 127.5f - 1).MoveToOuterDisposeScope();
    }

    // Means of 2x2 pixels as planes of bytes, as scaling by area gives them.
    private static byte[] Halved(Picture picture)
    {
        const int Width = SceneClassifier.Columns, Height = SceneClassifier.Rows, Plane = Width * Height;
        var planes = new byte[3 * Plane];
        for (int row = 0; row < Height; row++)
        {
            for (int column = 0; column < Width; column++)
            {
                int at = 2 * row * picture.Width + 2 * column;
                var mean = (picture.Pixels[at] + picture.Pixels[at + 1] + picture.Pixels[at + picture.Width] + picture.Pixels[at + picture.Width + 1]) / 4;
                for (int c = 0; c < 3; c++)
                {
                    planes[c * Plane + row * Width + column] = (byte)(Math.Clamp(mean[c], 0, 1) * 255 + 0.5f);
                }
            }
        }

        return planes;
    }
}
