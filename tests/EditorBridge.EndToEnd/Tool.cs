using System.Diagnostics;
using System.Text.Json;

namespace EditorBridge.EndToEnd;

/// <summary>ffmpeg, ffprobe and melt: they make what the tests read, and judge what the product wrote.</summary>
internal static class Tool
{
    /// <summary>Whether continuous integration runs: there a missing tool is a failure, never a skip.</summary>
    public static bool InContinuousIntegration => Environment.GetEnvironmentVariable("CI") == "true";

    public static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Where(folder => folder.Length > 0).Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name)).FirstOrDefault(File.Exists);

    public static Task<string> RunAsync(string name, params string[] arguments) => RunAsync(TimeSpan.FromMinutes(3), name, arguments);

    /// <summary>
    /// Renders a project with melt to Motion JPEG and counts the frames. Version 7.12 now and then hangs at its end, or ends well and leaves a
    /// file without a frame, whatever its threads are: what it proves needs one run that does neither, or, where every run hangs, the last to have
    /// written as many frames as one before.
    /// </summary>
    public static async Task<JsonElement> MeltAsync(string project, string movie)
    {
        var counts = new List<string?>();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                // With worker threads (real_time other than 0) it hangs more often, and in one run of four where it may pause at the end instead of leaving.
                // Where it is slow for want of a processor, only more time helps.
                await RunAsync(TimeSpan.FromSeconds(40 * attempt), "melt", ["-silent", project, "-consumer", $"avformat:{movie}", "vcodec=mjpeg", "an=1", "real_time=0", "terminate_on_pause=1"]).ConfigureAwait(false);
                var made = await LeftAsync(movie).ConfigureAwait(false);
                if (CountOf(made) is not null || attempt == 4) return made ?? throw new InvalidOperationException($"melt left no film in {movie}.");
                Console.Error.WriteLine("melt is run again: it left no frame.");
            }
            catch (TimeoutException e)
            {
                var left = await LeftAsync(movie).ConfigureAwait(false);
                var frames = CountOf(left);
                if (attempt == 4 && frames is not null && counts.Contains(frames)) return left!.Value;
                if (attempt == 4) throw;
                counts.Add(frames);
                Console.Error.WriteLine($"melt is run again: {e.Message}");
            }
            catch (InvalidOperationException e) when (attempt < 4)
            {
                Console.Error.WriteLine($"melt is run again: {e.Message}");
            }
        }
    }

    /// <summary>The frames of a film that melt left; null where there is none that can be read.</summary>
    public static async Task<string?> CountLeftAsync(string movie) => CountOf(await LeftAsync(movie).ConfigureAwait(false));

    private static string? CountOf(JsonElement? stream) => stream is { } read && read.TryGetProperty("nb_read_frames", out var number) ? number.GetString() : null;

    // What a run has left, if that can be read.
    private static async Task<JsonElement?> LeftAsync(string movie)
    {
        try
        {
            return await ProbeAsync(movie).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private static async Task<string> RunAsync(TimeSpan allowed, string name, string[] arguments)
    {
        var info = new ProcessStartInfo(name) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        // melt is built with Qt, which looks for a screen.
        info.Environment["QT_QPA_PLATFORM"] = "offscreen";
        info.Environment["SDL_AUDIODRIVER"] = "dummy";
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(allowed);
        try
        {
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{name} did not end: {await errors.ConfigureAwait(false)}");
        }

        return process.ExitCode == 0
            ? await output.ConfigureAwait(false)
            : throw new InvalidOperationException($"{name} {string.Join(' ', arguments)}: {await errors.ConfigureAwait(false)}");
    }

    /// <summary>The video stream as ffprobe counts it.</summary>
    public static async Task<JsonElement> ProbeAsync(string path)
    {
        var json = await RunAsync("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_streams", "-of", "json", path).ConfigureAwait(false);
        return JsonDocument.Parse(json).RootElement.GetProperty("streams")[0];
    }

    /// <summary>A short clip with moving content, so that frames differ.</summary>
    public static Task MakeMovieAsync(string path, int frames, string rate = "24", string size = "128x72", int seed = 0) => RunAsync(
        "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", $"testsrc2=size={size}:rate={rate}", "-vf", $"hue=h={seed * 60},setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709",
        "-frames:v", frames.ToString(System.Globalization.CultureInfo.InvariantCulture), "-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-pix_fmt", "yuv420p",
        "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", path);
}

/// <summary>A test that needs ffmpeg and ffprobe: skipped where they are missing, but not in continuous integration.</summary>
internal sealed class FFmpegFactAttribute : FactAttribute
{
    public FFmpegFactAttribute()
    {
        if (!Tool.InContinuousIntegration && (Tool.Find("ffmpeg") is null || Tool.Find("ffprobe") is null)) Skip = "ffmpeg is not installed.";
    }
}

/// <summary>The same for a test with data.</summary>
internal sealed class FFmpegTheoryAttribute : TheoryAttribute
{
    public FFmpegTheoryAttribute() => Skip = new FFmpegFactAttribute().Skip;
}

/// <summary>A test that reads Linux's process table, or mounts a file system: elsewhere, or as another user than root, it is skipped and says so.</summary>
internal sealed class LinuxFactAttribute : FactAttribute
{
    private bool asRoot;

    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux()) Skip = "It needs Linux.";
        else Skip = new FFmpegFactAttribute().Skip;
    }

    /// <summary>Whether it must be root.</summary>
    public bool AsRoot
    {
        get => asRoot;
        set
        {
            asRoot = value;
            if (value && Environment.UserName != "root" && !Tool.InContinuousIntegration) Skip = "A small disk can be made by root only.";
        }
    }
}
