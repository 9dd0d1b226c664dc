using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Safetensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace EditorBridge.Training.Measure;

/// <summary>
/// Tells the facts of a scene from a clip of 25 frames: five of them at 144x80, each cut into patches, then compared with each other by
/// residual convolutions. Judges whether generated clips show what the prompt says.
/// </summary>
public sealed class SceneClassifier : nn.Module<Tensor, IReadOnlyList<Tensor>>
{
    /// <summary>Frames of a clip.</summary>
    public const int Frames = 25;

    /// <summary>Pixels across of a look.</summary>
    public const int Columns = 144;

    /// <summary>Rows of a look.</summary>
    public const int Rows = 80;

    /// <summary>How far <see cref="Shifted"/> can move a look.</summary>
    internal const int MostShift = 10;

    /// <summary>The frames that are looked at.</summary>
    public static IReadOnlyList<int> Looks { get; } = [0, 6, 12, 18, 24];

    /// <summary>The file of the weights that <c>measure</c> judges with unless it is given others.</summary>
    public static string Shipped { get; } = Path.Combine(AppContext.BaseDirectory, "classifier.safetensors");

    private readonly Conv2d patches, mix;
    private readonly GroupNorm mix_norm;
    private readonly ModuleList<Conv2d> convolutions = new();
    private readonly ModuleList<GroupNorm> norms = new();
    private readonly Linear hidden, heads;

    /// <summary>Random weights.</summary>
    public SceneClassifier()
        : base(nameof(SceneClassifier))
    {
        patches = nn.Conv2d(3, 32, 6, stride: 4, padding: 1);
        mix = nn.Conv2d(32 * Looks.Count, Widths[0], 1);
        mix_norm = NewNorm(Widths[0]);
        for (int i = 0; i + 1 < Widths.Length; i++)
        {
            convolutions.Add(nn.Conv2d(Widths[i], Widths[i + 1], 3, stride: Widths[i] == Widths[i + 1] ? 1 : 2, padding: 1));
            norms.Add(NewNorm(Widths[i + 1]));
        }

        hidden = nn.Linear(Widths[^1] * 5 * 9, 192);
        heads = nn.Linear(192, SceneFacts.Classes.Sum());
        RegisterComponents();
    }

    private static int[] Widths { get; } = [64, 64, 64, 128, 128, 160, 160];

    /// <summary>Scores of every fact's classes.</summary>
    /// <param name="looks">[B, 5, 3, 80, 144] in [-1, 1] from <see cref="Look"/>.</param>
    public override IReadOnlyList<Tensor> forward(Tensor looks)
    {
        using var scope = NewDisposeScope();
        var x = F.silu(patches.call(looks.flatten(0, 1))); // [5B, 32, 20, 36]
        x = x.view(looks.size(0), -1, Rows / 4, Columns / 4); // [B, 160, 20, 36]
        x = F.silu(mix_norm.call(mix.call(x)));
        for (int i = 0; i < convolutions.Count; i++)
        {
            var y = F.silu(norms[i].call(convolutions[i].call(x)));
            x = Widths[i] == Widths[i + 1] ? x + y : y;
        }

        x = F.silu(hidden.call(F.dropout(x.flatten(1), 0.2, training)));
        return [.. heads.call(x).split(SceneFacts.Classes.Select(n => (long)n).ToArray(), 1).Select(t => t.MoveToOuterDisposeScope())];
    }

    /// <summary>What the classifier sees of clips [B, 3, 25, H, W]: five frames, [B, 5, 3, 80, 144].</summary>
    public static Tensor Look(Tensor clips)
    {
        using var scope = NewDisposeScope();
        var chosen = clips.index_select(2, tensor(Looks.Select(f => (long)f).ToArray())); // [B, 3, 5, H, W]
        return F.interpolate(chosen.transpose(1, 2).flatten(0, 1), [Rows, Columns], mode: InterpolationMode.Area)
            .view(clips.size(0), Looks.Count, 3, Rows, Columns).MoveToOuterDisposeScope();
    }

    /// <summary>The same looks moved in the picture by up to <see cref="MostShift"/> pixels each way; what comes in at an edge is the edge itself.</summary>
    /// <param name="looks">[B, 5, 3, 80, 144].</param>
    /// <param name="right">Columns.</param>
    /// <param name="down">Rows.</param>
    internal static Tensor Shifted(Tensor looks, int right, int down)
    {
        var x = F.pad(looks.flatten(0, 2).unsqueeze(0), [MostShift, MostShift, MostShift, MostShift], PaddingModes.Replicate);
        return x.narrow(2, MostShift - down, Rows).narrow(3, MostShift - right, Columns).reshape(looks.shape);
    }

    /// <summary>The likeliest class of every fact, for each clip, seen as it is and a little to each side, and all of that in a mirror.</summary>
    public long[][] Classify(Tensor looks)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        eval();
        Tensor[] shares = [.. SceneFacts.Classes.Select(classes => zeros(looks.size(0), classes))];
        foreach (var (right, down) in new[] { (0, 0), (6, 0), (-6, 0), (0, 6), (0, -6) })
        {
            using var inner = NewDisposeScope();
            var shifted = Shifted(looks, right, down);
            var seen = forward(shifted);
            var mirrored = forward(shifted.flip(4));
            for (int fact = 0; fact < shares.Length; fact++)
            {
                var back = tensor(Enumerable.Range(0, SceneFacts.Classes[fact]).Select(value => SceneFacts.Mirrored(fact, value)).ToArray());
                shares[fact].add_(F.softmax(seen[fact], 1) + F.softmax(mirrored[fact].index_select(1, back), 1));
            }
        }

        long[][] guesses = [.. shares.Select(share => share.argmax(1).data<long>().ToArray())];
        return [.. Enumerable.Range(0, (int)looks.size(0)).Select(clip => guesses.Select(g => g[clip]).ToArray())];
    }

    /// <summary>Reads weights written by <see cref="WeightSaver"/>.</summary>
    public static SceneClassifier Load(string path)
    {
        using var file = SafetensorsFile.Open(path).OrThrow();
        var network = new SceneClassifier();
        WeightLoader.Load(network, file);
        return network;
    }

    // TorchSharp 0.107 leaves the weights of a new GroupNorm as the memory was.
    private static GroupNorm NewNorm(int channels)
    {
        var norm = nn.GroupNorm(8, channels);
        nn.init.ones_(norm.weight);
        nn.init.zeros_(norm.bias);
        return norm;
    }
}
