namespace EditorBridge.Media.Tests;

public sealed class FFmpegToolsTests : IDisposable
{
    private readonly TestMedia media = new();

    public void Dispose() => media.Dispose();

    [Fact]
    public async Task ThisMachineHasThem()
    {
        var outcome = await FFmpegTools.FindAsync();
        Assert.True(outcome.Refusal is null, outcome.Refusal?.Message);
        Assert.Contains("libx264", outcome.Value.Encoders);
        Assert.True(outcome.Value.Version.Major >= 4);
    }

    [Fact]
    public async Task MissingProgramSaysTheWayOut()
    {
        var outcome = await FFmpegTools.FindAsync(null, media.Folder, default);
        Assert.Equal(MediaReasons.ToolMissing, outcome.Refusal!.Reason);
        Assert.Contains("apt-get install ffmpeg", outcome.Refusal.Message);
        Assert.Contains(FFmpegTools.Setting, outcome.Refusal.Message);
        outcome = await FFmpegTools.FindAsync(media.Folder, "/usr/bin", default);
        Assert.Contains(media.Folder, outcome.Refusal!.Message);
    }

    [Theory]
    [InlineData("#!/bin/sh\necho hello\n", "does not answer")]
    [InlineData("#!/bin/sh\necho broken library >&2; exit 127\n", "broken library")]
    [InlineData("#!/bin/sh\nif [ \"$1\" = -version ]; then echo ffmpeg version 3.2; fi\n", "4.3 or later")]
    [InlineData("#!/bin/sh\nif [ \"$1\" = -version ]; then echo ffmpeg version 6.1; else echo ' V....D png   PNG'; fi\n", "libx264")]
    [InlineData("not a program", "does not start")]
    public async Task BrokenProgramIsNamed(string script, string expected)
    {
        if (OperatingSystem.IsWindows()) return;
        foreach (var name in new[] { "ffmpeg", "ffprobe" })
        {
            File.WriteAllText(media.PathOf(name), script);
            File.SetUnixFileMode(media.PathOf(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var outcome = await FFmpegTools.FindAsync(media.Folder, null, default);
        Assert.Contains(expected, outcome.Refusal!.Message);
        Assert.Contains(media.Folder, outcome.Refusal.Message);
    }

    [Fact]
    public async Task StalledProgramIsEnded()
    {
        if (OperatingSystem.IsWindows()) return;
        await using var process = FFmpegProcess.Start("/bin/sleep", ["60"], "sleep", TimeSpan.FromMilliseconds(300), TimeProvider.System, default);
        var exit = await process.WaitAsync();
        Assert.True(exit.Stalled);
        Assert.Contains("stopped making progress", exit.Explanation);
    }

    [Fact]
    public async Task ProgramThatIgnoresThePoliteSignalIsKilled()
    {
        if (OperatingSystem.IsWindows()) return;
        using var source = new CancellationTokenSource();
        await using var process = FFmpegProcess.Start("/bin/bash", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], "bash", TimeSpan.FromMinutes(1), TimeProvider.System, source.Token);
        Assert.Equal(6, await process.ReadFullyAsync(new byte[6]));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(process.WaitAsync);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.5, 5);
    }
}
