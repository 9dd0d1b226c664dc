using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>What the correction at one seam did; differences in levels of 255, over all context frames.</summary>
/// <param name="Side">"before" or "after".</param>
/// <param name="Window">The window whose context it was fitted on.</param>
/// <param name="Gain">Factor of R, G and B.</param>
/// <param name="Offset">Summand of R, G and B.</param>
/// <param name="ShiftBefore">Largest mean difference of a channel between decoded and real frames, uncorrected.</param>
/// <param name="ShiftAfter">The same with gain and offset.</param>
/// <param name="ErrorBefore">Mean absolute difference of decoded and real frames, uncorrected.</param>
/// <param name="ErrorAfter">The same with gain and offset: what the VAE loses, carried over the seam and faded out.</param>
/// <param name="Miss">Mean absolute difference, in cells of 16 pixels, between the new frame beside the seam and the real one: how far the model missed it.</param>
/// <param name="DetailFrames">Frames over which the lost detail fades.</param>
/// <param name="ShadeFrames">Frames over which the lost large-scale shading fades.</param>
public sealed record SeamReport(
    string Side, int Window, IReadOnlyList<double> Gain, IReadOnlyList<double> Offset, double ShiftBefore, double ShiftAfter, double ErrorBefore, double ErrorAfter,
    double Miss, int DetailFrames, int ShadeFrames);

/// <summary>
/// Brings decoded frames beside a seam to the real ones. Gain and offset of each channel take the VAE's colour shift off: the least-squares fit from context
/// frames as the VAE decodes them to the real ones, kept small, so that a poor fit cannot recolour a clip. Then two things are carried over the seam and faded
/// out: the fine detail that the VAE loses, within half a second, since things move on; and, in cells of 16 pixels, the shading by which the new frame beside the
/// seam misses the real one, within two.
/// </summary>
internal sealed class SeamCorrection : IDisposable
{
    private const double MostGain = 1.15;
    private const double MostOffset = 40 / 127.5;
    private const int Cell = 16;
    private const int MostDetailFrames = 12;
    private const int MostShadeFrames = 48;

    private readonly Tensor gain; // [3, 1, 1]
    private readonly Tensor offset; // [3, 1, 1]
    private readonly Tensor detail; // [3, H, W]
    private readonly Tensor real; // [3, H, W]
    private Tensor? shade; // [3, H, W]

    private SeamCorrection(Tensor gain, Tensor offset, Tensor detail, Tensor real, SeamReport report)
    {
        this.gain = gain.DetachFromDisposeScope();
        this.offset = offset.DetachFromDisposeScope();
        this.detail = detail.DetachFromDisposeScope();
        this.real = real.DetachFromDisposeScope();
        Report = report;
    }

    /// <summary>What it does.</summary>
    public SeamReport Report { get; private set; }

    /// <summary>Fits the correction.</summary>
    /// <param name="decoded">Context frames as the VAE decodes them, [1, 3, F, H, W].</param>
    /// <param name="real">The same frames.</param>
    /// <param name="after">Whether they follow the seam.</param>
    /// <param name="window">The window.</param>
    /// <param name="kept">Frames of the window that are kept.</param>
    /// <param name="bothEnds">Whether the window has a seam at its other end too.</param>
    /// <param name="neighbour">The real frame beside the new ones, [3, H, W], where it is not the nearest of <paramref name="real"/>.</param>
    public static SeamCorrection Fit(Tensor decoded, Tensor real, bool after, int window, int kept, bool bothEnds, Tensor? neighbour = null)
    {
        using var scope = NewDisposeScope();
        var x = decoded[0].flatten(1).to(float64); // [3, pixels]
        var y = real[0].flatten(1).to(float64);
        var (xMean, yMean) = (x.mean([1]), y.mean([1]));
        var centred = x - xMean.unsqueeze(1);
        var variances = centred.square().mean([1]).data<double>().ToArray();
        var covariances = (centred * (y - yMean.unsqueeze(1))).mean([1]).data<double>().ToArray();
        var (xs, ys) = (xMean.data<double>().ToArray(), yMean.data<double>().ToArray());
        var (gains, offsets) = (new double[3], new double[3]);
        for (var i = 0; i < 3; i++)
        {
            // A flat picture says nothing about the gain.
            gains[i] = variances[i] < 1e-4 ? 1 : Math.Clamp(covariances[i] / variances[i], 1 / MostGain, MostGain);
            offsets[i] = Math.Clamp(ys[i] - gains[i] * xs[i], -MostOffset, MostOffset);
        }

        var gain = tensor(gains, dtype: float64).view(3, 1);
        var offset = tensor(offsets, dtype: float64).view(3, 1);
        var corrected = x * gain + offset;
        double Shift(Tensor t) => (t.mean([1]) - yMean).abs().max().item<double>() * 127.5;
        double Error(Tensor t) => (t - y).abs().mean().item<double>() * 127.5;
        // Two seams share a window's frames; detail of one is gone before that of the other begins.
        var detailFrames = Math.Min(MostDetailFrames, bothEnds ? (kept + 1) / 2 : kept);
        var shadeFrames = Math.Min(MostShadeFrames, kept);
        var report = new SeamReport(
            after ? "after" : "before", window, gains, [.. offsets.Select(o => o * 127.5)], Shift(x), Shift(corrected), Error(x), Error(corrected), 0, detailFrames, shadeFrames);

        var (gain32, offset32) = (gain.to(float32).view(3, 1, 1), offset.to(float32).view(3, 1, 1));
        var at = after ? 0 : decoded.shape[2] - 1;
        var lost = real[0, .., at] - (decoded[0, .., at] * gain32 + offset32).clamp(-1, 1); // [3, H, W]
        return new SeamCorrection(gain32, offset32, lost - Cells(lost), (neighbour ?? real[0, .., at]).clone(), report);
    }

