using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>
/// Lays wanted canvas frames onto windows for models that read given frames in their places within the clip: VACE, image to video, first and last frame. The
/// frames after lie in the main sequence; where the gap is not 4g frames, the first of them are generated and dropped, so that what is
/// generated ends with a latent.
/// </summary>
public static class WholeWindowChain
{
    private const int Stride = 4;

    /// <summary>Windows made forwards from the cut, each after the first going on from the last <paramref name="chained"/> frames of the one before it.</summary>
    /// <param name="wanted">Wanted canvas frames N.</param>
    /// <param name="before">Context frames before, 4a+1 or 0.</param>
    /// <param name="after">Context frames that can be had after; the last window takes as many as fit the grid.</param>
    /// <param name="lastAlone">Whether one frame after is given, as the very last of the window, and not several.</param>
    /// <param name="chained">Context frames between windows, 4a+1.</param>
    /// <param name="longest">Longest window, 4n+1.</param>
    public static IReadOnlyList<WindowPlan> Forward(int wanted, int before, int after, bool lastAlone, int chained, int longest)
    {
        // The last window keeps room for the frames after and for what evens them out.
        var reserve = after == 0 ? 0 : lastAlone ? Stride : after + Stride - 1;
        int Middle(int context) => context == 0 ? longest : (longest - context) / Stride * Stride;
        int Last(int context) => longest - context - reserve;
        if (Last(Math.Max(before, chained)) < 1) throw new ArgumentOutOfRangeException(nameof(longest), longest, "A window has no room beside its context.");
        var count = 1;
        for (var room = Last(before); room < wanted; count++) room = Middle(before) + (count - 1) * Middle(chained) + Last(chained);

        var windows = new List<WindowPlan>(count);
        for (int order = 0, start = 0; order < count; order++)
        {
            var (context, later, left) = (order == 0 ? before : chained, count - order - 1, wanted - start);
            var kept = left;
            if (later > 0)
            {
                // Evened out, on the grid, and no less than what the others leave over.
                var behind = (later - 1) * Middle(chained) + Last(chained);
                kept = Math.Min(Middle(context), Grid(Math.Max(left / (later + 1), left - behind), context));
            }

            var (given, skipped) = later > 0 ? (0, 0) : After(context + kept, after, lastAlone);
            windows.Add(Window(order, context, order == 0 ? ContextOrigin.Source : ContextOrigin.Window, kept, given, skipped, start));
            start += kept;
        }

        return windows;
    }

    /// <summary>Windows made backwards from the cut: each leads up to the first frames of the one made before it.</summary>
    /// <param name="wanted">Wanted canvas frames N.</param>
    /// <param name="after">Context frames that can be had after, at least 1.</param>
    /// <param name="chained">Context frames between windows.</param>
    /// <param name="longest">Longest window, 4n+1.</param>
    public static IReadOnlyList<WindowPlan> Backward(int wanted, int after, int chained, int longest)
    {
        var windows = new List<WindowPlan>();
        for (int order = 0, left = wanted; left > 0; order++)
        {
            var offered = order == 0 ? after : chained;
            // Whole latents where there are enough.
            var given = offered >= Stride ? offered / Stride * Stride : offered;
            var room = longest - given;
            var count = (left + room - 1) / room;
            var kept = (left + count - 1) / count;
            var made = kept + ((1 - kept - given) % Stride + Stride) % Stride;
            windows.Add(new WindowPlan
            {
                Order = order,
                Frames = made + given,
                Latents = WindowChain.LatentsOf(made + given),
                BeforeOrigin = ContextOrigin.None,
                BeforeFrames = 0,
                BeforeLatents = 0,
                AfterOrigin = order == 0 ? ContextOrigin.Source : ContextOrigin.Window,
                AfterFrames = given,
                AfterLatents = 0,
                GeneratedLatents = WindowChain.LatentsOf(made + given),
                MainQuarters = Quarters(WindowChain.LatentsOf(made + given)),
                AfterQuarters = [],
                Deliver = new FrameRange(made - kept, kept),
                WantedStart = left - kept,
            });
            left -= kept;
        }

        return windows;
    }

    // Frames used of those after the first `used` frames of a window, and how many of them are not given.
    private static (int Used, int Skipped) After(int used, int offered, bool lastAlone)
    {
        if (offered == 0) return (0, 0);
        if (lastAlone)
        {
            var reach = Math.Min(offered, 1 + ((-used % Stride) + Stride) % Stride);
            return (reach, reach - 1);
        }

        var uneven = ((1 - used) % Stride + Stride) % Stride;
        var whole = (offered - uneven) / Stride * Stride;
        return whole > 0 ? (uneven + whole, uneven) : (offered, 0);
    }

    private static int Grid(int frames, int context) =>
        context == 0 ? (Math.Max(frames, 1) + Stride - 2) / Stride * Stride + 1 : (Math.Max(frames, 1) + Stride - 1) / Stride * Stride;

    private static WindowPlan Window(int order, int context, ContextOrigin origin, int kept, int after, int skipped, int start)
    {
        var latents = (context + kept + after - 1 + Stride - 1) / Stride + 1;
        return new WindowPlan
        {
            Order = order,
            Frames = Stride * (latents - 1) + 1,
            Latents = latents,
            BeforeOrigin = context == 0 ? ContextOrigin.None : origin,
            BeforeFrames = context,
            BeforeLatents = WindowChain.LatentsOf(context),
            AfterOrigin = after == 0 ? ContextOrigin.None : ContextOrigin.Source,
            AfterFrames = after,
            AfterLatents = 0,
            AfterSkipped = skipped,
            GeneratedLatents = latents - WindowChain.LatentsOf(context),
            MainQuarters = Quarters(latents),
            AfterQuarters = [],
            Deliver = new FrameRange(context, kept),
            WantedStart = start,
        };
    }

    private static int[] Quarters(int count) => [.. Enumerable.Range(0, count).Select(i => Stride * i)];
}
