using EditorBridge.Timeline;

namespace EditorBridge.Planning.Tests;

/// <summary>Requests and models the tests start from.</summary>
internal static class Some
{
    public static readonly ModelCapabilities Sketch = new()
    {
        Name = "sketch",
        CanvasRate = FrameRate.F24,
        Sizes = [new CanvasSize(288, 160), new CanvasSize(160, 288), new CanvasSize(224, 224)],
        MaxFrames = 81,
        FirstFrame = ContextSupport.Trained,
        Before = ContextSupport.Trained,
        After = ContextSupport.Trained,
        TextLength = 64,
        Dim = 256,
        Layers = 8,
        FeedForward = 1024,
        TransformerParameters = 9_500_000,
        TextEncoderParameters = 2_600_000,
        VaeParameters = 4_000_000,
        VaeDecoderBase = 24,
    };

    public static ModelCapabilities Vace => Ti2v with
    {
        Name = "wan2.1-vace-1.3b",
        Conditioning = Conditioning.Vace,
        Sizes = [new CanvasSize(832, 480)],
        MaxFrames = 81,
        Dim = 1536,
        Layers = 45,
        FeedForward = 8960,
        LatentChannels = 16,
        TransformerParameters = 2_150_000_000,
        VaeParameters = 127_000_000,
        VaeDecoderBase = 96,
        VaePatch = 1,
        SpatialStride = 8,
    };

    public static readonly ModelCapabilities Ti2v = Sketch with
    {
        Name = "wan2.2-ti2v-5b",
        Sizes = [new CanvasSize(1280, 704), new CanvasSize(704, 1280)],
        MaxFrames = 121,
        Before = ContextSupport.BestEffort,
        After = ContextSupport.BestEffort,
        MaxContextFrames = 1,
        TextLength = 512,
        Dim = 3072,
        Layers = 30,
        FeedForward = 14336,
        TransformerParameters = 4_999_787_712,
        TextEncoderParameters = 5_680_910_336,
        VaeParameters = 704_688_668,
        VaeDecoderBase = 256,
        VaePatch = 2,
        BytesPerParameter = 2,
    };

    public static readonly FrameRate[] Rates =
    [
        FrameRate.F24, FrameRate.Film, FrameRate.Pal, FrameRate.Ntsc, new(30), new(50), new(60000, 1001), new(16),
    ];

    public static JobRequest Request(JobKind kind, int frames, FrameRate? rate = null, int k = 9, FrameRate? mediaRate = null) => new()
    {
        Kind = kind,
        Prompt = "a quiet sea at dusk",
        Delivery = new Delivery { Width = 1920, Height = 1080, Rate = rate ?? FrameRate.F24, Frames = frames },
        Before = kind is JobKind.ExtendTail or JobKind.Fill
            ? new ContextSource { Path = "before.mov", Rate = mediaRate ?? rate ?? FrameRate.F24, Frames = new FrameRange(100, 200) }
            : null,
        After = kind is JobKind.ExtendHead or JobKind.Fill
            ? new ContextSource { Path = "after.mov", Rate = mediaRate ?? rate ?? FrameRate.F24, Frames = new FrameRange(40, 200) }
            : null,
        ContextFrames = k,
    };

    public static Plan Plan(JobRequest request, ModelCapabilities? model = null)
    {
        var plan = Planner.Plan(request, model ?? Sketch, SpeedFigures.Unknown);
        Assert.Empty(plan.Refusals);
        return plan;
    }
}
