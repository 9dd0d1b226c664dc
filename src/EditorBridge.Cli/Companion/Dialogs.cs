using System.Diagnostics;
using System.Globalization;

namespace EditorBridge.Cli.Companion;

/// <summary>Small windows for whoever has no terminal, shown by kdialog or zenity.</summary>
internal sealed class Dialogs
{
    private const string Title = "EditorBridge";
    private readonly string program;
    private readonly bool isKde;

    private Dialogs(string program, bool isKde) => (this.program, this.isKde) = (program, isKde);

    /// <summary>Finds the program.</summary>
    /// <exception cref="Refused">There is no desktop, or neither program.</exception>
    public static Dialogs Find()
    {
        if (Environment.GetEnvironmentVariable("WAYLAND_DISPLAY") is not { Length: > 0 } && Environment.GetEnvironmentVariable("DISPLAY") is not { Length: > 0 })
            throw new Refused("NO_DESKTOP", "There is no desktop here to ask on: leave out --ask and say everything on the command line.");
        var kde = (Environment.GetEnvironmentVariable("XDG_CURRENT_DESKTOP") ?? "").Contains("KDE", StringComparison.OrdinalIgnoreCase);
        foreach (var isKde in (bool[])[kde, !kde])
        {
            if (ProgramPath.Find(isKde ? "kdialog" : "zenity") is { } program) return new Dialogs(program, isKde);
        }

        throw new Refused("NO_DIALOGS", "Neither kdialog nor zenity is installed, which ask for the job and the prompt: install one, or leave out --ask and say everything on the command line.");
    }

    /// <summary>Lets somebody choose; null when they close the window.</summary>
    /// <exception cref="Refused">The window cannot be shown.</exception>
    public Task<string?> ChooseAsync(string question, IReadOnlyList<(string Word, string Meaning)> choices, CancellationToken cancellation) => AnswerAsync(isKde
        ? ["--title", Title, "--menu", question, .. choices.SelectMany(choice => new[] { choice.Word, choice.Meaning })]
        : ["--list", "--title", Title, "--text", question, "--hide-header", "--column", "job", "--column", "what", "--print-column", "1", "--width", "520", "--height", "260", .. choices.SelectMany(choice => new[] { choice.Word, choice.Meaning })],
        cancellation);

    /// <summary>Asks for a text; null when they close the window.</summary>
    /// <exception cref="Refused">The window cannot be shown.</exception>
    public Task<string?> AskAsync(string question, string suggestion, CancellationToken cancellation) => AnswerAsync(isKde
        ? ["--title", Title, "--inputbox", question, suggestion]
        : ["--entry", "--title", Title, "--text", question, "--entry-text", suggestion, "--width", "520"], cancellation);

    /// <summary>Says how it ended, and waits until it was read.</summary>
    public async Task SayAsync(string message, bool isError, CancellationToken cancellation)
    {
        try
        {
            await AnswerAsync(isKde
                ? ["--title", Title, isError ? "--error" : "--msgbox", message]
                : [isError ? "--error" : "--info", "--title", Title, "--no-markup", "--width", "520", "--text", message], cancellation).ConfigureAwait(false);
        }
        catch (Refused)
        {
            // It is said on the terminal all the same.
        }
    }

    /// <summary>Opens a window with a bar; null where the program has none that can be fed.</summary>
    public Process? Progress()
    {
        if (isKde) return null;
        return Start(["--progress", "--title", Title, "--text", "Looking at the timeline", "--percentage", "0", "--auto-close", "--width", "520"], isInput: true);
    }

    /// <summary>Moves a bar.</summary>
    public static void Show(Process progress, double fraction, string text)
    {
        try
        {
            progress.StandardInput.WriteLine("# " + text.ReplaceLineEndings(" "));
            // At 100 it closes.
            progress.StandardInput.WriteLine(Math.Min(99, (int)(fraction * 100)).ToString(CultureInfo.InvariantCulture));
            progress.StandardInput.Flush();
        }
        catch (IOException)
        {
            // Its window was closed, which ends the job.
        }
    }

    private Process Start(string[] arguments, bool isInput)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = isInput, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private async Task<string?> AnswerAsync(string[] arguments, CancellationToken cancellation)
    {
        using var process = Start(arguments, isInput: false);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            var answer = await process.StandardOutput.ReadToEndAsync(cancellation).ConfigureAwait(false);
            var said = await errors.ConfigureAwait(false);
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
            // Whoever closes a window makes both end with 1; without a screen zenity does too, and kdialog is aborted.
            if (process.ExitCode is not (0 or 1) || said.Contains("cannot open display", StringComparison.Ordinal))
                throw new Refused("NO_DESKTOP", $"{program} cannot show its window here (it ended with {process.ExitCode}): run this in the desktop's own session, or leave out --ask and say everything on the command line.");
            return process.ExitCode == 0 ? answer.Trim() : null;
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }
}
