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
    public static double DecodeFlops(ModelCapabilities model, CanvasSize canvas) =>
        1000.0 * model.VaeDecoderBase * model.VaeDecoderBase * canvas.Width * canvas.Height;

    /// <summary>Time of all windows and takes.</summary>
    public static TimeEstimate Time(ModelCapabilities model, CanvasSize canvas, IReadOnlyList<WindowPlan> windows, SamplingPlan sampling, int takes, SpeedFigures speed)
    {
        if (speed.Basis == TimeBasis.Unknown || windows.Count == 0)
            return new TimeEstimate { Basis = speed.Basis, SamplingSeconds = 0, VaeSeconds = 0, TotalSeconds = 0 };
        var sampled = windows.Sum(w => TransformerFlops(model, Tokens(model, canvas, w))) * sampling.Passes * takes;
        // An encode costs about a third of a decode.
        var coded = windows.Sum(w => w.Latents + (w.BeforeLatents + w.AfterLatents) / 3.0) * DecodeFlops(model, canvas) * takes;
        var samplingSeconds = sampled / speed.TransformerFlopsPerSecond;
        var vae = coded / speed.VaeFlopsPerSecond;
        const double StartSeconds = 3;
        return new TimeEstimate { Basis = speed.Basis, SamplingSeconds = samplingSeconds, VaeSeconds = vae, TotalSeconds = samplingSeconds + vae + StartSeconds };
    }
}
