using EditorBridge.Protocol.V1;

namespace EditorBridge.Native.OpenFx;

/// <summary>Frames taken out of one of the host's clips, into a file that is handed over.</summary>
internal sealed class FrameGrab
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(40);

    // The first frame, to compare the others with; null when one was different.
    private List<byte[]>? _first = [];

    private FrameGrab()
    {
    }

    /// <summary>The file, which belongs to who has the grab, to be withdrawn where the frames are of no use. It may still be being written. Null when there are no frames.</summary>
    public Handover? File { get; private set; }

    /// <summary>Number of frames.</summary>
    public int Count { get; private set; }

    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Whether several times were asked for and one and the same frame came: of a still, or from a host that ignores the time.</summary>
    public bool IsStill { get; private set; }

    /// <summary>Why the frames are of no use; empty when they are.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>Whether the user has stopped it, so that there is nothing.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>
    /// Fetches frames, each of which goes back to the host before the next is fetched. They are written meanwhile; where the disk is behind, the bar is kept alive and obeyed.
    /// </summary>
    /// <param name="clip">The clip's handle.</param>
    /// <param name="times">Times from the cut outwards; those from the first on that the host has no picture of are left out.</param>
    /// <param name="rate">Of the clip.</param>
    /// <param name="buffers">For rows on their way to the disk.</param>
    /// <param name="goesOn">Asked now and then, with the part of the frames that was fetched; false stops it.</param>
    public static FrameGrab Take(nint clip, IReadOnlyList<double> times, FrameRate rate, RowBuffers buffers, Func<double, bool> goesOn)
    {
        var grab = new FrameGrab();
        try
        {
            grab.Fetch(clip, times, buffers, goesOn);
            if (grab is { File: { } file, Problem.Length: 0, IsStopped: false })
            {
                // Frames that are all the same are one frame: a host that ignores the time it is asked for gives such, and so does a still.
                grab.IsStill = grab.Count > 1 && grab._first is not null;
                if (grab.IsStill) grab.Count = 1;
                file.Complete(grab.Count, rate, isBackwards: times.Count > 1 && times[0] > times[1]);
                return grab;
            }
        }
        catch (Exception error)
        {
            // Whatever it is, the other side's file must go too, and the user is told.
            grab.Problem = $"The frames cannot be handed over to the host: {error.Message}";
        }
        finally
        {
            grab._first = null;
        }

        return grab;
    }

    private void Fetch(nint clip, IReadOnlyList<double> times, RowBuffers buffers, Func<double, bool> goesOn)
    {
        PixelFormat taken = default;
        foreach (var time in times)
        {
            var part = (double)Count / times.Count;
            IsStopped = !goesOn(part);
            if (IsStopped) return;
            using var image = HostImage.Fetch(clip, time);
            if (!image.IsThere) return;
            if (image.Format.Channels == 1)
            {
                Problem = "The clip has no colours, only alpha; use it on a clip with pictures.";
                return;
            }

            // The whole height and width are even, as compressed video needs it.
            var (width, height) = (image.Width & ~1, image.Height & ~1);
            if (width == 0 || height == 0) return;
            if (File is null) (Width, Height, taken, File) = (width, height, image.Format, new Handover(width, height, image.Format.Depth == PixelDepth.Byte ? 8 : 16, buffers));
            else if ((width, height, image.Format.Depth == PixelDepth.Byte) != (Width, Height, taken.Depth == PixelDepth.Byte)) return;
            if (!Copy(image, buffers, () => goesOn(part))) return;
            Count++;
        }
    }

    // False when the frame is not whole: the user has stopped it, or the file cannot be written, which its end says.
    private bool Copy(in HostImage image, RowBuffers buffers, Func<bool> goesOn)
    {
        var file = File!;
        var rowBytes = file.FrameBytes / Height;
        var rows = RowBuffers.PieceBytes / rowBytes;
        var pieces = new List<byte[]>();
        for (int row = 0, number = 0; row < Height;)
        {
            while (pieces.Count < Environment.ProcessorCount * 2 && row + pieces.Count * rows < Height && buffers.Take(TimeSpan.Zero) is { } free) pieces.Add(free);
            // The disk is behind.
            while (pieces.Count == 0)
            {
                if (buffers.Take(BetweenLooks) is { } free) pieces.Add(free);
                else IsStopped = !goesOn();
                if (IsStopped) return false;
            }

            if (file.Written.IsFaulted) return false;
            image.ReadColours(Width, Height, row, rows, rowBytes, pieces);
            foreach (var piece in pieces)
            {
                var length = Math.Min(rows, Height - row) * rowBytes;
                if (Count == 0) _first!.Add(piece);
                else if (_first is not null && !piece.AsSpan(0, length).SequenceEqual(_first[number].AsSpan(0, length))) _first = null;
                file.Add(Count, row * rowBytes, piece, length, isKept: Count == 0);
                row += rows;
                number++;
            }

            pieces.Clear();
        }

        return true;
    }
}
