using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>What one window is sampled from, beside noise and words.</summary>
/// <param name="Given">Where noise and clean latents lie.</param>
/// <param name="Beside">What the transformer takes beside them.</param>
/// <param name="References">Latents of reference pictures in front of the window's own; sampled, then dropped.</param>
internal sealed record WindowInputs(ConditionedLatents Given, SamplingInputs Beside, int References = 0)
{
    /// <summary>The inputs of a model that reads given frames in their places within the clip. Tensors join the caller's dispose scope.</summary>
    /// <param name="model">The model.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="inputs">What the job has beside the shots at its ends.</param>
    /// <param name="window">The window.</param>
    /// <param name="before">Frames before, [1, 3, F, H, W] in [−1, 1], or null.</param>
    /// <param name="after">Frames after, or null.</param>
    public static WindowInputs Of(LoadedModel model, Plan plan, JobInputs inputs, WindowPlan window, Tensor? before, Tensor? after)
    {
        using var pause = CollectorPause.Begin();
        using var scope = NewDisposeScope();
        return plan.Model.Conditioning switch
        {
            Conditioning.Vace => Vace(model, plan, inputs, window, before, after),
            Conditioning.Channels => Channels(model, plan, inputs, window, before, after),
            _ => new WindowInputs(Bare(window, 0), new SamplingInputs()),
        };
    }

    private static ConditionedLatents Bare(WindowPlan window, int references) => new(ConditioningLayout.Alone(window.Latents + references));

    private static WindowInputs Channels(LoadedModel model, Plan plan, JobInputs inputs, WindowPlan window, Tensor? before, Tensor? after)
    {
        var clip = Grey(plan, window, 3);
        var given = Lay(clip, inputs, window, before, after);
        var channels = GivenFrames.Channels(model.Vae, clip.to(model.Device.Device), given);
        Tensor? image = null;
        if (model.ImageEncoder is { } encoder)
        {
            // The first picture, and where the model reads two, the last.
            int[] pictures = plan.Model.NeedsLastFrame ? [given[0], given[^1]] : [given[0]];
            var features = cat([.. pictures.Select(frame => encoder.Encode(clip[.., .., frame].to(model.Device.Device)))]); // [pictures, tokens, C]
            image = features.reshape(1, -1, features.shape[2]).MoveToOuterDisposeScope();
        }

        return new WindowInputs(Bare(window, 0), new SamplingInputs { Channels = channels.MoveToOuterDisposeScope(), Image = image });
    }

    private static WindowInputs Vace(LoadedModel model, Plan plan, JobInputs inputs, WindowPlan window, Tensor? before, Tensor? after)
    {
        var mask = Grey(plan, window, 1).fill_(1); // 1: generate
        var clip = inputs.Clip(InputRole.Control, window) ?? Grey(plan, window, 3);
        if (inputs.Mask(window) is { } part && inputs.Clip(InputRole.Source, window) is { } source)
        {
            // Grey where it is made anew, or what was there would show through.
            mask = (part > 0.5).to(float32);
            clip = source * (1 - mask);
        }

        foreach (var frame in Lay(clip, inputs, window, before, after)) mask.narrow(2, frame, 1).zero_();
        var device = model.Device.Device;
        var subjects = inputs.Subjects().Select(picture => picture.to(device)).ToList();
        var context = VaceConditioning.Context(model.Vae, clip.to(device), mask.to(device), subjects);
        var scale = plan.Request.Control is null ? 1 : plan.Request.ControlStrength;
        return new WindowInputs(Bare(window, subjects.Count), new SamplingInputs { Vace = new VaceContext(context.MoveToOuterDisposeScope(), scale) }, subjects.Count);
    }

    private static Tensor Grey(Plan plan, WindowPlan window, int channels) => zeros([1, channels, window.Frames, plan.Canvas.Size.Height, plan.Canvas.Size.Width]);

    // Lays given frames in their places; returns these, in order.
    private static List<int> Lay(Tensor clip, JobInputs inputs, WindowPlan window, Tensor? before, Tensor? after)
    {
        var given = new SortedSet<int>();
        void Frames(Tensor frames, int from, int at)
        {
            for (var i = from; i < frames.shape[2]; i++)
            {
                clip.narrow(2, at + i, 1).copy_(frames.narrow(2, i, 1));
                given.Add(at + i);
            }
        }

        if (before is not null) Frames(before, 0, 0);
        if (after is not null) Frames(after, window.AfterSkipped, (int)window.Deliver.End);
        foreach (var (frame, picture) in inputs.Keyframes(window)) Frames(picture, 0, frame);
        return [.. given];
    }
}
