using static TorchSharp.torch;

namespace EditorBridge.Generation.Tests;

// One after the other with the tests that count live tensors.
[Collection(Networks.Name)]
public class SeamCorrectionTests
{
    [Fact]
    public void A_known_shift_is_found_and_taken_off()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var real = rand([1, 3, 5, 32, 48], generator: generator) - 0.5;
        var gain = tensor([0.95f, 1.0f, 1.05f]).view(1, 3, 1, 1, 1);
        var decoded = (real - 0.02) / gain;
        using var seam = SeamCorrection.Fit(decoded, real, after: false, 0, 20, bothEnds: false);
        Assert.Equal([0.95, 1.0, 1.05], seam.Report.Gain, (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.All(seam.Report.Offset, offset => Assert.Equal(0.02 * 127.5, offset, 2));
        Assert.True(seam.Report.ShiftBefore > 1);
        Assert.True(seam.Report.ShiftAfter < 0.01);
        Assert.True(seam.Report.ErrorAfter < 0.01);
        foreach (var index in (int[])[0, 10, 19])
        {
            var corrected = SeamCorrection.Apply(decoded[0, .., 2], seam, null, index, 20);
            Assert.True((corrected - real[0, .., 2]).abs().max().item<float>() < 1e-4);
        }
    }

    [Fact]
    public void Between_two_seams_one_turns_into_the_other()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var real = rand([1, 3, 1, 32, 48], generator: generator) - 0.5;
        using var start = SeamCorrection.Fit(real - 0.1, real, after: false, 0, 99, bothEnds: true);
        using var end = SeamCorrection.Fit(real + 0.1, real, after: true, 0, 99, bothEnds: true);
        var grey = zeros(3, 32, 48);
        Assert.Equal(0, start.Report.Miss);
        double At(int index) => SeamCorrection.Apply(grey, start, end, index, 99).mean().item<float>();
        Assert.Equal(0.098, At(0), 3);
        Assert.Equal(0, At(49), 3);
        Assert.Equal(-0.098, At(98), 3);
    }

    [Fact]
    public void A_poor_fit_cannot_recolour_a_clip()
    {
        using var scope = NewDisposeScope();
        var flat = full([1, 3, 1, 16, 16], 0.9f);
        using var seam = SeamCorrection.Fit(-flat, flat, after: false, 0, 200, bothEnds: false);
        Assert.All(seam.Report.Gain, gain => Assert.Equal(1, gain));
        Assert.All(seam.Report.Offset, offset => Assert.Equal(40, offset, 3));
    }

    [Fact]
    public void A_miss_is_measured_and_made_good_beside_the_seam()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var (before, after) = (full([1, 3, 5, 32, 48], -0.5f), full([1, 3, 5, 32, 48], 0.5f));
        using var start = SeamCorrection.Fit(before, before, after: false, 0, 120, bothEnds: true);
        using var end = SeamCorrection.Fit(after, after, after: true, 0, 120, bothEnds: true);
        // New frames that never leave the first shot.
        var stuck = full([3, 32, 48], -0.5f);
        SeamCorrection.Meet(stuck, stuck, start, end, 120);
        Assert.Equal(0, start.Report.Miss, 3);
        Assert.Equal(127.5, end.Report.Miss, 3);
        double At(int index) => SeamCorrection.Apply(stuck, start, end, index, 120).mean().item<float>();
        Assert.Equal(-0.5, At(0), 3);
        Assert.Equal(-0.5, At(60), 3);
        Assert.Equal(0.5, At(119), 2);
        Assert.True(At(100) > -0.4 && At(100) < 0.4);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Lost_detail_is_carried_over_the_seam_and_fades(bool after)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        var real = rand([1, 3, 5, 32, 48], generator: generator) - 0.5;
        // A blur of the real frames, as a VAE makes it.
        var decoded = nn.functional.avg_pool2d(real[0], 3, 1, 1).unsqueeze(0);
        using var seam = SeamCorrection.Fit(decoded, real, after, 0, 100, bothEnds: false);
        var at = after ? 0 : 4;
        double Difference(int distance)
        {
            var index = after ? 99 - distance : distance;
            var frame = SeamCorrection.Apply(decoded[0, .., at], after ? null : seam, after ? seam : null, index, 100);
            return (frame - real[0, .., at]).abs().mean().item<float>();
        }

        var differences = Enumerable.Range(0, 12).Select(Difference).ToArray();
        Assert.True(differences[0] < 0.1 * differences[11]);
        Assert.Equal(differences.Order(), differences);
        Assert.Equal(12, seam.Report.DetailFrames);
    }
}
