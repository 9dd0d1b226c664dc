using System.Diagnostics;

namespace EditorBridge.Host.Tests.Support;

/// <summary>Programs of the system that tests need.</summary>
internal static class Tool
{
    public static async Task RunAsync(string name, params string[] arguments)
    {
        var info = new ProcessStartInfo(name) { UseShellExecute = false, RedirectStandardError = true };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        using var process = Process.Start(info)!;
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, said);
    }

    /// <summary>A film at 24 frames per second.</summary>
    public static Task MakeFilmAsync(string path, int frames, string size) => RunAsync("ffmpeg", "-v", "error", "-f", "lavfi", "-i", $"testsrc2=size={size}:rate=24",
        "-frames:v", frames.ToString(System.Globalization.CultureInfo.InvariantCulture), "-pix_fmt", "yuv420p", path);
}
