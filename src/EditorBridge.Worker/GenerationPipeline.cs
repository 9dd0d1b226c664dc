using EditorBridge.Generation;
using EditorBridge.Media;
using EditorBridge.Protocol.V1;
using EditorBridge.Protocol.Worker.V1;
using Google.Protobuf;
using Serilog;
using Plan = EditorBridge.Planning.Plan;
using Preview = EditorBridge.Protocol.Worker.V1.Preview;

namespace EditorBridge.Worker;

/// <summary>Makes a take with the real model.</summary>
internal sealed class GenerationPipeline : ITakePipeline
{
    private const string ContactSheet = "contact-sheet.jpg";

    // Looking for it starts it several times, so one look is enough for a process.
    private static FFmpegTools? _tools;

    /// <inheritdoc/>
    public TakeFinished Run(StartTake start, TakeSignals signals)
    {
        var folder = new JobFolder(start.JobFolder);
        var plan = folder.ReadPlan();
        var take = plan.Takes[start.Take].Number;
        Say(signals, plan, JobProgress.Types.Stage.LoadingModel);
        var tools = Tools(signals.Cancel);
        var (model, tile, memory) = ModelCache.For(plan, start.ModelFolder, start.Device);
        Say(signals, plan, JobProgress.Types.Stage.EncodingText);
        var fresh = !Directory.Exists(folder.State(take));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(signals.Cancel, signals.Suspend);
        var result = TakeRun.Run(folder, plan, take, model, tools, new Observer(signals, folder, take, start.Previews), either.Token, new TakeOptions { VaeTile = tile });
        var made = new TakeFinished
        {
            Clip = Path.GetFileName(result.ClipPath),
            Sidecar = Path.GetFileName(Path.ChangeExtension(result.ClipPath, ".json")),
            ContactSheet = Picture(tools, result.ClipPath) ? ContactSheet : "",
            Frames = result.Frames,
        };
        made.Notes.AddRange(memory);
        made.Notes.AddRange(model.LoraNotes);
        made.Notes.AddRange(result.Seams.Select(s => FormattableString.Invariant(
            $"Colour at the seam {s.Side} was {s.ShiftBefore:0.0} off before and {s.ShiftAfter:0.0} after correction (of 255).")));
        made.Notes.Add(FormattableString.Invariant(
            $"The worker took at most {result.PeakMemory / (double)(1 << 30):0.0} GiB of memory of its own; the plan had said {plan.Memory.Peak / (double)(1 << 30):0.0} GiB."));
        if (result.PeakDeviceMemory is { } device)
        {
            made.Notes.Add(FormattableString.Invariant(
                $"At most {device / (double)(1 << 30):0.0} GiB of the GPU's memory were in use; the plan had said {plan.Memory.DevicePeak / (double)(1 << 30):0.0} GiB."));
        }

        if (plan.Sampling.StepCache is not null && fresh)
        {
            var passes = plan.Windows.Count * plan.Sampling.Passes;
            made.Notes.Add(FormattableString.Invariant($"The step cache spared {passes - result.ComputedPasses} of {passes} passes of the transformer."));
        }

        // A run that went on from saved state has not timed all of its work.
        if (fresh && result.Speed is { } speed) (made.TransformerFlops, made.VaeFlops) = (speed.TransformerFlopsPerSecond, speed.VaeFlopsPerSecond);
        return made;
    }

    private static FFmpegTools Tools(CancellationToken cancellation)
    {
        if (_tools is not null) return _tools;
        var found = FFmpegTools.FindAsync(cancellation).GetAwaiter().GetResult();
        return _tools = found.TryGet(out var tools, out var missing) ? tools : throw new MediaException(missing);
    }

    private static void Say(TakeSignals signals, Plan plan, JobProgress.Types.Stage stage) =>
        signals.Report(new Progress { Stage = (int)stage, Windows = plan.Windows.Count, SecondsLeft = -1 });

    // A clip without its picture is still a clip.
    private static bool Picture(FFmpegTools tools, string clip)
    {
        var probed = new MediaProbe(tools).ProbeAsync(clip).GetAwaiter().GetResult();
        if (!probed.TryGet(out var media, out var refusal)) throw new MediaException(refusal);
        var sheet = ClipPictures.ContactSheetAsync(tools, media, Path.Combine(Path.GetDirectoryName(clip)!, ContactSheet)).GetAwaiter().GetResult();
        if (sheet.Refusal is { } why) Log.Warning("No contact sheet was made: {Why}", why.Message);
        return sheet.Refusal is null;
    }

    private sealed class Observer(TakeSignals signals, JobFolder folder, int take, bool previews) : ITakeObserver
    {
        private DateTime _saved = Newest(folder, take);

        public void Progress(TakeProgress progress)
        {
            var saved = Newest(folder, take);
            signals.Report(new Progress
            {
                Stage = (int)(progress.Stage switch
                {
                    TakeStage.Preparing => JobProgress.Types.Stage.EncodingContext,
                    TakeStage.Sampling => JobProgress.Types.Stage.Sampling,
                    TakeStage.Decoding => JobProgress.Types.Stage.Decoding,
                    _ => JobProgress.Types.Stage.EncodingClip,
                }),
                Step = progress.Step,
                Steps = progress.Of,
                Window = progress.Window,
                Windows = progress.Windows,
                Fraction = progress.Fraction,
                SecondsLeft = progress.SecondsLeft ?? -1,
                Saved = saved > _saved,
            });
            _saved = saved;
        }

        public void Preview(TakePreview preview)
        {
            if (previews) signals.Show(new Preview { Step = preview.Step, Image = UnsafeByteOperations.UnsafeWrap(preview.Png), ContentType = "image/png" });
        }

        // Saved steps and finished latents are files of this kind; whatever else is written counts for nothing after a crash.
        private static DateTime Newest(JobFolder folder, int take) =>
            new[] { folder.State(take), folder.Take(take) }.Where(Directory.Exists)
                .SelectMany(f => Directory.EnumerateFiles(f, "*.safetensors")).Select(File.GetLastWriteTimeUtc).DefaultIfEmpty().Max();
    }
}
