using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace EditorBridge.EndToEnd.Blender;

/// <summary>The add-on in a real Blender without a window, with the real program and the shipped model.</summary>
public sealed class BlenderAddOnTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("blender-").FullName;

    private string DataFolder => Path.Combine(folder, "d");

    public void Dispose()
    {
        StopHost();
        Directory.Delete(folder, recursive: true);
    }

    [BlenderFact]
    [Trait("Speed", "slow")]
    public void TheThreeJobsRunInTheSequencer()
    {
        var blender = Find("blender") ?? throw new InvalidOperationException("Blender is missing: eng/setup.sh test installs it.");
        MakeShots();
        var scripts = Path.Combine(folder, "scripts");
        CopyFolder(Path.Combine(Root(), "plugin-manifests", "blender", "editorbridge"), Path.Combine(scripts, "addons", "editorbridge"));
        var output = Run(blender, ["-b", "--factory-startup", "--python-exit-code", "1", "--python", Script("in_blender.py"), "--", folder], 1500, Environment(scripts));
        Assert.Contains("ALL PASSED", output, StringComparison.Ordinal);
        // The same file in a Blender that does not know the add-on, opened, saved and opened again.
        var again = Run(blender, ["-b", "--factory-startup", "--python-exit-code", "1", "--python", Script("in_blender_again.py"), "--", folder], 120, Environment(Path.Combine(folder, "none")));
        Assert.Contains("KEPT", again, StringComparison.Ordinal);
    }

    /// <summary>With a window, on a screen nobody sees: a job goes on while Blender draws, shows how far it is, and is one step of undo.</summary>
    [BlenderFact]
    [Trait("Speed", "slow")]
    public void PanelAndStatusBarShowTheJobInAWindow()
    {
        var blender = Find("blender") ?? throw new InvalidOperationException("Blender is missing: eng/setup.sh test installs it.");
        var screen = Find("xvfb-run") ?? throw new InvalidOperationException("Xvfb is missing: eng/setup.sh test installs it.");
        MakeShots();
        var scripts = Path.Combine(folder, "scripts");
        CopyFolder(Path.Combine(Root(), "plugin-manifests", "blender", "editorbridge"), Path.Combine(scripts, "addons", "editorbridge"));
        Run(screen, ["-a", "-s", "-screen 0 1440x900x24", blender, "--factory-startup", "--app-template", "Video_Editing", "--window-geometry", "0", "0", "1440", "900",
            "--python", Script("in_window.py"), "--", folder], 400, Environment(scripts));
        using var result = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "result.json")));
        var seen = result.RootElement;
        Assert.False(seen.TryGetProperty("failed", out var failure), failure.ToString());
        Assert.Equal(["panel", "panel, running", "status bar"], Texts(seen, "drawn"));
        var progress = seen.GetProperty("progress").EnumerateArray().Select(value => value.GetDouble()).ToList();
        Assert.Equal(progress.Order(), progress);
        Assert.True(progress.Distinct().Count() > 5, string.Join(' ', progress));
        // Channel, start, end, takes.
        Assert.Equal([1, 85, 109, 2], seen.GetProperty("made").EnumerateArray().Select(value => value.GetInt32()));
        Assert.Equal(["shot 1", "shot 2"], Texts(seen, "after undo"));
        Assert.Equal(3, seen.GetProperty("after redo").GetInt32());
        foreach (var picture in (string[])["running.png", "done.png"]) Assert.True(new FileInfo(Path.Combine(folder, picture)).Length > 10_000, picture);
    }

    /// <summary>Whoever writes the prompt does not wait, and is not troubled: a stand-in for the program says what it was asked.</summary>
    [BlenderFact]
    [Trait("Speed", "slow")]
    public void TheHostLooksIntoTheMediaWhileThePromptIsWritten()
    {
        var blender = Find("blender") ?? throw new InvalidOperationException("Blender is missing: eng/setup.sh test installs it.");
        MakeShots();
        var scripts = Path.Combine(folder, "scripts");
        CopyFolder(Path.Combine(Root(), "plugin-manifests", "blender", "editorbridge"), Path.Combine(scripts, "addons", "editorbridge"));
        var output = Run(blender, ["-b", "--factory-startup", "--python-exit-code", "1", "--python", Script("in_blender_prompt.py"), "--", folder], 120, Environment(scripts));
        Assert.Contains("ALL PASSED", output, StringComparison.Ordinal);
        // What the program says is nobody's business.
        Assert.DoesNotContain("said\n", output, StringComparison.Ordinal);
    }

    private static IEnumerable<string?> Texts(JsonElement element, string name) => element.GetProperty(name).EnumerateArray().Select(value => value.GetString());

    private void MakeShots()
    {
        foreach (var (name, rate, frames) in new[] { ("a", "24000/1001", "96"), ("b", "24000/1001", "96"), ("fast", "48000/1001", "24") })
            Run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", $"testsrc2=s=320x180:r={rate}", "-frames:v", frames, "-c:v", "libx264", "-pix_fmt", "yuv420p",
                Path.Combine(folder, name + ".mp4")], 60);
    }

    /// <summary>The names of versions that Debian does not have, as their reference lists them; what lies behind the names is tested above.</summary>
    [Theory]
    [InlineData("3.4")]
    [InlineData("4.4")]
    [InlineData("5.0")]
    [InlineData("5.1")]
    [InlineData("6.0")]
    public void TheAddOnAsksForNothingThatAVersionDoesNotHave(string version)
    {
        var python = Find("python3") ?? throw new InvalidOperationException("Python is missing: eng/setup.sh test installs it.");
        var output = Run(python, ["-B", Script("later_names.py"), Path.Combine(Root(), "plugin-manifests", "blender"), folder, version], 60);
        Assert.Contains("ALL PASSED", output, StringComparison.Ordinal);
    }

    /// <summary>What Blender's own check of extensions refuses: sentences of more than 64 characters, or with a full stop.</summary>
    [Fact]
    public void TheManifestsSentencesAreAsShortAsBlenderWantsThem()
    {
        var lines = File.ReadAllLines(Path.Combine(Root(), "plugin-manifests", "blender", "editorbridge", "blender_manifest.toml"));
        var permissions = lines.SkipWhile(line => line != "[permissions]").Skip(1).Where(line => line.Contains('=', StringComparison.Ordinal));
        string[] sentences = [.. lines.Where(line => line.StartsWith("tagline", StringComparison.Ordinal)).Concat(permissions).Select(line => line[(line.IndexOf('"', StringComparison.Ordinal) + 1)..^1])];
        Assert.Equal(2, sentences.Length);
        Assert.All(sentences, sentence => Assert.True(sentence.Length is > 10 and <= 64 && char.IsLetterOrDigit(sentence[^1]), sentence));
    }

    private Dictionary<string, string> Environment(string scripts) => new()
    {
        ["BLENDER_USER_SCRIPTS"] = scripts,
        ["BLENDER_USER_CONFIG"] = Path.Combine(folder, "config"),
        ["EDITORBRIDGE_CLI"] = Program(),
        ["EDITORBRIDGE_DATA"] = DataFolder,
        ["EDITORBRIDGE_HOST__IdleTimeout"] = "00:05:00",
    };

    private static string Script(string name) => Path.Combine(Root(), "tests", "EditorBridge.EndToEnd", "Blender", name);

    private static string Root([CallerFilePath] string source = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", ".."));

    /// <summary>The program that the solution's build made, of this test's own configuration.</summary>
    private static string Program()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(configuration.Parent!.Parent!.FullName, "EditorBridge.Cli", configuration.Name, OperatingSystem.IsWindows() ? "editorbridge.exe" : "editorbridge");
    }

    private void StopHost()
    {
        try
        {
            using var endpoint = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(DataFolder, "endpoint.json")));
            using var host = Process.GetProcessById(endpoint.RootElement.GetProperty("processId").GetInt32());
            host.Kill(entireProcessTree: true);
            host.WaitForExit(TimeSpan.FromSeconds(10));
        }
        catch (Exception error) when (error is IOException or ArgumentException or InvalidOperationException)
        {
            // None was started, or it has ended.
        }
    }

    private static string? Find(string program) => (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(directory => Path.Combine(directory, OperatingSystem.IsWindows() ? program + ".exe" : program)).FirstOrDefault(File.Exists);

    private static string Run(string program, string[] arguments, int seconds, Dictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(seconds)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} took longer than {seconds} s.\n{output.Result}\n{errors.Result}");
        }
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}.\n{output.Result}\n{errors.Result}");
        return output.Result;
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    /// <summary>Skipped where Blender is missing, but not in continuous integration.</summary>
    private sealed class BlenderFactAttribute : FactAttribute
    {
        public BlenderFactAttribute()
        {
            if (System.Environment.GetEnvironmentVariable("CI") != "true" && Find("blender") is null)
                Skip = "Blender is not installed.";
        }
    }
}
