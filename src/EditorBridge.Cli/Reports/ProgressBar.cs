using Spectre.Console;

namespace EditorBridge.Cli.Reports;

/// <summary>One line at the foot of the terminal, on standard error so that output can be piped.</summary>
internal sealed class ProgressBar
{
    private const int Cells = 24;

    private readonly IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
    private bool shown;

    /// <summary>What to say while no progress is known.</summary>
    public void Label(StateEvent happened)
    {
        if (happened.State is "queued" or "running") Draw(0, $"{happened.State}{(happened.Message is { Length: > 0 } message ? $": {message}" : "")}");
    }

    public void Show(ProgressEvent progress)
    {
        var steps = progress.Of > 0 ? $" {progress.Step} of {progress.Of}" : "";
        var left = progress.SecondsLeft is { } seconds
            ? $", {(progress.Estimate == true ? "estimated " : "")}{TextReport.Seconds(seconds)} left"
            : "";
        Draw(progress.Fraction, $"{progress.Stage.Replace('_', ' ')}{steps}{left}");
    }

    public void Show(TransferEvent transfer)
    {
        var gigabytes = FormattableString.Invariant($" {transfer.Bytes / 1e9:0.00} of {transfer.TotalBytes / 1e9:0.00} GB");
        var speed = transfer.BytesPerSecond is { } bytes ? FormattableString.Invariant($", {bytes / 1e6:0.0} MB/s") : "";
        var left = transfer.SecondsLeft is { } seconds ? $", {TextReport.Seconds(seconds)} left" : "";
        Draw(transfer.Fraction, $"{transfer.Stage}{(transfer.TotalBytes > 0 ? gigabytes : "")}{speed}{left}");
    }

    public void Clear()
    {
        if (!shown) return;
        console.Write(new ControlCode("\r\u001b[2K"));
        shown = false;
    }

    private void Draw(double fraction, string text)
    {
        var filled = (int)Math.Round(Math.Clamp(fraction, 0, 1) * Cells);
        var room = Math.Max(10, console.Profile.Width - Cells - 10);
        if (text.Length > room) text = text[..room];
        console.Write(new ControlCode("\r\u001b[2K"));
        console.Write(new Text(new string('█', filled), new Style(Color.Green)));
        console.Write(new Text(new string('░', Cells - filled) + $" {Math.Clamp(fraction, 0, 1) * 100,3:0} % {text}"));
        shown = true;
    }
}
