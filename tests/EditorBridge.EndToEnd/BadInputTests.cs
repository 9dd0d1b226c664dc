using EditorBridge.Tests.Shared;

namespace EditorBridge.EndToEnd;

/// <summary>What goes wrong at the host, tried as a new user would: one clear sentence, nothing written, nothing lost.</summary>
[Trait("Speed", "slow")]
public sealed class BadInputTests(Workspace workspace) : IClassFixture<Workspace>
{
    [FFmpegFact]
    public async Task An_unknown_model() =>
        await RefusedAsync(["fill", "--gap", "1", "--prompt", "sea", "--model", "nonesuch"], "MODEL_NOT_FOUND", "nonesuch", "sketch");

    [FFmpegFact]
    public async Task A_prompt_of_ten_thousand_characters() =>
        await RefusedAsync(["fill", "--gap", "1", "--prompt", new string('a', 10_000)], "PROMPT_TOO_LONG", "10000", "shorten");

    [FFmpegFact]
    public async Task Too_many_takes() =>
        await RefusedAsync(["fill", "--gap", "1", "--prompt", "sea", "--takes", "99"], "TAKES_OUT_OF_RANGE", "99");

    [FFmpegFact]
    public async Task An_odd_picture_size() =>
        await RefusedAsync(["broll", "--in", "0", "--out-point", "+5", "--size", "127x71", "--prompt", "sea"], "SIZE_ODD", "127x71");

    [FFmpegFact]
    public async Task Media_that_are_no_video()
    {
        Directory.CreateDirectory(workspace.File("broken"));
        File.WriteAllText(workspace.File("broken/a.mp4"), "This is no film.");
        File.WriteAllText(workspace.File("broken/b.mp4"), "");
        await RefusedOnAsync(workspace.TwoShots("nofilm.otio", folderOfMedia: "broken/"), ["fill", "--gap", "1", "--prompt", "sea"], null, "a.mp4");
    }

    [FFmpegFact]
    public async Task Media_on_a_drive_that_is_not_there() =>
        await RefusedOnAsync(workspace.TwoShots("offline.otio", folderOfMedia: "file:///Volumes/Card%201/"), ["fill", "--gap", "1", "--prompt", "sea"], "MEDIA_OFFLINE", "/Volumes/Card 1/a.mp4");

    [FFmpegFact]
    public async Task Media_shorter_than_the_timeline_says()
    {
        Directory.CreateDirectory(workspace.File("short"));
        await Tool.MakeMovieAsync(workspace.File("short/a.mp4"), 10);
        await Tool.MakeMovieAsync(workspace.File("short/b.mp4"), 10);
        await RefusedOnAsync(workspace.TwoShots("short.otio", folderOfMedia: "short/"), ["fill", "--gap", "1", "--prompt", "sea"], "MEDIA_TOO_SHORT", "10 frames");
    }

    [FFmpegTheory]
    [InlineData("\"effects\": []", """
        "effects": [{"OTIO_SCHEMA": "LinearTimeWarp.1", "name": "", "effect_name": "LinearTimeWarp", "metadata": {}, "time_scalar": 2.0}]
        """, "CLIP_RETIMED", "'A' plays at another speed")]
    [InlineData("\"enabled\": true", "\"enabled\": false", "CLIP_DISABLED", "'A' is disabled")]
    [InlineData("ExternalReference.1", "ImageSequenceReference.1", null, "'A'")]
    public async Task A_shot_that_cannot_be_joined(string part, string inItsPlace, string? reason, string says)
    {
        var timeline = workspace.TwoShots("unjoinable.otio");
        var text = File.ReadAllText(timeline);
        var at = text.IndexOf(part, StringComparison.Ordinal);
        File.WriteAllText(timeline, text[..at] + inItsPlace.Trim() + text[(at + part.Length)..]);
        await RefusedOnAsync(timeline, ["fill", "--gap", "1", "--prompt", "sea"], reason, says);
    }

    [FFmpegFact]
    public async Task A_reference_that_is_no_picture()
    {
        File.WriteAllText(workspace.File("note.png"), "no picture");
        await RefusedAsync(["broll", "--in", "0", "--out-point", "+5", "--prompt", "sea", "--reference", workspace.File("note.png")], null, "note.png");
    }

