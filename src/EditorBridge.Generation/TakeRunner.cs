using EditorBridge.Diffusion.Caching;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Samplers;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Media;
using EditorBridge.Planning;
using static TorchSharp.torch;

namespace EditorBridge.Generation;

/// <summary>
/// One take from context frames to delivered frames: windows one after the other, each encoded, sampled and decoded. The window made last is decoded while the
/// clip is written; those made before it wait on disk, since an encoder must not stand idle while a window is sampled and a lead-up is made from its end.
/// </summary>
/// <remarks>Latents, texts and what the decoder remembers are on the model's device; pictures are on the CPU: they go to the device where they are encoded and
/// come from it where they are decoded.</remarks>
internal sealed class TakeRunner(
    Plan plan, TakePlan take, LoadedModel model, Tensor prompt, Tensor? negative, JobInputs inputs, TakeState state, TakeClock clock, ITakeObserver observer, TakeOptions options,
    CancellationToken cancellation)
{
    private readonly List<SeamReport> seams = [];

    /// <summary>What the colour correction did at each seam.</summary>
    public IReadOnlyList<SeamReport> Seams => seams;

    /// <summary>Runs the take.</summary>
    /// <param name="before">Canvas frames before, [1, 3, F, H, W], or null.</param>
    /// <param name="after">Canvas frames after, or null.</param>
    /// <param name="placement">Where the delivery picture lies on the canvas.</param>
    /// <param name="clip">Writes the clip.</param>
    /// <returns>The clip's path.</returns>
    public string Run(Tensor? before, Tensor? after, CanvasPlacement placement, IClipWriter clip)
    {
        using var scope = NewDisposeScope();
        // As planned, also where the model's settings have changed since.
        model.Vae.ConvolutionType = plan.Model.VaePrecision == VaePrecision.BFloat16 ? ScalarType.BFloat16 : null;
        Tensor? chained = null;
        foreach (var window in plan.Windows.SkipLast(1))
        {
            using var made = Make(window, before, after, chained);
            var next = plan.Windows[window.Order + 1];
            using var buffer = new ContextBuffer(plan.Backward ? next.AfterFrames : next.BeforeFrames, plan.Backward, made.Before);
            using (var spool = FrameSpool.Create(state.FramesFile(window.Order)))
            {
                foreach (var frame in Decode(made))
                {
                    using (frame)
                    {
                        buffer.Add(frame);
                        spool.Add(frame);
                    }
                }
            }

            // Where nothing is carried over, a source video holds the windows together.
            var context = (plan.Backward ? next.AfterFrames : next.BeforeFrames) > 0 ? buffer.Context(made.After) : null;
            chained?.Dispose();
            chained = context;
        }

        using var last = Make(plan.Windows[^1], before, after, chained);
        // A reference picture is not the frame before the first: nothing is blended with it.
        using var realBefore = before is null || plan.Request.Kind == JobKind.BRoll ? null : Picture(before, before.shape[2] - 1);
        using var realAfter = after is null ? null : Picture(after, 0);
        var written = clip.Write(Delivered(Wanted(last), realBefore, realAfter, placement), seams);
        return written;
    }

    private static VideoFrame Picture(Tensor frames, long index)
    {
        using var scope = NewDisposeScope();
        return CanvasFrames.Picture(frames[0, .., index]);
    }

    // Wanted canvas frames in time order: those on disk and those of the last window as they are decoded.
    private IEnumerable<Tensor> Wanted(MadeWindow last)
    {
        var waiting = plan.Windows.SkipLast(1).SelectMany(Spooled);
        return plan.Backward ? Decode(last).Concat(plan.Windows.SkipLast(1).Reverse().SelectMany(Spooled)) : waiting.Concat(Decode(last));
    }

    private IEnumerable<Tensor> Spooled(WindowPlan window)
    {
        using var spool = FrameSpool.Open(state.FramesFile(window.Order), plan.Canvas.Size, (int)window.Deliver.Duration);
        for (var i = 0; i < window.Deliver.Duration; i++) yield return spool.Next();
    }

    private IEnumerable<VideoFrame> Delivered(IEnumerable<Tensor> wanted, VideoFrame? realBefore, VideoFrame? realAfter, CanvasPlacement placement)
    {
        var mapping = plan.Mapping;
        var kept = KeptPicture.Of(plan, inputs);
        var canvas = wanted.Select(frame =>
        {
            using (frame) return CanvasFrames.Picture(frame);
        });
        if (plan.Request.Kind == JobKind.Still)
        {
            using var picture = canvas.Single();
            using var still = placement.ToDelivery(picture);
            for (var i = 0; i < mapping.DeliveredFrames; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                yield return still.Clone();
            }

            yield break;
        }

        var positions = Enumerable.Range(0, mapping.DeliveredFrames).Select(mapping.Position).Select(p => new FramePosition(p.Frame, p.Fraction)).ToArray();
        var delivered = 0;
        foreach (var frame in FrameResampler.Resample(canvas, positions, realBefore, realAfter))
        {
            cancellation.ThrowIfCancellationRequested();
            using (frame)
            {
                var picture = placement.ToDelivery(frame);
                kept?.Lay(picture, delivered);
                yield return picture;
            }

            delivered++;
        }

        if (delivered != mapping.DeliveredFrames) throw new InvalidOperationException($"{delivered} frames were delivered, {mapping.DeliveredFrames} are planned.");
    }

    private MadeWindow Make(WindowPlan window, Tensor? before, Tensor? after, Tensor? chained)
    {
        using var scope = NewDisposeScope();
        clock.Report(TakeStage.Preparing, window.Order, 0, 1);
        cancellation.ThrowIfCancellationRequested();
        var made = new MadeWindow(
            window, Context(window.BeforeOrigin, before, chained, window.BeforeFrames), Context(window.AfterOrigin, after, chained, window.AfterFrames), Decoder());
        try
        {
            if (plan.Model.Conditioning != Conditioning.CleanLatents)
            {
                MakeWhole(made);
                return made;
            }

            var head = Encode(made.Before);
            var beside = Encode(made.After);
            // The shot after is this window's neighbour only where it follows at once.
            var meets = beside is not null && (window.AfterInSlots || window.AfterQuarters[0] == window.Deliver.End);
            if (head is not null) made.StartSeam = Fit(head, made.Before!, made.Decoding, after: false, window, meets);
            using var alone = Decoder();
            if (meets) made.EndSeam = Fit(beside!, made.After!, alone, after: true, window, head is not null);

            var latents = state.Latents(window.Order);
            if (latents is null)
            {
                var tail = window.AfterInSlots ? beside![.., .., 1..] : null;
                latents = Sample(window, new(new(WindowSampling.Layout(window), head, window.AfterInSlots ? null : beside, tail), new SamplingInputs()), made.Decoding);
                state.SaveLatents(window.Order, latents);
            }
            else
            {
                clock.SkipSteps(window.Order, plan.Sampling.Steps);
            }

            made.Latents = latents.to(model.Device.Device).DetachFromDisposeScope();
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    // Given frames are sampled anew with the rest: how far they come out as they were is what the seams are corrected by.
    private void MakeWhole(MadeWindow made)
    {
        using var scope = NewDisposeScope();
        var window = made.Window;
        var latents = state.Latents(window.Order);
        if (latents is null)
        {
            latents = Sample(window, WindowInputs.Of(model, plan, inputs, window, made.Before, made.After), made.Decoding);
            state.SaveLatents(window.Order, latents);
        }
        else
        {
            clock.SkipSteps(window.Order, plan.Sampling.Steps);
        }

        made.Latents = latents.to(model.Device.Device).DetachFromDisposeScope();
        if (made.Before is { } before)
            made.StartSeam = Fit(made.Latents.narrow(2, 0, window.BeforeLatents), before, made.Decoding, after: false, window, bothEnds: made.After is not null);
    }

    private static Tensor? Context(ContextOrigin origin, Tensor? source, Tensor? chained, int frames)
    {
        var context = origin switch
        {
            ContextOrigin.None => null,
            ContextOrigin.Source => source,
            _ => chained,
        };
        return (context?.shape[2] ?? 0) == frames
            ? context
            : throw new InvalidOperationException($"A window plans {frames} context frames; {context?.shape[2] ?? 0} are there.");
    }

    private Tensor? Encode(Tensor? frames)
    {
        using var pause = CollectorPause.Begin();
        using var scope = NewDisposeScope();
        return frames is null ? null : model.Vae.Encode(frames.to(model.Device.Device)).MoveToOuterDisposeScope();
    }

    private VaeDecoding Decoder() => new(model.Vae, state.VaeTile);

    private SeamCorrection Fit(Tensor latents, Tensor real, VaeDecoding decoding, bool after, WindowPlan window, bool bothEnds)
    {
        using var pause = CollectorPause.Begin();
        using var scope = NewDisposeScope();
        var pieces = new List<Tensor>();
        for (var i = 0; i < latents.shape[2]; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var latent = latents.narrow(2, i, 1);
            pieces.Add(clock.Latents(1, () => decoding.Next(latent)));
        }

        return SeamCorrection.Fit(cat(pieces, 2), real, after, window.Order, (int)window.Deliver.Duration, bothEnds);
    }

    private Tensor Sample(WindowPlan window, WindowInputs given, VaeDecoding context)
    {
        using var scope = NewDisposeScope();
        var seed = WindowSampling.Seed(take.Seed, window.Order);
        using var sampler = WindowSampling.Solver(plan.Sampling, seed);
        using var cache = WindowSampling.Cache(plan.Sampling);
        var cell = plan.Model.SpatialStride;
        var noise = FlowSampling.Noise(
            [1, plan.Model.LatentChannels, given.References + window.Latents, plan.Canvas.Size.Height / cell, plan.Canvas.Size.Width / cell], seed);
        if (plan.Mechanism == Mechanism.NoisedSource) noise = Noised(window, noise, sampler.Schedule.Sigmas[0]);
        using var sampling = Begin(sampler, given, noise, cache);
        state.RestoreStep(window.Order, sampling);
        clock.SkipSteps(window.Order, sampling.StepsTaken);
        var (saved, shown) = (options.Time.GetTimestamp(), options.Time.GetTimestamp());
        clock.Report(TakeStage.Sampling, window.Order, sampling.StepsTaken, sampling.Steps);
        while (sampling.StepsTaken < sampling.Steps)
        {
            var preview = options.Time.GetElapsedTime(shown) >= options.PreviewInterval;
            try
            {
                using var pause = CollectorPause.Begin();
                clock.Step(window.Order, sampling.StepsTaken, () =>
                {
                    var computed = sampling.ComputedPasses;
                    sampling.Step(preview ? step => Preview(window, step, given.References, context) : null, cancellation);
                    model.Device.Synchronize();
                    return sampling.ComputedPasses - computed;
                });
            }
            catch (OperationCanceledException)
            {
                // Whoever suspends a job wants to go on from here; whoever cancels it removes the folder.
                if (sampling.StepsTaken > 0) state.SaveStep(window.Order, sampling);
                throw;
            }

            if (preview) shown = options.Time.GetTimestamp();
            if (sampling.StepsTaken < sampling.Steps && options.Time.GetElapsedTime(saved) >= options.CheckpointInterval)
            {
                state.SaveStep(window.Order, sampling);
                saved = options.Time.GetTimestamp();
            }

            clock.Report(TakeStage.Sampling, window.Order, sampling.StepsTaken, sampling.Steps);
        }

        return sampling.Latents.narrow(2, given.References, window.Latents).clone().MoveToOuterDisposeScope();
    }

    // The source at the noise level that sampling begins with: (1 − σ)·source + σ·noise.
    private Tensor Noised(WindowPlan window, Tensor noise, float sigma)
    {
        using var scope = NewDisposeScope();
        var source = ComputeDevice.ToCpu(Encode(inputs.Clip(InputRole.Source, window))!);
        return (source * (1 - sigma) + noise * sigma).MoveToOuterDisposeScope();
    }

    private FlowSampling Begin(ISampler sampler, WindowInputs given, Tensor noise, StepCache? cache)
    {
        using var pause = CollectorPause.Begin();
        var left = new SamplingOptions { GuidedSteps = ..plan.Sampling.GuidedSteps, Cache = cache };
        return new FlowSampling(model.Experts(plan.Sampling), sampler, given.Given, noise, prompt, negative, given.Beside, left);
    }

    // The first new latent, decoded on from the context as it will be in the end.
    private void Preview(WindowPlan window, SamplingStep step, int references, VaeDecoding context)
    {
        using var scope = NewDisposeScope();
        var frames = context.Peek(step.Clean.narrow(2, references + window.BeforeLatents, 1));
        var png = CanvasFrames.Png(frames[0, .., frames.shape[2] - 1], plan.Canvas);
        observer.Preview(new TakePreview(window.Order, step.Taken, plan.Canvas.PictureWidth, plan.Canvas.PictureHeight, png));
    }

    // Kept frames, corrected; each is the receiver's to dispose. They pass through a file, because how far the last one misses the shot after decides what
    // is added to those before it, and memory is not to grow with the clip.
    private IEnumerable<Tensor> Decode(MadeWindow made)
    {
        var window = made.Window;
        var kept = (int)window.Deliver.Duration;
        var raw = state.FramesFile(window.Order) + ".raw";
        DecodeInto(raw, made);
        using (var spool = FrameSpool.Open(raw, plan.Canvas.Size, kept))
        {
            for (var i = 0; i < kept; i++)
            {
                using var frame = spool.Next();
                yield return Corrected(frame, made, i, kept);
            }
        }

        File.Delete(raw);
    }

    private static Tensor Corrected(Tensor frame, MadeWindow made, int index, int count)
    {
        using var pause = CollectorPause.Begin();
        return SeamCorrection.Apply(frame, made.StartSeam, made.EndSeam, index, count);
    }

    private void DecodeInto(string path, MadeWindow made)
    {
        using var whole = NewDisposeScope();
        using var spool = FrameSpool.Create(path);
        var window = made.Window;
        var at = window.BeforeFrames;
        var (first, last) = ((Tensor?)null, (Tensor?)null);
        // Given frames behind the kept ones, as they came out.
        var behind = new List<Tensor>();
        var given = plan.Model.Conditioning != Conditioning.CleanLatents && made.After is not null;
        var end = given ? window.Deliver.End + window.AfterFrames : window.Deliver.End;
        for (var i = 0; i < window.GeneratedLatents && at < end; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var pause = CollectorPause.Begin();
            var code = made.Latents!.narrow(2, window.BeforeLatents + i, 1);
            var frames = clock.Latents(1, () => made.Decoding.Next(code));
            for (var f = 0; f < frames.shape[2]; f++, at++)
            {
                if (given && at >= window.Deliver.End + window.AfterSkipped && at < end) behind.Add(frames[0, .., f].clone().MoveToOuterDisposeScope());
                if (!window.Deliver.Contains(at)) continue;
                var frame = frames[0, .., f];
                spool.Add(frame);
                first ??= frame.clone().MoveToOuterDisposeScope();
                if (at == window.Deliver.End - 1) last = frame.clone().MoveToOuterDisposeScope();
            }

            clock.Report(TakeStage.Decoding, window.Order, i + 1, window.GeneratedLatents);
        }

        using var quiet = CollectorPause.Begin();
        if (behind.Count > 0)
        {
            var real = made.After!.narrow(2, window.AfterSkipped, behind.Count);
            made.EndSeam = SeamCorrection.Fit(stack(behind, 1).unsqueeze(0), real, after: true, window.Order, (int)window.Deliver.Duration, bothEnds: made.StartSeam is not null, made.After[0, .., 0]);
        }

        SeamCorrection.Meet(first!, last!, made.StartSeam, made.EndSeam, (int)window.Deliver.Duration);
        foreach (var seam in (SeamCorrection?[])[made.StartSeam, made.EndSeam])
            if (seam is not null) seams.Add(seam.Report);
    }
}
