using EditorBridge.Cli.Reports;
using EditorBridge.Client;
using EditorBridge.Protocol.V1;

namespace EditorBridge.Cli.Jobs;

/// <summary>Follows a job and says what happens to it.</summary>
internal sealed class JobWatch(EditorBridgeClient client, IReport report)
{
    /// <summary>Follows a job to its end.</summary>
    /// <param name="name">"jobs/{job}".</param>
    /// <param name="index">Which of several jobs it is.</param>
    /// <param name="cancellation">Ends the watch, not the job.</param>
    /// <param name="said">The job as it was last told of.</param>
    /// <returns>The job as it then is.</returns>
    public async Task<Job> ToEndAsync(string name, int index, CancellationToken cancellation, Job? said = null)
    {
        var last = said;
        await foreach (var happened in client.WatchAsync(name, cancellation: cancellation).ConfigureAwait(false))
        {
            if (happened.Progress is { } progress) report.Say(Event(name, index, progress));
            if (happened.Job is not { } job) continue;
            if (last is null || last.State != job.State || last.Attempt != job.Attempt) report.Say(Event(job, index));
            last = job;
        }

        return last ?? await client.GetAsync(name, cancellation).ConfigureAwait(false);
    }

    public static StateEvent Event(Job job, int index = 0) => new(job.Name, Word(job.State))
    {
        Index = index,
        Attempt = job.Attempt,
        Message = job.Error is { Message.Length: > 0 } error ? error.Message : job.Progress is { Message.Length: > 0 } progress ? progress.Message : null,
    };

    public static string Word(Job.Types.State state) => state.ToString().ToLowerInvariant();

    public static string Word(JobProgress.Types.Stage stage) => stage switch
    {
        JobProgress.Types.Stage.FreezingInputs => "freeze_inputs",
        JobProgress.Types.Stage.StartingWorker => "start_worker",
        JobProgress.Types.Stage.LoadingModel => "load_model",
        JobProgress.Types.Stage.EncodingText => "encode_text",
        JobProgress.Types.Stage.EncodingContext => "encode_context",
        JobProgress.Types.Stage.Sampling => "denoise",
        JobProgress.Types.Stage.Decoding => "decode",
        JobProgress.Types.Stage.EncodingClip => "encode_clip",
        JobProgress.Types.Stage.Publishing => "publish",
        _ => "waiting",
    };

    private static ProgressEvent Event(string name, int index, JobProgress progress) => new(name, Word(progress.Stage), progress.Step, progress.Steps)
    {
        Index = index,
        Take = progress.Take,
        Window = progress.Window,
        Windows = progress.Windows,
        Fraction = Math.Round(progress.Fraction, 4),
        SecondsLeft = progress.TimeLeft is { } left ? Math.Round(left.ToTimeSpan().TotalSeconds, 1) : null,
        Estimate = progress.TimeLeft is null ? null : progress.TimeLeftIsEstimate,
        Message = progress.Message is { Length: > 0 } message ? message : null,
    };
}
