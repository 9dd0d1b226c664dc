using System.Runtime.InteropServices;
using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Media;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>The frozen frames of a job beside the contexts at its ends, laid on the canvas as windows need them.</summary>
internal sealed class JobInputs : IDisposable
{
    private readonly Plan plan;
    private readonly Dictionary<string, FrozenFramesReader> readers = new(StringComparer.Ordinal);
    private readonly CanvasPlacement placement;
    private readonly CanvasPlacement sourcePlacement;

    private JobInputs(Plan plan)
    {
        this.plan = plan;
        placement = CanvasFrames.Placement(plan);
        sourcePlacement = plan.Request is { Kind: JobKind.Outpaint, Padding: { } padding } ? Inset(plan, padding) : placement;
    }

    /// <summary>Opens them.</summary>
    /// <exception cref="GenerationException">One is missing or damaged.</exception>
    public static JobInputs Open(JobFolder folder, Plan plan)
    {
        var inputs = new JobInputs(plan);
        try
        {
            foreach (var input in plan.Inputs)
            {
                var opened = FrozenFrames.Open(folder.Inputs, input.Name);
                if (!opened.TryGet(out var reader, out var refusal)) throw new GenerationException("inputs_damaged", refusal.Message);
                inputs.readers.Add(input.Name, reader);
                if (reader.Info.Count != input.Read.Frames.Count)
                    throw new GenerationException("inputs_damaged", $"The job's input '{input.Name}' has {reader.Info.Count} frames, {input.Read.Frames.Count} are planned; submit the job again.");
            }

            return inputs;
        }
        catch
        {
            inputs.Dispose();
            throw;
        }
    }

    /// <summary>What is known of an input; null when there is none of that role.</summary>
    public FrozenFramesInfo? Info(InputRole role) => Find(role) is { } input ? readers[input.Name].Info : null;

    /// <summary>A frozen frame for a delivered one.</summary>
    /// <param name="role">Source or mask.</param>
    /// <param name="delivered">The delivered frame.</param>
    /// <returns>The receiver's to dispose; null when there is none of that role.</returns>
    public VideoFrame? Frame(InputRole role, int delivered) =>
        Find(role) is { } input ? readers[input.Name].Read(input.Read.Frames.Count == 1 ? 0 : delivered) : null;

    /// <summary>The frames of a video that fall on those of a window; the outermost stand for what lies beyond them.</summary>
    /// <param name="role">Source or control.</param>
    /// <param name="window">The window.</param>
    /// <returns>float32 [1, 3, F, H, W] in [−1, 1]; null when there is none of that role.</returns>
    public Tensor? Clip(InputRole role, WindowPlan window)
    {
        if (Find(role) is null) return null;
        using var scope = NewDisposeScope();
        var place = role == InputRole.Source ? sourcePlacement : placement;
        var frames = new Tensor[window.Frames];
        var last = -1;
        for (var i = 0; i < frames.Length; i++)
        {
            var delivered = Delivered(window, i);
            frames[i] = i > 0 && delivered == last ? frames[i - 1] : Laid(role, delivered, place);
            last = delivered;
        }

        return stack(frames, 1).unsqueeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>What is made anew on the canvas: 1 there, 0 where the source stays.</summary>
    /// <param name="window">The window.</param>
    /// <returns>float32 [1, 1, F, H, W]; null for jobs without a source to keep.</returns>
    public Tensor? Mask(WindowPlan window)
    {
        using var scope = NewDisposeScope();
        if (plan.Request.Kind == JobKind.Outpaint)
        {
            var around = ones([1, 1, window.Frames, placement.CanvasHeight, placement.CanvasWidth]);
            around.narrow(3, sourcePlacement.PictureY, sourcePlacement.PictureHeight).narrow(4, sourcePlacement.PictureX, sourcePlacement.PictureWidth).zero_();
            return around.MoveToOuterDisposeScope();
        }

        if (Clip(InputRole.Mask, window) is not { } white) return null;
        var mask = (white.mean([1], keepdim: true) + 1) / 2;
        return (plan.Request.Mask!.Inverted ? 1 - mask : mask).MoveToOuterDisposeScope();
    }

    /// <summary>Keyframes that fall on a window: the frame of its main sequence, and the picture, [1, 3, 1, H, W].</summary>
    public IEnumerable<(int Frame, Tensor Picture)> Keyframes(WindowPlan window)
    {
        foreach (var input in plan.Inputs.Where(input => input.Role == InputRole.Keyframe))
        {
            var at = input.CanvasFrame - window.WantedStart;
            if (at < 0 || at >= window.Deliver.Duration) continue;
            using var frame = readers[input.Name].Read(0);
            yield return ((int)window.Deliver.Start + at, CanvasFrames.Laid(frame, placement).unsqueeze(0).unsqueeze(2));
        }
    }

    /// <summary>Pictures of subjects on a white canvas, each [1, 3, 1, H, W].</summary>
    public IReadOnlyList<Tensor> Subjects()
    {
        var subjects = new List<Tensor>();
        foreach (var input in plan.Inputs.Where(input => input.Role == InputRole.Subject))
        {
            using var frame = readers[input.Name].Read(0);
            var picture = empty(1, 3, frame.Height, frame.Width);
            frame.ToPlanes(MemoryMarshal.Cast<byte, float>(picture.bytes));
            subjects.Add(VaceConditioning.OnCanvas(picture, placement.CanvasWidth, placement.CanvasHeight));
        }

        return subjects;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var reader in readers.Values) reader.Dispose();
    }

    // The source's place on the canvas, where picture is made around it.
    private static CanvasPlacement Inset(Plan plan, Padding padding)
    {
        var (canvas, delivery) = (plan.Canvas, plan.Request.Delivery);
        var (x, width) = Part(padding.Left, padding.Right, delivery.Width, canvas.PictureWidth);
        var (y, height) = Part(padding.Top, padding.Bottom, delivery.Height, canvas.PictureHeight);
        return new CanvasPlacement(
            canvas.Size.Width, canvas.Size.Height, canvas.PictureX + x, canvas.PictureY + y, width, height,
            delivery.Width - padding.Left - padding.Right, delivery.Height - padding.Top - padding.Bottom);

        static (int Start, int Length) Part(int before, int after, int delivered, int picture)
        {
            var start = (int)Math.Round((double)before * picture / delivered);
            return (start, Math.Max(1, (int)Math.Round((double)(delivered - after) * picture / delivered) - start));
        }
    }

    private PlannedInput? Find(InputRole role) => plan.Inputs.FirstOrDefault(input => input.Role == role);

    private int Delivered(WindowPlan window, int frame) => plan.Mapping.Nearest(window.WantedStart + frame - (int)window.Deliver.Start);

    private Tensor Laid(InputRole role, int delivered, CanvasPlacement place)
    {
        using var frame = Frame(role, delivered)!;
        return CanvasFrames.Laid(frame, place);
    }
}
