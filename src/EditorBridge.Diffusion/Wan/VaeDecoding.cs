using EditorBridge.Diffusion.Native;
using EditorBridge.Models.Configs;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Wan;

/// <summary>
/// A clip as it is decoded: latents go in one after the other, frames come out on the CPU. In tiles it needs memory for one tile at a time on the device; what the
/// others remember waits in main memory.
/// </summary>
/// <remarks>A tile does not see what lies outside of it, so frames made in tiles differ a little from those made whole; see <see cref="TileAxis"/> for the joins.</remarks>
public sealed class VaeDecoding : IDisposable
{
    private readonly WanVideoVae vae;
    private readonly int tile;
    private WanVideoVaeCache[] caches = [];

    /// <summary>Begins a clip.</summary>
    /// <param name="vae">The network.</param>
    /// <param name="tile">Longest side of a tile in latents; 0 for whole pictures.</param>
    public VaeDecoding(WanVideoVae vae, int tile = 0) => (this.vae, this.tile) = (vae, tile);

    /// <summary>Decodes the next latents.</summary>
    /// <param name="latents">[B, z, n, h, w], normalised, on the network's device; always of the same sizes.</param>
    /// <returns>[B, 3, 4n, s·h, s·w] in [-1, 1] on the CPU, s pixels a latent; at the clip's beginning 4n-3 frames.</returns>
    public Tensor Next(Tensor latents) => Decode(latents, goOn: true);

    /// <summary>What <see cref="Next"/> would give; the clip stays where it is.</summary>
    /// <inheritdoc cref="Next"/>
    public Tensor Peek(Tensor latents) => Decode(latents, goOn: false);

    private Tensor Decode(Tensor latents, bool goOn)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (TileAxis.Of(latents.size(3), tile), TileAxis.Of(latents.size(4), tile));
        if (caches.Length == 0)
            caches = [.. Enumerable.Range(0, rows.Count * columns.Count).Select(_ => new WanVideoVaeCache())];
        if (caches.Length == 1)
        {
            using var known = goOn ? null : Copy(caches[0]);
            return ComputeDevice.ToCpu(vae.DecodeChunk(latents, known ?? caches[0])).MoveToOuterDisposeScope();
        }

        var scale = vae.Config.ScaleFactorSpatial;
        Tensor? whole = null;
        for (var row = 0; row < rows.Count; row++)
        {
            for (var column = 0; column < columns.Count; column++)
            {
                using var piece = NewDisposeScope();
                var cache = caches[(row * columns.Count) + column];
                using var copy = goOn ? null : Copy(cache);
                var used = copy ?? cache;
                used.MoveTo(latents.device);
                var part = latents.narrow(3, rows.Start(row), rows.Length).narrow(4, columns.Start(column), columns.Length);
                var frames = ComputeDevice.ToCpu(vae.DecodeChunk(part, used));
                used.MoveTo(CPU);
                whole ??= zeros([frames.size(0), frames.size(1), frames.size(2), latents.size(3) * scale, latents.size(4) * scale]).MoveToOuterDisposeScope();
                frames.mul_(tensor(rows.Weights(row, scale)).unsqueeze(1)).mul_(tensor(columns.Weights(column, scale)));
                whole.narrow(3, rows.Start(row) * scale, rows.Length * scale).narrow(4, columns.Start(column) * scale, columns.Length * scale).add_(frames);
            }
        }

        return whole!.MoveToOuterDisposeScope();
    }

    private static WanVideoVaeCache Copy(WanVideoVaeCache cache) => WanVideoVaeCache.Restore(cache.Save());

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var cache in caches)
            cache.Dispose();
        caches = [];
    }
}