    [FFmpegFact]
    public async Task No_ffmpeg()
    {
        using var own = new TemporaryFolder();
        var data = own.File("d");
        try
        {
            // A PATH with dotnet in it, but nothing else.
            var bin = Directory.CreateDirectory(own.File("bin")).FullName;
            File.CreateSymbolicLink(Path.Combine(bin, "dotnet"), new FileInfo(Tool.Find("dotnet")!).ResolveLinkTarget(true)?.FullName ?? Tool.Find("dotnet")!);
            var cli = new CliProgram(data).With("PATH", bin).With("EDITORBRIDGE_FFMPEG", null);
            var output = own.File("out.otio");
            var result = await cli.RunAsync("fill", "--timeline", workspace.TwoShots("noffmpeg.otio"), "--out", output, "--gap", "1", "--prompt", "sea", "--json");
            Assert.Equal(1, result.ExitCode);
            var error = Assert.Single(result.Events("error"));
            Assert.Equal("FFMPEG_MISSING", error.GetProperty("reason").GetString());
            Assert.Contains("ffmpeg", error.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.False(File.Exists(output));
            var doctor = await cli.RunAsync("doctor", "--quick", "--json");
            Assert.Equal(1, doctor.ExitCode);
            Assert.Contains(doctor.Events("finding"), finding => finding.GetProperty("subject").GetString() == "ffmpeg" && finding.GetProperty("severity").GetString() == "error");
        }
        finally
        {
            Workspace.StopHost(data);
        }
    }

    [FFmpegFact]
    public async Task A_truncated_model()
    {
        using var own = new TemporaryFolder();
        var data = own.File("d");
        try
        {
            var shipped = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(CliProgram.Path)))!, "EditorBridge.Worker",
                new DirectoryInfo(AppContext.BaseDirectory).Name, "models", "sketch");
            Assert.True(Directory.Exists(shipped), $"{shipped} is missing.");
            var copy = own.File("models/cut");
            foreach (var file in Directory.GetFiles(shipped, "*", SearchOption.AllDirectories))
            {
                var to = Path.Combine(copy, Path.GetRelativePath(shipped, file));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                var bytes = File.ReadAllBytes(file);
                File.WriteAllBytes(to, file.Contains("transformer", StringComparison.Ordinal) && file.EndsWith(".safetensors", StringComparison.Ordinal) ? bytes[..(bytes.Length / 2)] : bytes);
            }

            var cli = new CliProgram(data).With("EDITORBRIDGE_MODELS", own.File("models"));
            var output = own.File("out.otio");
            var result = await cli.RunAsync("fill", "--timeline", workspace.TwoShots("truncated.otio"), "--out", output, "--gap", "1", "--prompt", "sea", "--model", "cut", "--json");
            Assert.Equal(1, result.ExitCode);
            var message = Assert.Single(result.Events("error")).GetProperty("message").GetString()!;
            Assert.Contains("safetensors", message, StringComparison.Ordinal);
            Assert.False(File.Exists(output));
        }
        finally
        {
            Workspace.StopHost(data);
        }
    }

    private Task RefusedAsync(string[] command, string? reason, params string[] says) => RefusedOnAsync(workspace.TwoShots("refused.otio"), command, reason, says);

    private async Task RefusedOnAsync(string timeline, string[] command, string? reason, params string[] says)
    {
        var before = File.ReadAllBytes(timeline);
        var output = workspace.File($"{Guid.NewGuid():N}.otio");
        var result = await workspace.Cli.RunAsync([.. command, "--timeline", timeline, "--out", output, "--json"]);
        Assert.Equal(1, result.ExitCode);
        var error = Assert.Single(result.Events("error"));
        if (reason is not null) Assert.Equal(reason, error.GetProperty("reason").GetString());
        foreach (var word in says) Assert.Contains(word, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Single(result.Errors, line => line == error.GetProperty("message").GetString());
        Assert.Equal(before, File.ReadAllBytes(timeline));
        Assert.False(File.Exists(output));
        Assert.Empty(Directory.GetFiles(workspace.Path, "*.part", SearchOption.AllDirectories));
        Assert.False(Directory.Exists(Path.ChangeExtension(output, null) + "-media"));
    }
}
