using System.Diagnostics;
using EditorBridge.Cli.Reports;

namespace EditorBridge.Cli.Companion;

/// <summary>Shows in a window how a job gets on, and remembers what is to be read at its end. Closing the window cancels the job.</summary>
internal sealed class DialogReport : IReport
{
    private readonly IReport inner;
    private readonly Process? progress;
    private readonly List<string> sentences = [];
    private readonly CancellationTokenSource cancel;
    private readonly Task closed;
    private string what = "";
    private volatile bool isOver;

    public DialogReport(IReport inner, Dialogs dialogs, CancellationToken cancellation)
    {
        this.inner = inner;
        cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        progress = dialogs.Progress();
        closed = progress is null ? Task.CompletedTask : WatchAsync(progress);
    }

    /// <summary>Ends the job when the window is closed.</summary>
    public CancellationToken Cancellation => cancel.Token;

    /// <summary>What its user should know in the end.</summary>
    public string Sentences => string.Join("\n\n", sentences);

    public void Say(CliEvent happened)
    {
        inner.Say(happened);
        lock (sentences)
        {
            if (happened is NoticeEvent notice) sentences.Add(notice.Message);
        }

        if (happened is PlanEvent plan) what = $"{plan.Kind}, {plan.Frames} frames: {plan.Placement}";
        if (progress is null) return;
        if (happened is PlanEvent) Dialogs.Show(progress, 0, what);
        if (happened is ProgressEvent step) Dialogs.Show(progress, step.Fraction, $"{what} {step.Stage.Replace('_', ' ')}{(step.SecondsLeft is { } left ? $", about {TextReport.Seconds(left)} left" : "")}");
    }

    public void Dispose()
    {
        isOver = true;
        if (progress is not null)
        {
            if (!progress.HasExited) progress.Kill();
            closed.Wait(TimeSpan.FromSeconds(5));
            progress.Dispose();
        }

        cancel.Dispose();
    }

    private async Task WatchAsync(Process window)
    {
        await window.WaitForExitAsync().ConfigureAwait(false);
        if (!isOver) await cancel.CancelAsync().ConfigureAwait(false);
    }
}
