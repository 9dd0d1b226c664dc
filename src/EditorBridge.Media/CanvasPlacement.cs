namespace EditorBridge.Media;

/// <summary>
/// Where the delivery picture lies on a model's canvas, both ways: context frames are scaled into the place and mirrored beyond its edges, canvas
/// frames have the place cut out and scaled to the delivery size. What goes in at a pixel comes out at that pixel, so that generated and real frames
/// agree at a seam. Scalers are kept between frames; one placement serves one thread at a time.
/// </summary>
public sealed class CanvasPlacement
{
    private readonly Dictionary<(int Width, int Height), PictureScaler> toPlace = [];
    private PictureScaler? fromPlace;

    /// <summary>A placement.</summary>
    /// <param name="canvasWidth">Width of the canvas.</param>
    /// <param name="canvasHeight">Height of the canvas.</param>
    /// <param name="pictureX">Left edge of the place.</param>
    /// <param name="pictureY">Upper edge of the place.</param>
    /// <param name="pictureWidth">Width of the place.</param>
    /// <param name="pictureHeight">Height of the place.</param>
    /// <param name="deliveryWidth">Width of the delivered picture.</param>
    /// <param name="deliveryHeight">Height of the delivered picture.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side is not positive, or the place is not on the canvas.</exception>
    public CanvasPlacement(
        int canvasWidth, int canvasHeight, int pictureX, int pictureY, int pictureWidth, int pictureHeight, int deliveryWidth, int deliveryHeight)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pictureX);
        ArgumentOutOfRangeException.ThrowIfNegative(pictureY);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pictureWidth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(pictureHeight);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(deliveryWidth);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(deliveryHeight);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pictureX + pictureWidth, canvasWidth, nameof(pictureWidth));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pictureY + pictureHeight, canvasHeight, nameof(pictureHeight));
        (CanvasWidth, CanvasHeight) = (canvasWidth, canvasHeight);
        (PictureX, PictureY, PictureWidth, PictureHeight) = (pictureX, pictureY, pictureWidth, pictureHeight);
        (DeliveryWidth, DeliveryHeight) = (deliveryWidth, deliveryHeight);
    }

    /// <summary>Width of the canvas.</summary>
    public int CanvasWidth { get; }

    /// <summary>Height of the canvas.</summary>
    public int CanvasHeight { get; }

    /// <summary>Left edge of the place.</summary>
    public int PictureX { get; }

    /// <summary>Upper edge of the place.</summary>
    public int PictureY { get; }

    /// <summary>Width of the place.</summary>
    public int PictureWidth { get; }

    /// <summary>Height of the place.</summary>
    public int PictureHeight { get; }

    /// <summary>Width of the delivered picture.</summary>
    public int DeliveryWidth { get; }

    /// <summary>Height of the delivered picture.</summary>
    public int DeliveryHeight { get; }

    /// <summary>
    /// Lays a source frame on the canvas. A source of another aspect than the delivery's lies in the middle of the delivered picture with black
    /// beside it, as editors show it.
    /// </summary>
    /// <param name="source">A frame of any size; stays the caller's.</param>
    /// <returns>A frame of the canvas's size, the caller's to dispose.</returns>
    public VideoFrame ToCanvas(VideoFrame source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var (x, y, width, height) = ShownArea(source.Width, source.Height);
        if (!toPlace.TryGetValue((source.Width, source.Height), out var scaler))
            toPlace.Add((source.Width, source.Height), scaler = new PictureScaler(source.Width, source.Height, width, height));
        using var scaled = scaler.Scale(source);
        using var place = Pad(scaled, x, y);
        return Mirror(place);
    }

    /// <summary>Cuts the delivered picture out of a canvas frame.</summary>
    /// <param name="canvas">A frame of the canvas's size; stays the caller's.</param>
    /// <returns>A frame of the delivery's size, the caller's to dispose.</returns>
    /// <exception cref="ArgumentException">The frame is not of the canvas's size.</exception>
    public VideoFrame ToDelivery(VideoFrame canvas)
    {
        fromPlace ??= new PictureScaler(CanvasWidth, CanvasHeight, PictureX, PictureY, PictureWidth, PictureHeight, DeliveryWidth, DeliveryHeight);
        return fromPlace.Scale(canvas);
    }

    // The part of the place that a source of this size fills.
    private (int X, int Y, int Width, int Height) ShownArea(int width, int height)
    {
        var wider = (long)width * DeliveryHeight - (long)DeliveryWidth * height;
        // A pixel's worth of rounding (1998 × 1080 and the like, odd scans) is not a letterbox.
        if (Math.Abs(wider) * 100 <= (long)DeliveryWidth * height) return (0, 0, PictureWidth, PictureHeight);
        if (wider > 0)
        {
            var shown = Math.Clamp((int)Math.Round((double)PictureHeight * DeliveryWidth * height / ((double)DeliveryHeight * width)), 1, PictureHeight);
            return (0, (PictureHeight - shown) / 2, PictureWidth, shown);
        }
        else
        {
            var shown = Math.Clamp((int)Math.Round((double)PictureWidth * DeliveryHeight * width / ((double)DeliveryWidth * height)), 1, PictureWidth);
            return ((PictureWidth - shown) / 2, 0, shown, PictureHeight);
        }
    }

    private VideoFrame Pad(VideoFrame shown, int x, int y)
    {
        if (shown.Width == PictureWidth && shown.Height == PictureHeight) return shown.Clone();
        var place = VideoFrame.Rent(PictureWidth, PictureHeight);
        place.Pixels.Clear();
        for (var row = 0; row < shown.Height; row++)
            shown.Pixels.Slice(row * shown.Width * 3, shown.Width * 3).CopyTo(place.Pixels[(((y + row) * PictureWidth + x) * 3)..]);
        return place;
    }

    private VideoFrame Mirror(VideoFrame place)
    {
        if (PictureWidth == CanvasWidth && PictureHeight == CanvasHeight) return place.Clone();
        var canvas = VideoFrame.Rent(CanvasWidth, CanvasHeight);
        for (var row = 0; row < CanvasHeight; row++)
        {
            var from = place.Pixels.Slice(Reflect(row - PictureY, PictureHeight) * PictureWidth * 3, PictureWidth * 3);
            var to = canvas.Pixels.Slice(row * CanvasWidth * 3, CanvasWidth * 3);
            for (var column = 0; column < CanvasWidth; column++)
                from.Slice(Reflect(column - PictureX, PictureWidth) * 3, 3).CopyTo(to[(column * 3)..]);
        }

        return canvas;
    }

    // …2 1 0 | 0 1 2 … n−1 | n−1 n−2…
    private static int Reflect(int at, int length)
    {
        var period = 2 * length;
        var within = ((at % period) + period) % period;
        return within < length ? within : period - 1 - within;
    }
}
