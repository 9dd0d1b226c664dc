using EditorBridge.Diffusion.Native;
using EditorBridge.Training.Dit;
using EditorBridge.Training.Scenes;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace EditorBridge.Training.Measure;

/// <summary>Renders scenes for <see cref="SceneClassifier"/> to learn from.</summary>
/// <param name="random">Decides the scenes.</param>
/// <param name="components">What the autoencoder keeps of a frame, near enough, for a hundredth of its work.</param>
/// <param name="coded">Share of the rendered looks that show only that: half of these frame by frame, half as part of the four frames of a latent.</param>
internal sealed class LookMaker(SeededRandom random, PrincipalComponents components, double coded)
{
    private const int Width = 2 * SceneClassifier.Columns, Height = 2 * SceneClassifier.Rows;
    private readonly SceneBalance _balance = new();

    /// <summary>Renders a scene on the canvas and scales it down, as <see cref="SceneClassifier.Look"/> does.</summary>
    /// <param name="choices">Scenes to choose from: the one whose facts were seen least.</param>
    public Look Render(int choices = 1)
    {
        var scene = _balance.Next(random, choices);
        double start = Start();
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
        return new Look(Bytes(F.avg_pool2d(looks, 2, stride: 2)), SceneFacts.Of(scene));
    }

    /// <summary>Renders a whole clip and shows what an autoencoder really leaves of it: some twenty times the work of <see cref="Render"/>.</summary>
    /// <param name="model">The autoencoder's model.</param>
    /// <param name="choices">Scenes to choose from: the one whose facts were seen least.</param>
    public Look Decode(SketchModel model, int choices = 1)
    {
        var scene = _balance.Next(random, choices);
        float[] clip = SceneRenderer.RenderClip(scene, Width, Height, SceneClassifier.Frames, Start());
        using var scope = NewDisposeScope();
        float[] decoded = model.Decode(model.Encode(clip, SceneClassifier.Frames, Width, Height));
        using var pause = CollectorPause.Begin();
        return new Look(Bytes(SceneClassifier.Look(tensor(decoded, [1, 3, SceneClassifier.Frames, Height, Width]))), SceneFacts.Of(scene));
    }

    // The second of a look is about the middle of the action, where the subject is in the picture.
    private double Start() => random.Between(-0.7, -0.3);

    private static byte[] Bytes(Tensor look) => ((look.clamp(-1, 1) + 1) * 127.5 + 0.5).to(uint8).contiguous().data<byte>().ToArray();
}
