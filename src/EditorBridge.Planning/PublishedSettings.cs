using EditorBridge.Models.Variants;
using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>What the open Wan checkpoints were trained for and how their authors run them: the settings of models that come without <c>editorbridge.json</c>.</summary>
public static class PublishedSettings
{
    private static readonly CanvasSize[] Sizes480 = [new(832, 480), new(480, 832)];
    private static readonly CanvasSize[] Sizes720 = [new(1280, 720), new(720, 1280)];

    // The built-in list of defects that the authors' own programs use, and what their image models put in front.
    private const string Defects = "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走";
    private const string Shaking = "镜头晃动，";
    private const string Cutting = "镜头切换，";

    // TeaCache's polynomials on the modulation of the blocks, as its authors fitted them (use_ret_steps).
    private static readonly double[] TeaCacheSmall = [-5.21862437e4, 9.23041404e3, -5.28275948e2, 1.36987616e1, -4.99875664e-2];
    private static readonly double[] TeaCacheLarge = [-3.03318725e5, 4.90537029e4, -2.65530556e3, 5.87365115e1, -3.15583525e-1];
    private static readonly double[] TeaCacheImage480 = [2.57151496e5, -3.54229917e4, 1.40286849e3, -1.35890334e1, 1.32517977e-1];
    private static readonly double[] TeaCacheImage720 = [8.10705460e3, 2.13393892e3, -3.72934672e2, 1.66203073e1, -4.17769401e-2];

    private static readonly ModelSettings Text = new()
    {
        CanvasRate = new FrameRate(16),
        Sizes = Sizes480,
        MaxFrames = 81,
        FirstFrame = ContextSupport.None,
        Before = ContextSupport.None,
        After = ContextSupport.None,
        MaxContextFrames = 1,
        Steps = 50,
        Guidance = 5,
        Shift = 5,
        Sampler = "unipc",
        NegativePrompt = Defects,
    };

    /// <summary>Wan 2.2 TI2V-5B.</summary>
    public static readonly ModelSettings Ti2v = Text with
    {
        CanvasRate = FrameRate.F24,
        Sizes = [new CanvasSize(1280, 704), new CanvasSize(704, 1280)],
        MaxFrames = 121,
        FirstFrame = ContextSupport.Trained,
        Before = ContextSupport.BestEffort,
        After = ContextSupport.BestEffort,
    };

    /// <summary>The settings of a variant.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="pair">Whether there are two experts.</param>
    /// <param name="location">Where it lies: 480P and 720P image models differ in nothing but their names.</param>
    public static ModelSettings For(WanVariant variant, bool pair, string location)
    {
        var large = variant.Dim > 1536;
        var sizes = large ? [.. Sizes720, .. Sizes480] : Sizes480;
        switch (variant.Line)
        {
            case WanLine.TextImageToVideo22:
                return Ti2v;
            case WanLine.TextToVideo when pair:
                return Text with { Sizes = sizes, Steps = 40, Guidance = 4, LowNoiseGuidance = 3, Shift = 12 };
            case WanLine.TextToVideo:
                // What the authors advise for the small model; their program's own 5 and 5 are the large one's.
                return large ? Text with { Sizes = sizes, TeaCacheCoefficients = TeaCacheLarge } : Text with { Guidance = 6, Shift = 8, TeaCacheCoefficients = TeaCacheSmall };
            case WanLine.Vace:
                return Text with
                {
                    Sizes = sizes, FirstFrame = ContextSupport.Trained, Before = ContextSupport.Trained, After = ContextSupport.Trained, MaxContextFrames = 33, Shift = 16,
                };
            case WanLine.FirstLastFrame21:
                return Text with
                {
                    Sizes = Sizes720, FirstFrame = ContextSupport.Trained, After = ContextSupport.Trained, Shift = 16, NegativePrompt = Cutting + Shaking + Defects,
                };
            case WanLine.ImageToVideo22:
                return Text with
                {
                    Sizes = [.. Sizes720, .. Sizes480], FirstFrame = ContextSupport.Trained, After = ContextSupport.BestEffort, Steps = 40, Guidance = 3.5, LowNoiseGuidance = 3.5,
                };
            default:
                var small = !location.Contains("720", StringComparison.Ordinal);
                return Text with
                {
                    Sizes = small ? Sizes480 : Sizes720, FirstFrame = ContextSupport.Trained, Steps = 40, Shift = small ? 3 : 5, NegativePrompt = Shaking + Defects,
                    TeaCacheCoefficients = small ? TeaCacheImage480 : TeaCacheImage720,
                };
        }
    }

    /// <summary>Noise level, 0 to 1, at which the experts of a pair change over.</summary>
    /// <param name="line">The pair's line.</param>
    public static double Boundary(WanLine line) => line == WanLine.ImageToVideo22 ? 0.9 : 0.875;

    /// <summary>The family's name, such as "wan2.1-vace".</summary>
    /// <param name="line">The line.</param>
    /// <param name="pair">Whether there are two experts.</param>
    public static string Family(WanLine line, bool pair) => line switch
    {
        WanLine.TextImageToVideo22 => "wan2.2-ti2v",
        WanLine.TextToVideo => pair ? "wan2.2-t2v" : "wan2.1-t2v",
        WanLine.ImageToVideo21 => "wan2.1-i2v",
        WanLine.FirstLastFrame21 => "wan2.1-flf2v",
        WanLine.ImageToVideo22 => "wan2.2-i2v",
        _ => "wan2.1-vace",
    };
}
