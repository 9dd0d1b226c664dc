using System.Diagnostics;

namespace EditorBridge.Cli.Companion;

/// <summary>The desktop's clipboard, through the program for it that is installed.</summary>
internal sealed class Clipboard
{
    private readonly string program;
    private readonly string[] read;
    private readonly string[] write;

    private Clipboard(string program, string[] read, string[] write) => (this.program, this.read, this.write) = (program, read, write);

    /// <summary>Finds the program.</summary>
    /// <exception cref="Refused">There is no desktop, or none of these programs.</exception>
    public static Clipboard Find()
    {
        var wayland = Environment.GetEnvironmentVariable("WAYLAND_DISPLAY") is { Length: > 0 };
        if (!wayland && Environment.GetEnvironmentVariable("DISPLAY") is not { Length: > 0 })
            throw new Refused("NO_DESKTOP", "There is no desktop here, and so no clipboard: run this in the session that the editor runs in, or use --closed.");
        if (wayland && ProgramPath.Find("wl-copy") is { } copy && ProgramPath.Find("wl-paste") is not null) return new Clipboard(copy, ["wl-paste", "--no-newline"], ["--type", "text/plain"]);
        if (ProgramPath.Find("xclip") is { } xclip) return new Clipboard(xclip, ["xclip", "-selection", "clipboard", "-o"], ["-selection", "clipboard", "-i"]);
        if (ProgramPath.Find("xsel") is { } xsel) return new Clipboard(xsel, ["xsel", "--clipboard", "--output"], ["--clipboard", "--input"]);
        throw new Refused("NO_CLIPBOARD", $"Nothing that reaches the clipboard is installed: install {(wayland ? "wl-clipboard" : "xclip or xsel")}, or use --closed.");
    }

    /// <summary>Its text; empty when it holds none.</summary>
    public async Task<string> ReadAsync(CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(read[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in read[1..]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(TimeSpan.FromSeconds(10));
            var text = await process.StandardOutput.ReadToEndAsync(limit.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return process.ExitCode == 0 ? text : "";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // A program that holds the clipboard and does not answer has nothing on it for us.
            process.Kill();
            return "";
        }
    }

    /// <summary>Puts a text there. The program that was started for it stays until something else is copied.</summary>
    /// <exception cref="Refused">It could not.</exception>
    public async Task WriteAsync(string text, CancellationToken cancellation)
    {
        // What stays in the background keeps its output, so that must not be a pipe that somebody reads to its end.
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("exec \"$0\" \"$@\" >/dev/null 2>&1");
        start.ArgumentList.Add(program);
        foreach (var argument in write) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(text.AsMemory(), cancellation).ConfigureAwait(false);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        if (process.ExitCode != 0) throw new Refused("NO_CLIPBOARD", $"{program} could not put the clip on the clipboard (it ended with {process.ExitCode}).");
    }
}
