using EditorBridge.Media;
using EditorBridge.Planning;

namespace EditorBridge.Host.Jobs;

/// <summary>A job's first stage: takes the frames the plan names out of the user's media, so that these may change or vanish afterwards.</summary>
internal sealed class InputFreezer(FFmpegLocator ffmpeg, KnownMedia known)
{
    /// <summary>Freezes what is not frozen yet.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="layout">The job's folder.</param>
    /// <param name="onProgress">Told inputs done, of how many.</param>
    /// <param name="cancellation">Ends ffmpeg; nothing half-written stays under its name.</param>
    /// <exception cref="JobFailure">The media cannot be read.</exception>
    public async Task FreezeAsync(Plan plan, JobLayout layout, Action<int, int> onProgress, CancellationToken cancellation)
    {
        (string Name, ContextRead? Read, Timeline.FrameRate? Rate)[] inputs =
        [
            (JobLayout.Before, plan.Before, plan.Request.Before?.Rate),
            (JobLayout.After, plan.After, plan.Request.After?.Rate),
            .. plan.Inputs.Select(input => (input.Name, (ContextRead?)input.Read, input.Rate)),
        ];
        var wanted = inputs.Where(i => i.Read is not null).ToList();
        for (var i = 0; i < wanted.Count; i++)
        {
            onProgress(i, wanted.Count);
            var (name, read, rate) = wanted[i];
            if (IsFrozen(layout.Inputs, name)) continue;
            await FreezeAsync(layout.Inputs, name, read!, rate, cancellation).ConfigureAwait(false);
        }
    }

    private async Task FreezeAsync(string folder, string name, ContextRead read, Timeline.FrameRate? rate, CancellationToken cancellation)
    {
        var tools = await ffmpeg.FindAsync(cancellation).ConfigureAwait(false);
        if (!tools.TryGet(out var found, out var missing)) throw new JobFailure(missing.Reason, missing.Message);
        var probed = await known.ProbeAsync(found, read.Path, cancellation).ConfigureAwait(false);
        if (!probed.TryGet(out var media, out var unreadable)) throw new JobFailure(unreadable.Reason, unreadable.Message);
        var counted = rate ?? media.Rate;
        MediaTime[] times = [.. read.Frames.Select(f => MediaTime.OfFrame(f, counted))];
        var frozen = await FrozenFrames.FreezeAtAsync(found, media, times, counted, folder, name, cancellation).ConfigureAwait(false);
        if (frozen.Refusal is { } refusal) throw new JobFailure(refusal.Reason, refusal.Message);
    }

    private static bool IsFrozen(string folder, string name)
    {
        if (!FrozenFrames.Open(folder, name).TryGet(out var reader, out _)) return false;
        reader.Dispose();
        return true;
    }
}
