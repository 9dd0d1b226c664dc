using CsCheck;

namespace EditorBridge.Media.Tests;

public class CanvasPlacementTests
{
    private static VideoFrame Smooth(int width, int height)
    {
        var frame = VideoFrame.Rent(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (u, v) = ((x + 0.5) / width, (y + 0.5) / height);
                var p = (y * width + x) * 3;
                frame.Pixels[p] = (ushort)(65535 * u);
                frame.Pixels[p + 1] = (ushort)(65535 * v);
                frame.Pixels[p + 2] = (ushort)(32768 + 20000 * Math.Sin(4 * u + 3 * v));
            }
        }

        return frame;
    }

    private static double Difference(VideoFrame a, VideoFrame b, int margin)
    {
        double worst = 0;
        for (var y = margin; y < a.Height - margin; y++)
        {
            for (var x = margin; x < a.Width - margin; x++)
            {
                for (var c = 0; c < 3; c++) worst = Math.Max(worst, Math.Abs(a.Pixels[(y * a.Width + x) * 3 + c] - b.Pixels[(y * a.Width + x) * 3 + c]) / 257.0);
            }
        }

        return worst;
    }

    [Theory]
    [InlineData(1920, 1080, 0, 0, 288, 160)]
    [InlineData(640, 360, 0, 0, 288, 160)]
    [InlineData(1920, 804, 0, 20, 288, 120)]
    [InlineData(720, 1280, 0, 0, 160, 288)]
    public void WhatGoesInAtAPixelComesOutAtThatPixel(int width, int height, int x, int y, int placeWidth, int placeHeight)
    {
        var (canvasWidth, canvasHeight) = width > height ? (288, 160) : (160, 288);
        var placement = new CanvasPlacement(canvasWidth, canvasHeight, x, y, placeWidth, placeHeight, width, height);
        using var source = Smooth(width, height);
        using var canvas = placement.ToCanvas(source);
        Assert.Equal((canvasWidth, canvasHeight), (canvas.Width, canvas.Height));
        using var back = placement.ToDelivery(canvas);
        Assert.Equal((width, height), (back.Width, back.Height));
        // Half a canvas pixel of shift would be about half a level of 255 in the ramps; edges repeat and are left out.
        Assert.True(Difference(source, back, width / 16) < 0.3, $"{Difference(source, back, width / 16)}");
    }

    [Fact]
    public void CanvasBeyondThePictureIsItsMirror()
    {
        var placement = new CanvasPlacement(8, 8, 0, 2, 8, 4, 8, 4);
        using var source = Smooth(8, 4);
        using var canvas = placement.ToCanvas(source);
        for (var row = 0; row < 8; row++)
        {
            var from = new[] { 1, 0, 0, 1, 2, 3, 3, 2 }[row];
            Assert.True(canvas.Pixels.Slice(row * 24, 24).SequenceEqual(source.Pixels.Slice(from * 24, 24)));
        }
    }

    [Fact]
    public void SourceOfAnotherAspectLiesInTheMiddleOnBlack()
    {
        var placement = new CanvasPlacement(160, 90, 0, 0, 160, 90, 1600, 900);
        using var tall = VideoFrame.Filled(90, 160, 65535, 65535, 65535);
        using var canvas = placement.ToCanvas(tall);
        Assert.Equal(0, canvas.Pixels[45 * 160 * 3]);
        Assert.Equal(65535, canvas.Pixels[(45 * 160 + 80) * 3]);
        Assert.Equal(0, canvas.Pixels[(45 * 160 + 159) * 3]);
    }

    [Fact]
    public void FlatColourStaysFlatAtEverySize() =>
        Gen.Select(Gen.Int[1, 70], Gen.Int[1, 70], Gen.Int[1, 70], Gen.Int[1, 70], Gen.UShort).Sample((sw, sh, dw, dh, level) =>
        {
            using var flat = VideoFrame.Filled(sw, sh, level, 65535, 0);
            using var scaled = new PictureScaler(sw, sh, dw, dh).Scale(flat);
            for (var i = 0; i < scaled.Pixels.Length; i += 3)
            {
                Assert.InRange(scaled.Pixels[i], level - 1, level + 1);
                Assert.InRange(scaled.Pixels[i + 1], 65534, 65535);
                Assert.Equal(0, scaled.Pixels[i + 2]);
            }
        }, iter: 200);

    [Fact]
    public void PlanesRoundTrip()
    {
        using var frame = Smooth(33, 17);
        var planes = new float[33 * 17 * 3];
        frame.ToPlanes(planes);
        Assert.Equal(-1 + 2 * frame.Pixels[3] / 65535f, planes[1], 1e-6f);
        using var back = VideoFrame.FromPlanes(planes, 33, 17);
        Assert.True(frame.Pixels.SequenceEqual(back.Pixels));
        planes[0] = float.NaN;
        planes[1] = 7;
        using var clamped = VideoFrame.FromPlanes(planes, 33, 17);
        Assert.Equal((0, 65535), (clamped.Pixels[0], clamped.Pixels[3]));
    }
}
