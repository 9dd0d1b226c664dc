using EditorBridge.Diffusion.Native;
using EditorBridge.Training.Dit;
using EditorBridge.Training.Scenes;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace EditorBridge.Training.Measure;

/// <summary>Looks at rendered scenes with their facts, in memory as bytes; new ones take the place of the oldest once it is full.</summary>
/// <param name="capacity">Looks in memory.</param>
/// <param name="random">Decides the scenes.</param>
/// <param name="components">What the autoencoder keeps of a frame, near enough, for a hundredth of its work.</param>
/// <param name="coded">Share of the rendered looks that show only that: half of these frame by frame, half as part of the four frames of a latent.</param>
internal sealed class LookPool(int capacity, SeededRandom random, PrincipalComponents components, double coded)
{
    private const int Width = 2 * SceneClassifier.Columns, Height = 2 * SceneClassifier.Rows;
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
        bool kept = random.Chance(coded), together = kept && random.Chance(0.5);
        // A latent holds four frames; what moves between them is lost in it too.
        var parts = SceneClassifier.Looks.Select(frame =>
        {
            var (first, count) = together && frame > 0 ? (frame - (frame - 1) % 4, 4) : (frame, 1);
            return (At: frame - first, Count: count, Frames: SceneRenderer.RenderClip(scene, Width, Height, count, start + first / 24.0));
        }).ToList();
        using var pause = CollectorPause.Begin();
        using var scope = NewDisposeScope();
        var looks = cat(parts.Select(part =>
        {
            var frames = tensor(part.Frames, [1, 3, part.Count, Height, Width]);
            return (kept ? components.Kept(frames) : frames).select(2, part.At);
        }).ToList()); // [5, 3, 160, 288]
        Add(F.avg_pool2d(looks, 2, stride: 2), SceneFacts.Of(scene));
    }

    /// <summary>Renders a whole clip and shows what an autoencoder really leaves of it: some thirty times the work of <see cref="Render"/>.</summary>
    /// <param name="model">The autoencoder's model.</param>
    /// <param name="choices">Scenes to choose from: the one whose facts were seen least.</param>
    public void Decode(SketchModel model, int choices)
    {
        var scene = _balance.Next(random, choices);
        using var scope = NewDisposeScope();
        float[] clip = SceneRenderer.RenderClip(scene, Width, Height, SceneClassifier.Frames, random.Between(-0.8, -0.2));
        float[] decoded = model.Decode(model.Encode(clip, SceneClassifier.Frames, Width, Height));
        Add(SceneClassifier.Look(tensor(decoded, [1, 3, SceneClassifier.Frames, Height, Width])), SceneFacts.Of(scene));
    }

    /// <summary>A batch: looks [B, 5, 3, 80, 144] in [-1, 1] and the facts of each; another thread may add looks meanwhile.</summary>
    /// <param name="size">B.</param>
    /// <param name="chance">Decides which.</param>
    public (Tensor Looks, IReadOnlyList<long[]> Facts) Batch(int size, SeededRandom chance)
    {
        lock (_looks)
        {
            int[] rows = [.. Enumerable.Range(0, size).Select(_ => chance.Next(Count))];
            return (Stack(rows), [.. rows.Select(r => _facts[r])]);
        }
    }

    /// <summary>All looks from one on, in the order they were rendered.</summary>
    public (Tensor Looks, IReadOnlyList<long[]> Facts) Range(int first, int count)
    {
        int[] rows = [.. Enumerable.Range(first, count)];
        return (Stack(rows), [.. rows.Select(r => _facts[r])]);
    }

    private void Add(Tensor look, long[] facts)
    {
        byte[] bytes = ((look.clamp(-1, 1) + 1) * 127.5 + 0.5).to(uint8).contiguous().data<byte>().ToArray();
        lock (_looks)
        {
            if (Count < capacity)
            {
                _looks.Add(bytes);
                _facts.Add(facts);
            }
            else
            {
                (_looks[_next], _facts[_next]) = (bytes, facts);
                _next = (_next + 1) % capacity;
            }
        }
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