    /// <summary>Takes the measure of the new frames: each seam's shading is what brings the frame beside it to the real one.</summary>
    /// <param name="first">First kept frame as decoded, [3, H, W].</param>
    /// <param name="last">Last kept frame as decoded.</param>
    /// <param name="before">Correction at the start, or null.</param>
    /// <param name="after">Correction at the end, or null.</param>
    /// <param name="count">Kept frames.</param>
    public static void Meet(Tensor first, Tensor last, SeamCorrection? before, SeamCorrection? after, int count)
    {
        before?.Meet(Coloured(first, before, after, 0, count));
        after?.Meet(Coloured(last, before, after, count - 1, count));
    }

    /// <summary>Corrects a frame between two seams, or beside one.</summary>
    /// <param name="frame">[3, H, W].</param>
    /// <param name="before">Correction at the start, or null.</param>
    /// <param name="after">Correction at the end, or null.</param>
    /// <param name="index">Number of the frame among the kept ones, from 0.</param>
    /// <param name="count">Kept frames.</param>
    public static Tensor Apply(Tensor frame, SeamCorrection? before, SeamCorrection? after, int index, int count)
    {
        using var scope = NewDisposeScope();
        var corrected = Coloured(frame, before, after, index, count);
        if (before is not null) corrected = before.Carried(corrected, index);
        if (after is not null) corrected = after.Carried(corrected, count - 1 - index);
        return corrected.clamp(-1, 1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        gain.Dispose();
        offset.Dispose();
        detail.Dispose();
        real.Dispose();
        shade?.Dispose();
    }

    private static Tensor Coloured(Tensor frame, SeamCorrection? before, SeamCorrection? after, int index, int count)
    {
        using var scope = NewDisposeScope();
        if (before is null && after is null) return frame.clone().MoveToOuterDisposeScope();
        var position = (index + 1.0) / (count + 1);
        var gain = before is null ? after!.gain : after is null ? before.gain : before.gain + (after.gain - before.gain) * position;
        var offset = before is null ? after!.offset : after is null ? before.offset : before.offset + (after.offset - before.offset) * position;
        return (frame * gain + offset).clamp(-1, 1).MoveToOuterDisposeScope();
    }

    /// <summary>The means of cells of 16 pixels, smooth between their middles.</summary>
    private static Tensor Cells(Tensor picture)
    {
        using var scope = NewDisposeScope();
        return nn.functional.interpolate(
            nn.functional.avg_pool2d(picture.unsqueeze(0), Cell), [picture.shape[1], picture.shape[2]], mode: InterpolationMode.Bilinear, align_corners: false)[0]
            .clone().MoveToOuterDisposeScope();
    }

    private void Meet(Tensor own)
    {
        using var scope = NewDisposeScope();
        shade?.Dispose();
        shade = Cells(real - own).DetachFromDisposeScope();
        Report = Report with { Miss = shade.abs().mean().item<float>() * 127.5 };
    }

    // Distance 0 is the frame beside the seam.
    private Tensor Carried(Tensor frame, int distance)
    {
        var (fine, coarse) = (Fade(distance, Report.DetailFrames), Fade(distance, Report.ShadeFrames));
        var sum = fine > 0 ? frame + detail * fine : frame;
        return coarse > 0 && shade is not null ? sum + shade * coarse : sum;
    }

    // A raised cosine from one at the seam to zero.
    private static double Fade(int distance, int frames) => distance >= frames ? 0 : 0.5 + 0.5 * Math.Cos(Math.PI * (distance + 1) / (frames + 1));
}
