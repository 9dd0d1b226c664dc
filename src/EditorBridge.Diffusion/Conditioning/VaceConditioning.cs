using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Conditioning;

/// <summary>
/// Makes the context of VACE models from a video, a mask and pictures of subjects (Jiang et al., "VACE", 2025; as in the Wan authors'
/// pipeline). In the mask 1 means: generate.
/// </summary>
public static class VaceConditioning
{
    private const int Cell = 8; // pixels a latent

    /// <summary>The context.</summary>
    /// <param name="vae">The model's VAE, that of 2.1.</param>
    /// <param name="video">[B, 3, F, H, W] in [-1, 1], F = 4n+1, sides in multiples of 16; zeros where there is nothing.</param>
    /// <param name="mask">[B, 1, F, H, W]: 1 generates, 0 keeps. Ones throughout make the video a guide to follow.</param>
    /// <param name="references">Pictures of subjects, each [B, 3, 1, H, W]; see <see cref="OnCanvas"/>.</param>
    /// <returns>[B, 96, references + n+1, H/8, W/8]; the noise needs as many latents, and the references' are dropped before decoding.</returns>
    public static Tensor Context(WanVideoVae vae, Tensor video, Tensor mask, IReadOnlyList<Tensor> references)
    {
        using var scope = NewDisposeScope();
        var (kept, changed) = Parts(video, mask);
        var latents = cat([vae.Encode(kept), vae.Encode(changed)], 1); // [B, 32, n+1, h, w]
        var subjects = references.Select(picture =>
        {
            var latent = vae.Encode(picture);
            return cat([latent, zeros_like(latent)], 1); // [B, 32, 1, h, w]
        });
        latents = cat([.. subjects, latents], 2);

        var cells = Mask(mask, latents.shape[2] - references.Count);
        if (references.Count > 0)
            cells = cat([cells.new_zeros([cells.shape[0], cells.shape[1], references.Count, cells.shape[3], cells.shape[4]]), cells], 2);
        return cat([latents, cells.to(latents.dtype)], 1).MoveToOuterDisposeScope();
    }

    /// <summary>The video apart: what is kept, and what is to change; grey (0) elsewhere.</summary>
    /// <param name="video">[B, 3, F, H, W].</param>
    /// <param name="mask">[B, 1, F, H, W]; above one half counts as 1.</param>
    public static (Tensor Kept, Tensor Changed) Parts(Tensor video, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var generate = (mask > 0.5).to(video.dtype);
        return ((video * (1 - generate)).MoveToOuterDisposeScope(), (video * generate).MoveToOuterDisposeScope());
    }

    /// <summary>A picture of a subject on a white canvas: as large as it fits, in the middle.</summary>
    /// <param name="picture">[B, 3, H, W] in [-1, 1].</param>
    /// <param name="width">The canvas, in pixels.</param>
    /// <param name="height">The canvas, in pixels.</param>
    /// <returns>[B, 3, 1, height, width].</returns>
    public static Tensor OnCanvas(Tensor picture, int width, int height)
    {
        using var scope = NewDisposeScope();
        var (h, w) = ((int)picture.shape[2], (int)picture.shape[3]);
        if ((h, w) == (height, width))
            return picture.unsqueeze(2).MoveToOuterDisposeScope();
        var scale = Math.Min((double)height / h, (double)width / w);
        var (rows, columns) = (Math.Max(1, (int)(h * scale)), Math.Max(1, (int)(w * scale)));
        var resized = nn.functional.interpolate(picture, size: [rows, columns], mode: InterpolationMode.Bilinear, align_corners: false);
        var (top, left) = ((height - rows) / 2, (width - columns) / 2);
        return nn.functional.pad(resized, [left, width - columns - left, top, height - rows - top], value: 1).unsqueeze(2).MoveToOuterDisposeScope();
    }

    // The mask as it is, not cut at one half: the pixels of a cell become channels, and of the frames of a latent one is taken.
    private static Tensor Mask(Tensor mask, long latents) // [B, 1, F, H, W] → [B, 64, T, h, w]
    {
        var (frames, h, w) = (mask.shape[2], mask.shape[3] / (2 * Cell) * 2, mask.shape[4] / (2 * Cell) * 2);
        var cells = mask.select(1, 0).reshape(mask.shape[0], frames, h, Cell, w, Cell)
            .permute(0, 3, 5, 1, 2, 4).reshape(mask.shape[0], Cell * Cell, frames, h, w);
        // Interpolation of the kind "nearest-exact", in float32 as torch has it: frame 1 for the first latent of a long clip, not 0.
        var step = (float)frames / latents;
        var chosen = Enumerable.Range(0, (int)latents).Select(i => Math.Min((long)MathF.Floor((i + 0.5f) * step), frames - 1)).ToArray();
        return cells.index_select(2, tensor(chosen, device: mask.device));
    }
}
