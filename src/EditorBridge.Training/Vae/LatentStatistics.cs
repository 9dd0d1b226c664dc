using EditorBridge.Diffusion.Wan;
using EditorBridge.Models.Configs;
using EditorBridge.Training.Scenes;
using static TorchSharp.torch;

namespace EditorBridge.Training.Vae;

/// <summary>Mean and deviation of each latent channel over rendered scenes, so that normalised latents have unit variance.</summary>
internal static class LatentStatistics
{
    public static Wan22VaeConfig Measure(WanVideoVae network, Wan22VaeConfig config, ulong seed, int scenes = 24)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var random = SeededRandom.For(seed, 21);
        List<Tensor> all = [];
        for (int i = 0; i < scenes; i++)
        {
            using var inner = NewDisposeScope();
            const int Frames = 9, Height = 96, Width = 160;
            var clip = SceneRenderer.RenderClip(Scene.Sample(random), Width, Height, Frames, random.Between(-1.5, 1.2));
            var (mean, _) = network.EncodeMoments(tensor(clip, [1, 3, Frames, Height, Width]));
            all.Add(mean.transpose(0, 1).flatten(1).MoveToOuterDisposeScope()); // [z, n]
        }

        var values = cat(all, 1);
        return config with
        {
            LatentsMean = [.. values.mean([1]).to(float64).data<double>()],
            LatentsStd = [.. values.std(1).clamp_min(1e-3).to(float64).data<double>()],
        };
    }
}
