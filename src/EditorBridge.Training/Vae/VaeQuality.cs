using EditorBridge.Diffusion.Wan;
using EditorBridge.Training.Scenes;
using static TorchSharp.torch;

namespace EditorBridge.Training.Vae;

/// <summary>Peak signal-to-noise ratio of decoded clips that were not trained on.</summary>
internal static class VaeQuality
{
    /// <summary>A few small clips, for the log.</summary>
    public static (double Rendered, double Texture) Quick(WanVideoVae network)
    {
        var random = SeededRandom.For(999, 31);
        double rendered = 0, texture = 0;
        const int Count = 6, Frames = 9, Height = 96, Width = 160;
        for (int i = 0; i < Count; i++)
        {
            rendered += Psnr(network, SceneRenderer.RenderClip(Scene.Sample(random), Width, Height, Frames, random.Between(-1, 1)), Frames, Height, Width);
            texture += Psnr(network, TextureClip.Render(random, Width, Height, Frames), Frames, Height, Width);
        }

        return (rendered / Count, texture / Count);
    }

    /// <summary>PSNR in dB of one clip [3, F, H, W] through the autoencoder, streamed as at inference.</summary>
    public static double Psnr(WanVideoVae network, float[] clip, int frames, int height, int width)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var video = tensor(clip, [1, 3, frames, height, width]);
        var decoded = network.Decode(network.Encode(video));
        // Values span [-1, 1]: a peak of 2.
        return 10 * Math.Log10(4 / Math.Max(1e-10, (decoded - video).square().mean().item<float>()));
    }
}
