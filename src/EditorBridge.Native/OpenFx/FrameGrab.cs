using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.OpenFx;

/// <summary>Frames taken out of one of the host's clips, into a file that is handed over.</summary>
internal sealed class FrameGrab
{
    private FrameGrab()
    {
    }

    /// <summary>The file, which belongs to who has the grab; null when there are no frames.</summary>
    public string? Path { get; private set; }

    /// <summary>Number of frames.</summary>
    public int Count { get; private set; }

    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Whether several times were asked for and one and the same frame came: of a still, or from a host that ignores the time.</summary>
    public bool IsStill { get; private set; }

    /// <summary>Why the frames are of no use; empty when they are.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>Fetches frames, each of which goes back to the host before the next is fetched; it is written while the host makes the next.</summary>
    /// <param name="clip">The clip's handle.</param>
    /// <param name="times">Times from the cut outwards; those after the first that the host has no picture of are left out.</param>
    /// <param name="rate">Of the clip.</param>
    public static FrameGrab Take(nint clip, IReadOnlyList<double> times, FrameRate rate)
    {
        var grab = new FrameGrab();
        Handover? file = null;
        try
        {
            file = grab.Fetch(clip, times);
            if (file is null) return grab;
            // Frames that are all the same are one frame: a host that ignores the time it is asked for gives such, and so does a still.
            grab.IsStill = file.Count > 1 && file.IsOneFrameOnly;
            grab.Count = grab.IsStill ? 1 : file.Count;
            file.Complete(grab.Count, rate, isBackwards: times.Count > 1 && times[0] > times[1]);
            grab.Path = file.Path;
        }
        catch (Exception error)
        {
            // Whatever it is, the other side's file must go too, and the user is told.
            grab.Problem = $"The frames cannot be handed over to the host: {error.Message}";
        }
        finally
        {
            file?.Dispose();
        }

        return grab;
    }

    private Handover? Fetch(nint clip, IReadOnlyList<double> times)
    {
        Handover? file = null;
        try
        {
            foreach (var time in times)
            {
                using var image = HostImage.Fetch(clip, time);
                if (!image.IsThere) break;
                if (image.Format.Channels == 1)
                {
                    Problem = "The clip has no colours, only alpha; use it on a clip with pictures.";
                    break;
                }

                // The whole height and width are even, as compressed video needs it.
                var (width, height) = (image.Width & ~1, image.Height & ~1);
                var bits = image.Format.Depth == PixelDepth.Byte ? 8 : 16;
                if (width == 0 || height == 0) break;
                if (file is null) (Width, Height, file) = (width, height, new Handover(width, height, bits));
                else if ((width, height, bits) != (Width, Height, file.Bits)) break;
                var pixels = file.NextFrame();
                image.ReadColours(width, height, pixels);
                if (!file.Add(pixels)) break;
            }
        }
        catch
        {
            file?.Dispose();
            throw;
        }

        if (Problem.Length == 0) return file;
        file?.Dispose();
        return null;
    }
}
