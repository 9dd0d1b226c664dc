namespace EditorBridge.Planning.Tests;

/// <summary>Windows of models that read given frames in their places within the clip.</summary>
public class WholeWindowChainTests
{
    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1, 0, false)]
    [InlineData(9, 0, false)]
    [InlineData(0, 0, true)]
    [InlineData(1, 4, true)]
    [InlineData(1, 2, true)]
    [InlineData(5, 1, false)]
    [InlineData(5, 3, false)]
    [InlineData(9, 5, false)]
    [InlineData(9, 9, false)]
    [InlineData(0, 9, false)]
    public void Forward_windows_deliver_every_frame_once_on_the_grid(int before, int after, bool lastAlone)
    {
        foreach (var chained in (int[])[before == 0 && after == 0 ? 0 : 1, 1, 9])
            for (var wanted = 1; wanted <= 200; wanted++)
            {
                var windows = WholeWindowChain.Forward(wanted, before, after, lastAlone, chained, 33);
                Covered(windows, wanted, backward: false);
                for (var i = 0; i < windows.Count; i++)
                {
                    var (w, last) = (windows[i], i == windows.Count - 1);
                    Assert.Equal(i == 0 ? before : chained, w.BeforeFrames);
                    Assert.Equal(w.BeforeFrames, w.Deliver.Start);
                    Assert.True(last || w.AfterFrames == 0);
                    Assert.True(w.Deliver.End + w.AfterFrames <= w.Frames);
                    if (!last || after == 0) continue;
                    Assert.InRange(w.AfterFrames, 1, after);
                    Assert.InRange(w.AfterSkipped, 0, Math.Min(3, w.AfterFrames - 1));
                    // Where enough can be read, what is given ends with the window, and what is generated with a latent.
                    if (lastAlone ? after >= 4 : after >= 7) Assert.Equal(w.Frames, w.Deliver.End + w.AfterFrames);
                    if (!lastAlone && after >= 7) Assert.Equal(1, (w.Deliver.End + w.AfterSkipped) % 4);
                    if (lastAlone) Assert.Equal(w.AfterFrames - 1, w.AfterSkipped);
                }
            }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(9)]
    public void Backward_windows_lead_up_to_the_cut(int after)
    {
        foreach (var chained in (int[])[1, 5, 9])
            for (var wanted = 1; wanted <= 200; wanted++)
            {
                var windows = WholeWindowChain.Backward(wanted, after, chained, 33);
                Covered(windows, wanted, backward: true);
                Assert.All(windows, w => Assert.Equal(w.Frames, w.Deliver.End + w.AfterFrames));
                Assert.InRange(windows[0].AfterFrames, 1, after);
                Assert.All(windows.Skip(1), w => Assert.Equal(ContextOrigin.Window, w.AfterOrigin));
            }
    }

    private static void Covered(IReadOnlyList<WindowPlan> windows, int wanted, bool backward)
    {
        var at = 0;
        foreach (var w in backward ? windows.Reverse() : windows)
        {
            Assert.Equal(at, w.WantedStart);
            Assert.True(w.Deliver.Duration > 0);
            at += (int)w.Deliver.Duration;
            Assert.Equal(1, w.Frames % 4);
            Assert.InRange(w.Frames, 1, 33);
            Assert.Equal((w.Frames - 1) / 4 + 1, w.Latents);
            Assert.Equal(w.Latents, w.BeforeLatents + w.GeneratedLatents);
        }

        Assert.Equal(wanted, at);
    }
}
