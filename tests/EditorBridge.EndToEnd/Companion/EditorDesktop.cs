using System.Diagnostics;
using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd.Companion;

/// <summary>A desktop of a test's own: a screen that nobody sees, a D-Bus, a home folder, and the editors that run there. All of it ends with it.</summary>
internal sealed class EditorDesktop : IDisposable
{
    // A loaded machine may take minutes to start an editor.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private readonly TemporaryFolder folder = new();
    private readonly Stack<Process> started = new();
    private readonly Dictionary<string, string> environment;
    private readonly List<string> said = [];

    public EditorDesktop()
    {
        Directory.CreateDirectory(folder.File("home"));
        Directory.CreateDirectory(folder.File("run"));
        environment = new()
        {
            ["HOME"] = folder.File("home"),
            ["XDG_CONFIG_HOME"] = folder.File("home/.config"),
            ["XDG_DATA_HOME"] = folder.File("home/.local/share"),
            ["XDG_CACHE_HOME"] = folder.File("home/.cache"),
            ["XDG_RUNTIME_DIR"] = folder.File("run"),
            ["XDG_CURRENT_DESKTOP"] = "",
            ["WAYLAND_DISPLAY"] = "",
            ["QT_QPA_PLATFORM"] = "xcb",
            ["LIBGL_ALWAYS_SOFTWARE"] = "1",
            ["SDL_AUDIODRIVER"] = "dummy",
            ["LC_ALL"] = "C.UTF-8",
        };
        try
        {
            // Both choose a free name and say it.
            environment["DISPLAY"] = ":" + FirstLine(Launch("Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"));
            environment["DBUS_SESSION_BUS_ADDRESS"] = FirstLine(Launch("dbus-daemon", "--session", "--nofork", "--print-address=1"));
        }
        catch
        {
            Dispose();
            throw;
        }

        Cli = new CliProgram(DataFolder);
        foreach (var (name, value) in environment) Cli.With(name, value);
    }

    /// <summary>The command line, run on this desktop.</summary>
    public CliProgram Cli { get; }

    private string DataFolder => folder.File("d");

    public string Path => folder.Path;

    public string File(string name) => folder.File(name);

    public static string Golden(string name, [System.Runtime.CompilerServices.CallerFilePath] string source = "") =>
        System.IO.File.ReadAllText(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(source)!, "..", "..", "EditorBridge.Timeline.Tests", "Goldens", name));

    /// <summary>Four seconds of pictures and sound.</summary>
    public Task MakeShotAsync(string name, int hue) => Tool.RunAsync("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=frequency=440",
        "-vf", $"hue=h={hue},setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709", "-frames:v", "100", "-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-pix_fmt", "yuv420p",
        "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-c:a", "aac", File(name));

    /// <summary>Starts an editor, which goes on running.</summary>
    public Process Start(string program, params string[] arguments)
    {
        var process = Launch(program, arguments);
        // What is not read stops a program that says much.
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        return process;
    }

    /// <summary>Runs a small program to its end.</summary>
    /// <returns>What it said; null when it failed.</returns>
    public Task<string?> RunAsync(string program, params string[] arguments) => RunAsync(TimeSpan.FromSeconds(60), program, arguments);

    private async Task<string?> RunAsync(TimeSpan allowed, string program, params string[] arguments)
    {
        using var process = new Process { StartInfo = Info(program, arguments) };
        process.Start();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(allowed);
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Keep(await errors.WaitAsync(limit.Token));
            return process.ExitCode == 0 ? output : null;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return null;
        }
    }

    /// <summary>
    /// Renders frames of a project from its start with melt, whose compositing needs a screen, and counts those that came out. Editors save their background
    /// as longer than the timeline.
    /// </summary>
    public async Task<string?> RenderAsync(string project, int frames)
    {
        var movie = File("out.avi");
        // Version 7.12 now and then hangs at its end, or ends well and leaves a file without a frame: what it proves needs one run that does neither.
        for (var attempt = 1; ; attempt++)
        {
            var last = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"out={frames - 1}");
            var isDone = await RunAsync(TimeSpan.FromSeconds(60 * attempt), "melt", "-silent", project, "in=0", last, "-consumer", $"avformat:{movie}", "vcodec=mjpeg", "an=1", "real_time=0", "terminate_on_pause=1") is not null;
            var count = await Tool.CountLeftAsync(movie);
            if ((isDone && count is not null) || attempt == 4) return count;
        }
    }

    /// <summary>Waits until something has become so.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> isSo)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < Patience; await Task.Delay(250))
        {
            if (await isSo()) return;
        }

        var windows = await RunAsync("xdotool", "search", "--name", ".", "getwindowname", "%@");
        lock (said) throw new TimeoutException($"Not in {Patience.TotalMinutes:0} minutes: {what}. Windows: {windows?.ReplaceLineEndings(" | ")}\n{string.Join('\n', said.TakeLast(30))}");
    }

    public void Dispose()
    {
        Workspace.StopHost(DataFolder);
        foreach (var process in started)
        {
            using (process)
            {
                if (process.HasExited) continue;
                process.Kill(entireProcessTree: true);
                process.WaitForExit(TimeSpan.FromSeconds(20));
            }
        }

        folder.Dispose();
    }

    private Process Launch(string program, params string[] arguments)
    {
        var process = new Process { StartInfo = Info(program, arguments) };
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        started.Push(process);
        process.BeginErrorReadLine();
        return process;
    }

    private ProcessStartInfo Info(string program, string[] arguments)
    {
        var info = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = Path };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) info.Environment[name] = value;
        return info;
    }

    private static string FirstLine(Process process)
    {
        var line = process.StandardOutput.ReadLineAsync();
        return line.Wait(Patience) && line.Result is { Length: > 0 } text ? text.Trim() : throw new InvalidOperationException($"{process.StartInfo.FileName} did not start.");
    }

    private void Keep(string? line)
    {
        lock (said)
        {
            if (!string.IsNullOrWhiteSpace(line)) said.Add(line);
        }
    }
}

/// <summary>A test with a real editor on a desktop of its own: skipped where one of the programs is missing, but not in continuous integration.</summary>
internal sealed class EditorFactAttribute : FactAttribute
{
    public EditorFactAttribute(string editor)
    {
        string[] needed = [editor, "Xvfb", "dbus-daemon", "dbus-send", "xdotool", "xclip", "ffmpeg", "melt"];
        if (!Tool.InContinuousIntegration && Array.Find(needed, program => Tool.Find(program) is null) is { } missing) Skip = $"{missing} is not installed.";
    }
}
