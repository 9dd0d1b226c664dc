using EditorBridge.Training.Scenes;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace EditorBridge.Training.Measure;

/// <summary>Looks at rendered scenes with their facts, in memory as bytes; new ones take the place of the oldest once it is full.</summary>
/// <param name="capacity">Looks in memory.</param>
/// <param name="random">Decides the scenes.</param>
/// <param name="components">What the autoencoder keeps of a frame, near enough, for a hundredth of its work.</param>
/// <param name="coded">Share of the looks that show only that.</param>
internal sealed class LookPool(int capacity, SeededRandom random, PrincipalComponents components, double coded)
{
    private const int Bytes = 5 * 3 * SceneClassifier.Rows * SceneClassifier.Columns;
    private readonly List<byte[]> _looks = [];
    private readonly List<long[]> _facts = [];
    private readonly SceneBalance _balance = new();
    private int _next;

    /// <summary>Looks in memory.</summary>
    public int Count => _looks.Count;

    /// <summary>The facts of each.</summary>
    public IReadOnlyList<long[]> Facts => _facts;

    /// <summary>Renders a scene on the canvas and scales it down, as <see cref="SceneClassifier.Look"/> does.</summary>
    /// <param name="choices">Scenes to choose from: the one whose facts were seen least.</param>
    public void Render(int choices = 1)
    {
        var scene = _balance.Next(random, choices);
        double start = random.Between(-0.8, -0.2);
        using var scope = NewDisposeScope();
        // Clips are [3, F, H, W]; here each frame is a clip of its own.
        var frames = cat(SceneClassifier.Looks.Select(frame => tensor(
            SceneRenderer.RenderClip(scene, 2 * SceneClassifier.Columns, 2 * SceneClassifier.Rows, 1, start + frame / 24.0), [1, 3, 2 * SceneClassifier.Rows, 2 * SceneClassifier.Columns])).ToList());
        frames = random.Chance(coded) ? components.Kept(frames) : frames;
        byte[] look = ((F.avg_pool2d(frames, 2, stride: 2).clamp(-1, 1) + 1) * 127.5 + 0.5).to(uint8).contiguous().data<byte>().ToArray();

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
}
