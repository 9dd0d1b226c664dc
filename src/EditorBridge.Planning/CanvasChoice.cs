namespace EditorBridge.Planning;

/// <summary>Chooses the canvas for a delivery size.</summary>
public static class CanvasChoice
{
    /// <summary>
    /// The trained size whose aspect is nearest. Within 5 % (1920×1080 on 288×160) each axis is scaled by itself and the whole picture stays; beyond, the picture keeps
    /// its aspect in the middle of the canvas. A square stays a square either way.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="width">Delivery width.</param>
    /// <param name="height">Delivery height.</param>
    public static CanvasPlan Choose(ModelCapabilities model, int width, int height)
    {
        var aspect = (double)width / height;
        double Misfit(CanvasSize s) => Math.Abs(Math.Log((double)s.Width / s.Height / aspect));
        var size = model.Sizes.OrderBy(Misfit).ThenByDescending(s => (long)s.Width * s.Height).First();
        if (Misfit(size) <= Math.Log(1.05))
            return Whole(model, size, CanvasFit.Stretch, size.Width, size.Height);
        var canvasAspect = (double)size.Width / size.Height;
        // Even sizes keep the picture's middle on a pixel.
        return aspect > canvasAspect
            ? Whole(model, size, CanvasFit.Inset, size.Width, Even(size.Width / aspect, size.Height))
            : Whole(model, size, CanvasFit.Inset, Even(size.Height * aspect, size.Width), size.Height);
    }

    private static int Even(double length, int most) => Math.Clamp((int)Math.Round(length / 2) * 2, 2, most);

    private static CanvasPlan Whole(ModelCapabilities model, CanvasSize size, CanvasFit fit, int width, int height) => new()
    {
        Size = size,
        Rate = model.CanvasRate,
        Fit = fit,
        PictureX = (size.Width - width) / 2,
        PictureY = (size.Height - height) / 2,
        PictureWidth = width,
        PictureHeight = height,
    };
}
