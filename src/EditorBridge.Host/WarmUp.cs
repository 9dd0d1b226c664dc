using EditorBridge.Host.Services;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Host;

/// <summary>
/// Makes a plan for nobody when the host starts: reads the models' headers, and measures the machine where that was never done, so that whoever asks first
/// need not wait for it.
/// </summary>
internal sealed class WarmUp(JobPlanning planning, HostOptions options, ILogger<WarmUp> log) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.WarmUp) return;
        await Task.Yield();
        try
        {
            var spec = new JobSpec
            {
                Kind = JobSpec.Types.Kind.Broll,
                Prompt = "hills",
                Delivery = new Delivery { Size = new PixelSize { Width = 1280, Height = 720 }, Rate = new FrameRate { Numerator = 24, Denominator = 1 }, Frames = 24 },
            };
            await planning.PlanAsync(spec, measure: true, "", stoppingToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // Whoever asks is told what is wrong.
            if (!stoppingToken.IsCancellationRequested) log.LogDebug("The first plan could not be made ahead: {Why}", error.Message);
        }
    }
}
