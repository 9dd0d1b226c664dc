using System.Runtime.InteropServices;
using EditorBridge.Media;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>Between pictures and tensors on the canvas.</summary>
internal static class CanvasFrames
{
    /// <summary>The placement of a plan's delivery picture on its canvas.</summary>
    public static CanvasPlacement Placement(Plan plan)
    {
        var canvas = plan.Canvas;
        return new CanvasPlacement(
            canvas.Size.Width, canvas.Size.Height, canvas.PictureX, canvas.PictureY, canvas.PictureWidth, canvas.PictureHeight,
            plan.Request.Delivery.Width, plan.Request.Delivery.Height);
    }

    /// <summary>Reads frozen frames and lays them onto the canvas.</summary>
    /// <param name="reader">The frozen frames.</param>
    /// <param name="placement">Where the picture lies.</param>
    /// <returns>float32 [1, 3, F, H, W] in [−1, 1].</returns>
    public static Tensor Read(FrozenFramesReader reader, CanvasPlacement placement)
    {
        using var scope = NewDisposeScope();
        var frames = new Tensor[reader.Info.Count];
        for (var i = 0; i < frames.Length; i++)
        {
            using var source = reader.Read(i);
            frames[i] = Laid(source, placement);
        }

        return stack(frames, 1).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>A frame laid onto the canvas.</summary>
    /// <param name="source">Of any size; stays the caller's.</param>
    /// <param name="placement">Where the picture lies.</param>
    /// <returns>float32 [3, H, W] in [−1, 1].</returns>
    public static Tensor Laid(VideoFrame source, CanvasPlacement placement)
    {
        using var laid = placement.ToCanvas(source);
        var frame = empty(3, placement.CanvasHeight, placement.CanvasWidth);
        laid.ToPlanes(MemoryMarshal.Cast<byte, float>(frame.bytes));
        return frame;
    }

    /// <summary>A frame as a picture of 16 bits.</summary>
    /// <param name="frame">[3, H, W] in [−1, 1].</param>
    public static VideoFrame Picture(Tensor frame)
    {
        using var scope = NewDisposeScope();
        return VideoFrame.FromPlanes(MemoryMarshal.Cast<byte, float>(frame.contiguous().bytes), (int)frame.shape[2], (int)frame.shape[1]);
    }

    /// <summary>The delivery picture's part of a frame, as an 8-bit PNG file.</summary>
    /// <param name="frame">[3, H, W] in [−1, 1].</param>
    /// <param name="canvas">The canvas.</param>
    public static byte[] Png(Tensor frame, CanvasPlan canvas)
    {
        using var scope = NewDisposeScope();
        var part = frame.narrow(1, canvas.PictureY, canvas.PictureHeight).narrow(2, canvas.PictureX, canvas.PictureWidth);
        var rgb = ((part.clamp(-1, 1) + 1) * 127.5 + 0.5).to(ScalarType.Byte).permute(1, 2, 0).contiguous();
        return PngPicture.Encode(rgb.bytes, canvas.PictureWidth, canvas.PictureHeight);
    }
}
