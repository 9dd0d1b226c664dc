using EditorBridge.Diffusion.Wan;
using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Conditioning;

/// <summary>
/// Lays noisy and given latents out for the transformer. Training and generation both go through here, so that a model meets at inference
/// what it was trained on: given latents are clean, have timestep 0 and are put back after every solver step.
/// </summary>
/// <remarks>Does not own the tensors it is given.</remarks>
public sealed class ConditionedLatents
{
    private readonly Tensor? head; // [B, C, 1+a, h, w]
    private readonly Tensor? tail; // [B, C, slots, h, w]
    private readonly Tensor? after; // [B, C, 1+b, h, w]

    /// <summary>Binds given latents to a layout.</summary>
    /// <param name="layout">What is given and where it lies.</param>
    /// <param name="head">The context before, encoded from its first frame: [B, C, 1+a, h, w]; null without.</param>
    /// <param name="after">The context after, encoded alone with an empty cache: [B, C, 1+b, h, w]; null without.</param>
    /// <param name="tail">What fills the last slots of the main sequence; null without.</param>
    /// <exception cref="ArgumentException">A tensor is missing, left over or has another number of latents than the layout.</exception>
    public ConditionedLatents(ConditioningLayout layout, Tensor? head = null, Tensor? after = null, Tensor? tail = null)
    {
        layout.Checked();
        Check(head, layout.HeadLatents, "before", nameof(head));
        Check(after, layout.AfterQuarters.Count, "after", nameof(after));
        Check(tail, layout.TailLatents, "in the last slots", nameof(tail));
        Layout = layout;
        this.head = head;
        this.after = after;
        this.tail = tail;
    }

    /// <summary>What is given and where it lies.</summary>
    public ConditioningLayout Layout { get; }

    /// <summary>The main sequence with its given latents put in.</summary>
    /// <param name="main">[B, C, T, h, w]; what it holds in their place is ignored.</param>
    /// <returns>A new tensor.</returns>
    public Tensor Impose(Tensor main)
    {
        if (main.dim() != 5 || main.shape[2] != Layout.MainLatents)
            throw new ArgumentException($"The main sequence must have {Layout.MainLatents} latents, not [{string.Join(", ", main.shape)}].", nameof(main));

        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        if (head is not null)
            parts.Add(head.to(main.dtype).to(main.device));
        parts.Add(Generated(main));
        if (tail is not null)
            parts.Add(tail.to(main.dtype).to(main.device));
        return cat(parts, 2).MoveToOuterDisposeScope();
    }

    /// <summary>The latents of the main sequence that are generated: [B, C, T − given, h, w]. The loss is taken on these.</summary>
    /// <param name="main">Noise, a velocity or a sample of the whole main sequence.</param>
    public Tensor Generated(Tensor main) => main.narrow(2, Layout.HeadLatents, Layout.GeneratedLatents);

    /// <summary>1 where a latent is generated, 0 where it is given: [1, 1, T, 1, 1], float32 on the CPU.</summary>
    public Tensor LossMask()
    {
        var mask = zeros([1, 1, Layout.MainLatents, 1, 1]);
        mask.narrow(2, Layout.HeadLatents, Layout.GeneratedLatents).fill_(1).Dispose();
        return mask;
    }

    /// <summary>The transformer's input with one noise level for all samples.</summary>
    /// <param name="main">[B, C, T, h, w].</param>
    /// <param name="timestep">Noise level on the scale 0..1000.</param>
    /// <inheritdoc cref="Segments(Tensor, Tensor)" path="/returns"/>
    public IReadOnlyList<LatentSegment> Segments(Tensor main, double timestep)
    {
        using var scope = NewDisposeScope();
        return Moved(Segments(main, full([main.shape[0]], timestep, dtype: float64)));
    }

    /// <summary>The transformer's input.</summary>
    /// <param name="main">Main sequence at its noise level, [B, C, T, h, w]; given latents are put in.</param>
    /// <param name="timesteps">Noise level of each sample on the scale 0..1000: [B].</param>
    /// <returns>The main sequence and, if there is one, the segment after. Tensors join the caller's dispose scope.</returns>
    public IReadOnlyList<LatentSegment> Segments(Tensor main, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var mask = LossMask().view(1, -1).to(float64);
        var mainTimes = timesteps.to(CPU).to(float64).view(-1, 1) * mask; // [B, T]
        var segments = new List<LatentSegment> { new(Impose(main), mainTimes, Layout.MainPositions) };
        if (after is not null)
        {
            var clean = after.to(main.dtype).to(main.device);
            segments.Add(new(clean, zeros(main.shape[0], after.shape[2], dtype: float64), Layout.AfterPositions));
        }

        return Moved(segments);
    }

    private static IReadOnlyList<LatentSegment> Moved(IReadOnlyList<LatentSegment> segments)
    {
        foreach (var segment in segments)
        {
            segment.Latent.MoveToOuterDisposeScope();
            segment.Timesteps.MoveToOuterDisposeScope();
        }

        return segments;
    }

    private static void Check(Tensor? given, int latents, string where, string parameter)
    {
        if (given is null ? latents > 0 : given.dim() != 5 || given.shape[2] != latents)
        {
            throw new ArgumentException(
                $"The layout has {latents} latents {where}, but {(given is null ? "none were" : $"[{string.Join(", ", given.shape)}] was")} given.", parameter);
        }
    }
}
