using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Conditioning;

/// <summary>
/// What image-to-video transformers take behind the noise: a mask that says which frames are given, and the latents of a video that
/// holds them (the Wan authors' image-to-video and first-last-frame pipelines).
/// </summary>
public static class GivenFrames
{
    /// <summary>The size the reference would make of a picture: its aspect, about the wanted area, on the transformer's grid.</summary>
    /// <param name="width">The picture's, in pixels.</param>
    /// <param name="height">The picture's, in pixels.</param>
    /// <param name="area">Wanted, in pixels.</param>
    /// <param name="stride">Pixels a latent.</param>
    /// <param name="patch">Latents a token along a side.</param>
    /// <returns>In pixels.</returns>
    public static (int Width, int Height) Size(int width, int height, long area, int stride = 8, int patch = 2)
    {
        var aspect = (double)height / width;
        return (Side(Math.Sqrt(area / aspect)), Side(Math.Sqrt(area * aspect)));

        int Side(double length) => Math.Max(1, (int)(Math.Floor(length / stride) / patch)) * patch * stride;
    }

    /// <summary>A picture stretched to a size as the reference does it: bicubic, without smoothing first and without clamping.</summary>
    /// <param name="picture">[B, 3, H, W] in [-1, 1].</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    public static Tensor Stretched(Tensor picture, int width, int height)
        => nn.functional.interpolate(picture, size: [height, width], mode: InterpolationMode.Bicubic, align_corners: false);

    /// <summary>A clip that holds one or two pictures and is grey between.</summary>
    /// <param name="first">[B, 3, H, W] in [-1, 1].</param>
    /// <param name="last">The last frame, of the same shape; null without.</param>
    /// <param name="frames">Frames of the clip, 4n+1.</param>
    /// <returns>[B, 3, F, H, W].</returns>
    public static Tensor Clip(Tensor first, Tensor? last, int frames)
    {
        using var scope = NewDisposeScope();
        var grey = first.new_zeros([first.shape[0], 3, frames - (last is null ? 1 : 2), first.shape[2], first.shape[3]]);
        Tensor[] parts = last is null ? [first.unsqueeze(2), grey] : [first.unsqueeze(2), grey, last.unsqueeze(2)];
        return cat(parts, 2).MoveToOuterDisposeScope();
    }

    /// <summary>Mask and latents of a clip.</summary>
    /// <param name="vae">The model's VAE.</param>
    /// <param name="clip">[B, 3, F, H, W] in [-1, 1], F = 4n+1: the given frames in their places, grey (0) elsewhere.</param>
    /// <param name="given">Frames that are given, from 0.</param>
    /// <returns>[B, 4 + z, n+1, h, w]: channel c of the mask stands for frame 4t−3+c of latent t.</returns>
    public static Tensor Channels(WanVideoVae vae, Tensor clip, IReadOnlyCollection<int> given)
    {
        using var scope = NewDisposeScope();
        var latents = vae.Encode(clip); // [B, z, T, h, w]
        var (batch, rows, columns) = (latents.shape[0], latents.shape[3], latents.shape[4]);
        var group = vae.Config.ScaleFactorTemporal;
        var mask = new float[latents.shape[2] * group];
        foreach (var frame in given)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(frame, nameof(given));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frame, clip.shape[2], nameof(given));
            if (frame == 0)
                Array.Fill(mask, 1, 0, group); // the first latent holds one frame only
            else if (group + frame - 1 < mask.Length)
                mask[group + frame - 1] = 1;
        }

        var channels = tensor(mask).view(1, -1, group).transpose(1, 2) // [1, 4, T]
            .to(latents.device).unsqueeze(-1).unsqueeze(-1).expand(batch, group, latents.shape[2], rows, columns);
        return cat([channels, latents], 1).MoveToOuterDisposeScope();
    }
}
