namespace EditorBridge.Native.OpenFx;

/// <summary>Frames taken out of one of the host's clips: big-endian R, G, B of 16 bits, rows from the top, in the order of time.</summary>
internal sealed class FrameGrab
{
    /// <summary>The frames.</summary>
    public List<byte[]> Frames { get; } = [];

    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Whether several times were asked for and one and the same frame came: of a still, or from a host that ignores the time.</summary>
    public bool IsStill { get; private set; }

    /// <summary>Why the frames are of no use; empty when they are.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>Fetches frames, each of which goes back to the host before the next is fetched.</summary>
    /// <param name="clip">The clip's handle.</param>
    /// <param name="times">Times from the cut outwards; those after the first that the host has no picture of are left out.</param>
    public static FrameGrab Take(nint clip, IReadOnlyList<double> times)
    {
        var grab = new FrameGrab();
        foreach (var time in times)
        {
            using var image = HostImage.Fetch(clip, time);
            if (!image.IsThere) break;
            if (image.Format.Channels == 1)
            {
                grab.Problem = "The clip has no colours, only alpha; use it on a clip with pictures.";
                return grab;
            }

            // The whole height and width are even, as compressed video needs it.
            var (width, height) = (image.Width & ~1, image.Height & ~1);
            if (grab.Frames.Count == 0) (grab.Width, grab.Height) = (width, height);
            else if ((width, height) != (grab.Width, grab.Height)) break;
            var pixels = new byte[width * height * 6];
            for (var y = 0; y < height; y++) PixelRows.Read(image.Row(y), image.Format, pixels.AsSpan(y * width * 6, width * 6));
            grab.Frames.Add(pixels);
        }

        // Frames that are all the same are one frame: a host that ignores the time it is asked for gives such, and so does a still.
        if (grab.Frames.Count > 1 && grab.Frames.TrueForAll(frame => frame.AsSpan().SequenceEqual(grab.Frames[0])))
        {
            grab.Frames.RemoveRange(1, grab.Frames.Count - 1);
            grab.IsStill = true;
        }

        if (times.Count > 1 && times[0] > times[1]) grab.Frames.Reverse();
        return grab;
    }
}
