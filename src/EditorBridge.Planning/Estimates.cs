using EditorBridge.Models.Configs;

namespace EditorBridge.Planning;

/// <summary>Operations and time of a plan from the sizes of the model. Rough by nature: right within about a factor of one and a half.</summary>
public static class Estimates
{
    /// <summary>Tokens of one transformer pass of <paramref name="window"/>.</summary>
    public static long Tokens(ModelCapabilities model, CanvasSize canvas, WindowPlan window)
    {
        long cell = model.SpatialStride * model.Patch;
        return (window.Latents + (window.AfterInSlots ? 0 : window.AfterLatents)) * (canvas.Width / cell) * (canvas.Height / cell);
    }

    /// <summary>Operations of one transformer pass over <paramref name="tokens"/> tokens: 2·parameters·L + 4·L²·dim·layers.</summary>
    public static double TransformerFlops(ModelCapabilities model, long tokens) =>
        2.0 * model.TransformerParameters * tokens + 4.0 * tokens * tokens * model.Dim * model.Layers;

    /// <summary>
    /// Operations the VAE spends on one latent frame (four canvas frames) of decoding: six 3×3×3 convolutions a level, with half the area a side, and twice the
    /// channels, per level down, sum to about 1000·base² a pixel.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="canvas">Size of the pictures.</param>
    /// <param name="tile">Longest side in latents of the tiles it works in, whose overlaps are computed twice; 0 for whole pictures.</param>
    public static double DecodeFlops(ModelCapabilities model, CanvasSize canvas, int tile)
    {
        return 1000.0 * model.VaeDecoderBase * model.VaeDecoderBase * Computed(canvas.Width) * Computed(canvas.Height);

        double Computed(int pixels)
        {
            var axis = TileAxis.Of(pixels / model.SpatialStride, tile);
            return axis.Count == 1 ? pixels : axis.Count * axis.Length * model.SpatialStride;
        }
    }

    /// <summary>Time of all windows and takes.</summary>
    /// <param name="model">The model.</param>
    /// <param name="canvas">Size of the pictures.</param>
    /// <param name="windows">The windows of one take.</param>
    /// <param name="sampling">How they are sampled.</param>
    /// <param name="tile">Longest side in latents of the VAE's tiles; 0 for whole pictures.</param>
    /// <param name="takes">How many takes.</param>
    /// <param name="speed">What the machine does.</param>
    public static TimeEstimate Time(ModelCapabilities model, CanvasSize canvas, IReadOnlyList<WindowPlan> windows, SamplingPlan sampling, int tile, int takes, SpeedFigures speed)
    {
        if (speed.Basis == TimeBasis.Unknown || windows.Count == 0)
            return new TimeEstimate { Basis = speed.Basis, SamplingSeconds = 0, VaeSeconds = 0, TotalSeconds = 0 };
        var sampled = windows.Sum(w => TransformerFlops(model, Tokens(model, canvas, w))) * sampling.Passes * takes;
        // An encode costs about a third of a decode.
        var coded = windows.Sum(w => w.Latents + (w.BeforeLatents + w.AfterLatents) / 3.0) * DecodeFlops(model, canvas, tile) * takes;
        var samplingSeconds = sampled / speed.TransformerFlopsPerSecond;
        var vae = coded / speed.VaeFlopsPerSecond;
        const double StartSeconds = 3;
        return new TimeEstimate { Basis = speed.Basis, SamplingSeconds = samplingSeconds, VaeSeconds = vae, TotalSeconds = samplingSeconds + vae + StartSeconds };
    }
}
