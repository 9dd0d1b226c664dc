using EditorBridge.Diffusion.Native;
using static TorchSharp.torch;

namespace EditorBridge.Generation.Tests;

public class SeamCorrectionTests
{
    public SeamCorrectionTests() => NativeTorch.Load();

    [Fact]
    public void A_known_shift_is_found_and_taken_off()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var real = rand([1, 3, 5, 16, 24], generator: generator) - 0.5;
        var gain = tensor([0.95f, 1.0f, 1.05f]).view(1, 3, 1, 1, 1);
        var decoded = (real - 0.02) / gain;
        using var seam = SeamCorrection.Fit(decoded, real, "before", 0);
        Assert.Equal([0.95, 1.0, 1.05], seam.Report.Gain, (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.All(seam.Report.Offset, offset => Assert.Equal(0.02 * 127.5, offset, 2));
        Assert.True(seam.Report.ShiftBefore > 1);
        Assert.True(seam.Report.ShiftAfter < 0.01);
        Assert.True(seam.Report.ErrorAfter < 0.01);
        var corrected = SeamCorrection.Apply(decoded[0, .., 2], seam, null, 0.5);
        Assert.True((corrected - real[0, .., 2]).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void Between_two_seams_one_turns_into_the_other()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var real = rand([1, 3, 1, 16, 24], generator: generator) - 0.5;
        using var start = SeamCorrection.Fit(real - 0.1, real, "before", 0);
        using var end = SeamCorrection.Fit(real + 0.1, real, "after", 0);
        var grey = zeros(3, 2, 2);
        double At(double position) => SeamCorrection.Apply(grey, start, end, position).mean().item<float>();
        Assert.Equal(0.1, At(0), 4);
        Assert.Equal(0, At(0.5), 4);
        Assert.Equal(-0.1, At(1), 4);
    }

    [Fact]
    public void A_poor_fit_cannot_recolour_a_clip()
    {
        using var scope = NewDisposeScope();
        var flat = full([1, 3, 1, 8, 8], 0.9f);
        using var seam = SeamCorrection.Fit(-flat, flat, "before", 0);
        Assert.All(seam.Report.Gain, gain => Assert.Equal(1, gain));
        Assert.All(seam.Report.Offset, offset => Assert.InRange(offset, 0, 16));
    }
}
