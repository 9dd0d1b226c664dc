using EditorBridge.Media;
using EditorBridge.Planning;

namespace EditorBridge.Generation;

/// <summary>Lays the parts of a source video that were not to change over the delivered frames, as they are in the source and in its full resolution.</summary>
internal sealed class KeptPicture
{
    private readonly JobInputs inputs;
    private readonly MaskVideo? mask;
    private readonly CanvasPlacement whole;
    private readonly CanvasPlacement inner;
    private readonly int soft;
    private float[]? weights; // of the new picture, one a pixel
    private int weightsOf = -1;

    private KeptPicture(JobInputs inputs, Plan plan)
    {
        this.inputs = inputs;
        mask = plan.Request.Mask;
        var (width, height) = (plan.Request.Delivery.Width, plan.Request.Delivery.Height);
        whole = new CanvasPlacement(width, height, 0, 0, width, height, width, height);
        var padding = plan.Request.Padding ?? default;
        var (innerWidth, innerHeight) = (width - padding.Left - padding.Right, height - padding.Top - padding.Bottom);
        inner = new CanvasPlacement(width, height, padding.Left, padding.Top, innerWidth, innerHeight, innerWidth, innerHeight);
        // The border of an outpainted picture is blended over a little of the source.
        soft = mask is null ? Math.Max(1, Math.Min(innerWidth, innerHeight) / 60) : (int)Math.Round(mask.Feather);
    }

    /// <summary>For jobs that keep parts of a source; null for others.</summary>
    public static KeptPicture? Of(Plan plan, JobInputs inputs) => plan.Mechanism == Mechanism.MaskedVideo ? new KeptPicture(inputs, plan) : null;

    /// <summary>Lays what is kept over a frame.</summary>
    /// <param name="frame">A frame of the delivery's size; changed.</param>
    /// <param name="delivered">Which one.</param>
    public void Lay(VideoFrame frame, int delivered)
    {
        using var source = inputs.Frame(InputRole.Source, delivered)!;
        using var kept = inner.ToCanvas(source);
        var share = Weights(frame.Width, frame.Height, delivered);
        var to = frame.Pixels;
        var from = kept.Pixels;
        for (var i = 0; i < share.Length; i++)
        {
            var weight = share[i];
            for (var c = 3 * i; c < 3 * i + 3; c++) to[c] = (ushort)(from[c] + (to[c] - from[c]) * weight + 0.5f);
        }
    }

    private float[] Weights(int width, int height, int delivered)
    {
        var still = mask is null || mask.Video.Frames.Duration == 1;
        if (weights is not null && (still || weightsOf == delivered)) return weights;
        weights ??= new float[width * height];
        weightsOf = delivered;
        if (mask is null)
        {
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                    weights[y * width + x] = Border(x, y);
            return weights;
        }

        using var white = inputs.Frame(InputRole.Mask, delivered)!;
        using var laid = whole.ToCanvas(white);
        var pixels = laid.Pixels;
        for (var i = 0; i < weights.Length; i++)
        {
            var value = (pixels[3 * i] + pixels[3 * i + 1] + pixels[3 * i + 2]) / (3f * 65535);
            weights[i] = mask.Inverted ? 1 - value : value;
        }

        if (soft > 0) Blur(weights, width, height, soft);
        return weights;
    }

    // 1 around the source, falling to 0 within it; where the source reaches the edge of the picture it stays whole.
    private float Border(int x, int y)
    {
        var (left, right) = (x - inner.PictureX, inner.PictureX + inner.PictureWidth - 1 - x);
        var (top, bottom) = (y - inner.PictureY, inner.PictureY + inner.PictureHeight - 1 - y);
        var depth = float.MaxValue;
        if (inner.PictureX > 0) depth = Math.Min(depth, left);
        if (inner.PictureY > 0) depth = Math.Min(depth, top);
        if (inner.PictureX + inner.PictureWidth < whole.DeliveryWidth) depth = Math.Min(depth, right);
        if (inner.PictureY + inner.PictureHeight < whole.DeliveryHeight) depth = Math.Min(depth, bottom);
        return depth < 0 ? 1 : depth >= soft ? 0 : 1 - (depth + 1) / (soft + 1);
    }

    // A mean over a square, rows first and then columns.
    private static void Blur(float[] values, int width, int height, int radius)
    {
        var line = new float[Math.Max(width, height)];
        void Line(int start, int step, int count)
        {
            var sum = 0.0;
            for (var i = -radius; i <= radius; i++) sum += values[start + Math.Clamp(i, 0, count - 1) * step];
            for (var i = 0; i < count; i++)
            {
                line[i] = (float)(sum / (2 * radius + 1));
                sum += values[start + Math.Min(i + radius + 1, count - 1) * step] - values[start + Math.Max(i - radius, 0) * step];
            }

            for (var i = 0; i < count; i++) values[start + i * step] = line[i];
        }

        for (var y = 0; y < height; y++) Line(y * width, 1, width);
        for (var x = 0; x < width; x++) Line(x, width, height);
    }
}
