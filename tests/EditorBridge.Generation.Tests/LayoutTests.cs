using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Planning;

namespace EditorBridge.Generation.Tests;

/// <summary>What generation lays out is what training lays out.</summary>
[Collection(Networks.Name)]
public class LayoutTests
{
    private static readonly ModelCapabilities Model = new()
    {
        Name = "sketch",
        CanvasRate = Timeline.FrameRate.F24,
        Sizes = [new CanvasSize(288, 160)],
        MaxFrames = 81,
        FirstFrame = ContextSupport.Trained,
        Before = ContextSupport.Trained,
        After = ContextSupport.Trained,
        Dim = 256,
        Layers = 8,
        FeedForward = 1024,
        TransformerParameters = 1,
        TextEncoderParameters = 1,
        VaeParameters = 1,
        VaeDecoderBase = 8,
    };

    [Fact]
    public void Every_single_window_has_the_layout_of_training()
    {
        foreach (var kind in (JobKind[])[JobKind.BRoll, JobKind.ExtendTail, JobKind.ExtendHead, JobKind.Fill])
            foreach (var k in (int[])[1, 5, 9])
                for (var n = 1; n <= 72; n++)
                {
                    var plan = Planner.Plan(TestJob.Request(kind, n, k: k), Model, SpeedFigures.Unknown);
                    var window = Assert.Single(plan.Windows);
                    var planned = WindowSampling.Layout(window);
                    var trained = plan.Backward
                        ? ConditioningLayout.Backward(n, window.AfterFrames)
                        : ConditioningLayout.Forward(n, window.BeforeFrames, window.AfterFrames);
                    Assert.Equal(trained.MainQuarters, planned.MainQuarters);
                    Assert.Equal(trained.AfterQuarters, planned.AfterQuarters);
                    Assert.Equal((trained.HeadLatents, trained.TailLatents), (planned.HeadLatents, planned.TailLatents));
                }
    }
}
