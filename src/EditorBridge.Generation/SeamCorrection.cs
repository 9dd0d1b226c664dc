using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>What the colour correction at one seam did.</summary>
/// <param name="Side">"before" or "after".</param>
/// <param name="Window">The window whose context it was fitted on.</param>
/// <param name="Gain">Factor of R, G and B.</param>
/// <param name="Offset">Summand of R, G and B, in 1/255 of the full range.</param>
/// <param name="ShiftBefore">Mean difference of decoded and real context frames per channel, largest channel, in 1/255, uncorrected.</param>
/// <param name="ShiftAfter">The same with the correction.</param>
/// <param name="ErrorBefore">Mean absolute difference of decoded and real context frames, in 1/255, uncorrected.</param>
/// <param name="ErrorAfter">The same with the correction.</param>
public sealed record SeamReport(
    string Side, int Window, IReadOnlyList<double> Gain, IReadOnlyList<double> Offset, double ShiftBefore, double ShiftAfter, double ErrorBefore, double ErrorAfter);

/// <summary>
/// A gain and an offset per channel that take the VAE's colour shift off: the least-squares fit from context frames as the VAE decodes them to the real ones.
/// Kept small, so that a poor fit cannot recolour a clip.
/// </summary>
internal sealed class SeamCorrection : IDisposable
{
    private const double MostGain = 1.15;
    private const double MostOffset = 16 / 127.5;

    private SeamCorrection(Tensor gain, Tensor offset, SeamReport report)
    {
        Gain = gain;
        Offset = offset;
        Report = report;
    }

    /// <summary>[3, 1, 1].</summary>
    public Tensor Gain { get; }

    /// <summary>[3, 1, 1].</summary>
    public Tensor Offset { get; }

    /// <summary>What it does to the context frames.</summary>
    public SeamReport Report { get; }

    /// <summary>Fits the correction.</summary>
    /// <param name="decoded">[1, 3, F, H, W].</param>
    /// <param name="real">The same frames.</param>
    /// <param name="side">"before" or "after".</param>
    /// <param name="window">The window.</param>
    public static SeamCorrection Fit(Tensor decoded, Tensor real, string side, int window)
    {
        using var scope = NewDisposeScope();
        var x = decoded[0].flatten(1).to(float64); // [3, pixels]
        var y = real[0].flatten(1).to(float64);
        var (xMean, yMean) = (x.mean([1]), y.mean([1]));
        var centred = x - xMean.unsqueeze(1);
        var variance = centred.square().mean([1]);
        var covariance = (centred * (y - yMean.unsqueeze(1))).mean([1]);
        var (xs, ys, v, c) = (xMean.data<double>().ToArray(), yMean.data<double>().ToArray(), variance.data<double>().ToArray(), covariance.data<double>().ToArray());
        var (gain, offset) = (new double[3], new double[3]);
        for (var i = 0; i < 3; i++)
        {
            // A flat picture says nothing about the gain.
            gain[i] = v[i] < 1e-4 ? 1 : Math.Clamp(c[i] / v[i], 1 / MostGain, MostGain);
            offset[i] = Math.Clamp(ys[i] - gain[i] * xs[i], -MostOffset, MostOffset);
        }

        var (gains, offsets) = (tensor(gain, dtype: float64), tensor(offset, dtype: float64));
        var corrected = x * gains.unsqueeze(1) + offsets.unsqueeze(1);
        double Shift(Tensor t) => (t.mean([1]) - yMean).abs().max().item<double>() * 127.5;
        double Error(Tensor t) => (t - y).abs().mean().item<double>() * 127.5;
        var report = new SeamReport(side, window, gain, [.. offset.Select(o => o * 127.5)], Shift(x), Shift(corrected), Error(x), Error(corrected));
        return new SeamCorrection(
            gains.to(float32).view(3, 1, 1).DetachFromDisposeScope(), offsets.to(float32).view(3, 1, 1).DetachFromDisposeScope(), report);
    }

    /// <summary>Corrects a frame that lies between two seams, or beside one.</summary>
    /// <param name="frame">[3, H, W].</param>
    /// <param name="before">Correction at the start, or null.</param>
    /// <param name="after">Correction at the end, or null.</param>
    /// <param name="position">0 at the start, 1 at the end.</param>
    public static Tensor Apply(Tensor frame, SeamCorrection? before, SeamCorrection? after, double position)
    {
        using var scope = NewDisposeScope();
        var (gain, offset) = (before, after) switch
        {
            (null, null) => (null, null),
            ({ } b, null) => (b.Gain, b.Offset),
            (null, { } a) => (a.Gain, a.Offset),
            ({ } b, { } a) => (lerp(b.Gain, a.Gain, position), lerp(b.Offset, a.Offset, position)),
        };
        if (gain is null) return frame.alias().MoveToOuterDisposeScope();
        return (frame * gain + offset!).clamp(-1, 1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Gain.Dispose();
        Offset.Dispose();
    }
}
