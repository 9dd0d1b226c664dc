using EditorBridge.Timeline;

namespace EditorBridge.Planning;

/// <summary>
/// Lays wanted canvas frames onto windows of 4n+1 frames. A causal VAE codes the first frame of a window alone and every four after it into one latent, so
/// context of 4a+1 frames fills 1+a latents exactly. Window lengths are evened out, so that no window is left with a few frames.
/// </summary>
public static class WindowChain
{
    private const int Stride = 4;

    /// <summary>Latents that <paramref name="frames"/> = 4n+1 frames (or none) make.</summary>
    public static int LatentsOf(int frames) => frames == 0 ? 0 : (frames - 1) / Stride + 1;

    /// <summary>
    /// Windows made forwards from the cut: B-roll, extend at the tail, fill. A window after the first takes the last
    /// <paramref name="chained"/> frames made before it as context. Frames after are given, at their true time, to each window that they lie within
    /// <paramref name="longest"/> frames of the start of. Farther off than in training a model takes them for near, and leaves the shot before at once.
    /// </summary>
    /// <param name="wanted">Wanted canvas frames N.</param>
    /// <param name="before">Context frames before, 4a+1 or 0.</param>
    /// <param name="after">Context frames after, 4b+1 or 0.</param>
    /// <param name="chained">Context frames between windows, 4a+1.</param>
    /// <param name="longest">Longest window, 4n+1.</param>
    /// <param name="afterInSlots">Whether frames after take the last slots of the last window instead.</param>
    public static IReadOnlyList<WindowPlan> Forward(int wanted, int before, int after, int chained, int longest, bool afterInSlots = false)
    {
        // Without context the first latent is generated too and holds one frame.
        var free = before == 0 ? 1 : 0;
        var slots = afterInSlots ? LatentsOf(after) - 1 : 0;
        // The frame that the left-out first latent of the context stood for is generated.
        var needed = wanted - free + (slots > 0 ? 1 : 0);
        var latents = (needed + Stride - 1) / Stride;
        var firstCapacity = (longest - Math.Max(before, 1)) / Stride - slots;
        var nextCapacity = (longest - chained) / Stride - slots;
        if (firstCapacity < 1 || nextCapacity < 1) throw new ArgumentOutOfRangeException(nameof(longest), longest, "A window has no room beside its context.");
        var count = latents <= firstCapacity ? 1 : 1 + (latents - firstCapacity + nextCapacity - 1) / nextCapacity;

        var windows = new List<WindowPlan>(count);
        var start = 0;
        for (var order = 0; order < count; order++)
        {
            var later = count - order - 1;
            var capacity = order == 0 ? firstCapacity : nextCapacity;
            var even = (latents + later) / (later + 1);
            var own = Math.Min(capacity, Math.Max(even, latents - later * nextCapacity));
            latents -= own;
            var context = order == 0 ? before : chained;
            var last = later == 0;
            var made = own * Stride + (order == 0 ? free : 0);
            var kept = last ? wanted - start : Math.Min(made, wanted - start);
            var tail = last ? slots : 0;
            var total = LatentsOf(Math.Max(context, 1)) + own + tail;
            var aim = context + wanted - start;
            var takesAfter = after > 0 && (afterInSlots ? last : last || aim <= longest);
            windows.Add(new WindowPlan
            {
                Order = order,
                Frames = Stride * (total - 1) + 1,
                Latents = total,
                BeforeOrigin = context == 0 ? ContextOrigin.None : order == 0 ? ContextOrigin.Source : ContextOrigin.Window,
                BeforeFrames = context,
                BeforeLatents = LatentsOf(context),
                AfterOrigin = takesAfter ? ContextOrigin.Source : ContextOrigin.None,
                AfterFrames = takesAfter ? after : 0,
                AfterLatents = takesAfter ? LatentsOf(after) - (afterInSlots ? 1 : 0) : 0,
                AfterInSlots = takesAfter && afterInSlots,
                GeneratedLatents = own + (context == 0 ? 1 : 0),
                MainQuarters = Quarters(0, total),
                AfterQuarters = !takesAfter ? []
                    : afterInSlots ? Quarters(Stride * (total - tail), tail)
                    : Quarters(aim, LatentsOf(after)),
                Deliver = new FrameRange(context, kept),
                WantedStart = start,
            });
            start += kept;
        }

        return windows;
    }

    /// <summary>
    /// Windows made backwards from the cut: extend at the head. Each is n = ⌈(N−1)/4⌉+1 latents whose surplus falls at its free start; a window after the
    /// first aims at the first <paramref name="chained"/> frames of the one made before it.
    /// </summary>
    /// <param name="wanted">Wanted canvas frames N.</param>
    /// <param name="after">Context frames after, 4b+1.</param>
    /// <param name="chained">Context frames between windows, 4b+1.</param>
    /// <param name="longest">Longest window, 4n+1.</param>
    /// <param name="afterInSlots">Whether frames after take the last slots instead of standing beside the window.</param>
    public static IReadOnlyList<WindowPlan> Backward(int wanted, int after, int chained, int longest, bool afterInSlots = false)
    {
        var windows = new List<WindowPlan>();
        var left = wanted;
        for (var order = 0; left > 0; order++)
        {
            var context = order == 0 ? after : chained;
            var slots = afterInSlots ? LatentsOf(context) - 1 : 0;
            var lead = slots > 0 ? 1 : 0;
            var room = longest - Stride * slots - lead;
            var count = (left + room - 1) / room;
            var even = (left + count - 1) / count;
            var own = (even + lead - 1 + Stride - 1) / Stride + 1;
            var made = Stride * (own - 1) + 1;
            var kept = Math.Min(left, made - lead);
            var total = own + slots;
            windows.Add(new WindowPlan
            {
                Order = order,
                Frames = Stride * (total - 1) + 1,
                Latents = total,
                BeforeOrigin = ContextOrigin.None,
                BeforeFrames = 0,
                BeforeLatents = 0,
                AfterOrigin = context == 0 ? ContextOrigin.None : order == 0 ? ContextOrigin.Source : ContextOrigin.Window,
                AfterFrames = context,
                AfterLatents = slots > 0 ? slots : LatentsOf(context),
                AfterInSlots = slots > 0,
                GeneratedLatents = own,
                MainQuarters = Quarters(0, total),
                AfterQuarters = slots > 0 ? Quarters(Stride * own, slots) : Quarters(made, LatentsOf(context)),
                Deliver = new FrameRange(made - lead - kept, kept),
                WantedStart = left - kept,
            });
            left -= kept;
        }

        return windows;
    }

    private static int[] Quarters(int first, int count) => Enumerable.Range(0, count).Select(i => first + Stride * i).ToArray();
}
