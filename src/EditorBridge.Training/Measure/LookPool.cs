using static TorchSharp.torch;

namespace EditorBridge.Training.Measure;

/// <summary>What <see cref="SceneClassifier"/> sees of one scene.</summary>
/// <param name="Pixels">Five frames as bytes, [5, 3, 80, 144].</param>
/// <param name="Facts">The scene's, as <see cref="SceneFacts"/> has them.</param>
internal sealed record Look(byte[] Pixels, long[] Facts)
{
    /// <summary>Bytes of a look.</summary>
    public const int Bytes = 5 * 3 * SceneClassifier.Rows * SceneClassifier.Columns;
}

/// <summary>Looks in memory; new ones take the place of the oldest once it is full.</summary>
/// <param name="capacity">Looks in memory.</param>
internal sealed class LookPool(int capacity)
{
    private readonly List<Look> _looks = [];
    private int _next;

    /// <summary>Looks in memory.</summary>
    public int Count => _looks.Count;

    /// <summary>Takes a look in.</summary>
    public void Add(Look look)
    {
        if (Count < capacity)
        {
            _looks.Add(look);
            return;
        }

        _looks[_next] = look;
        _next = (_next + 1) % capacity;
    }

    /// <summary>A batch: looks [B, 5, 3, 80, 144] in [-1, 1] and the facts of each.</summary>
    /// <param name="size">B.</param>
    /// <param name="chance">Decides which.</param>
    public (Tensor Looks, IReadOnlyList<long[]> Facts) Batch(int size, SeededRandom chance) => Rows([.. Enumerable.Range(0, size).Select(_ => chance.Next(Count))]);

    /// <summary>All looks from one on, in the order they were taken in.</summary>
    public (Tensor Looks, IReadOnlyList<long[]> Facts) Range(int first, int count) => Rows([.. Enumerable.Range(first, count)]);

    private (Tensor Looks, IReadOnlyList<long[]> Facts) Rows(int[] rows)
    {
        var bytes = new byte[rows.Length * Look.Bytes];
        for (int i = 0; i < rows.Length; i++)
        {
            _looks[rows[i]].Pixels.CopyTo(bytes, i * Look.Bytes);
        }

        using var scope = NewDisposeScope();
        var looks = tensor(bytes, [rows.Length, SceneClassifier.Looks.Count, 3, SceneClassifier.Rows, SceneClassifier.Columns]).to(float32) / 127.5f - 1;
        return (looks.MoveToOuterDisposeScope(), [.. rows.Select(r => _looks[r].Facts)]);
    }
}
