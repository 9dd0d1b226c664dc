#pragma warning disable RS0030 // The command line that the script writes for Windows is what is tested.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using ScriptPortal.Vegas;

namespace EditorBridge.Vegas.Tests;

/// <summary>The script's work with a stand-in for VEGAS. That it compiles as VEGAS compiles it, with its windows, is what building Net48 shows.</summary>
public sealed class ScriptTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("eb-vegas-").FullName;

    public void Dispose()
    {
        try
        {
            using var endpoint = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "d", "endpoint.json")));
            using var host = Process.GetProcessById(endpoint.RootElement.GetProperty("processId").GetInt32());
            host.Kill(entireProcessTree: true);
            host.WaitForExit(TimeSpan.FromSeconds(10));
        }
        catch (Exception e) when (e is IOException or ArgumentException or InvalidOperationException)
        {
            // None was started, or it has ended.
        }

        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(23.976, 24000, 1001)]
    [InlineData(23.976023976, 24000, 1001)]
    [InlineData(29.97, 30000, 1001)]
    [InlineData(59.94, 60000, 1001)]
    [InlineData(25, 25, 1)]
    public void A_decimal_rate_means_the_exact_one(double rate, long numerator, long denominator)
    {
        Generation.RateOf(rate, out var n, out var d);
        Assert.Equal((numerator, denominator), (n, d));
    }

    [Fact]
    public void Arguments_arrive_as_they_were()
    {
        string[] arguments = ["plain", "with space", "", "quote\"inside", @"C:\folder\", "back\\\\\"slash", "ünïcode", "a\\b"];
        var line = Generation.CommandLine(arguments);
        var start = new ProcessStartInfo("printf", "\"%s\\n\" " + line) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        Assert.Equal(string.Join("\n", arguments) + "\n", process.StandardOutput.ReadToEnd());
    }

    [Fact]
    public void A_line_of_the_program_is_read_whole()
    {
        var line = JsonLine.Read("""{"event":"done","n":-1.5e2,"t":true,"f":false,"x":null,"s":"a\"b\\c\u00e9\n","clips":[{"path":"/x","frames":24},{}],"e":[]}""");
        Assert.Equal(("done", -150.0, true, false, "a\"b\\cé\n"), (line["event"], line["n"], line["t"], line["f"], line["s"]));
        Assert.Null(line["x"]);
        var clips = Assert.IsType<List<object>>(line["clips"]);
        Assert.Equal(24.0, Assert.IsType<Dictionary<string, object>>(clips[0])["frames"]);
    }

    [Fact]
    public void What_cannot_be_placed_is_refused_before_anything_runs()
    {
        var vegas = Cut(24);
        var generation = new Generation(vegas, "no-such-program");
        string Refusal(GenerationRequest request) => Assert.Throws<GenerationRefused>(() => generation.Run(request, (_, _) => true)).Message;
        Assert.Contains("prompt", Refusal(new GenerationRequest { Kind = "broll", Prompt = " " }));
        Assert.Contains("Nothing is selected", Refusal(new GenerationRequest { Kind = "broll", Prompt = "x" }));
        Assert.Contains("No event", Refusal(new GenerationRequest { Kind = "extend", Prompt = "x", Frames = 5 }));
        vegas.Transport.CursorPosition = At(5, 24);
        Assert.Contains("no gap", Refusal(new GenerationRequest { Kind = "fill", Prompt = "x" }));
        vegas.Transport.CursorPosition = At(28, 24);
        Assert.Contains("no-such-program was not found", Refusal(new GenerationRequest { Kind = "fill", Prompt = "x" }));
    }

    [Fact]
    public void Media_that_a_job_would_need_are_looked_into_before_it_is_asked_for()
    {
        var (program, kept) = (Path.Combine(folder, "program"), Path.Combine(folder, "kept"));
        Executable(program, $"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{kept}.new'\nmv '{kept}.new' '{kept}'\n");
        var vegas = Cut(24);
        var (a, b, c) = (Path.Combine(folder, "a.mp4"), Path.Combine(folder, "b.mp4"), Path.Combine(folder, "c \"3\".mp4"));
        foreach (var file in new[] { a, b, c }) File.WriteAllText(file, "x");
        string[] Looked()
        {
            new Generation(vegas, program).LookEarly();
            for (var tries = 0; !File.Exists(kept); tries++)
            {
                Assert.True(tries < 600, "The program was not asked.");
                Thread.Sleep(50);
            }

            var said = File.ReadAllLines(kept);
            File.Delete(kept);
            return said;
        }

        // No gap at the cursor and nothing selected: one that is there.
        Assert.Equal(["media", "show", a], Looked());
        vegas.Transport.CursorPosition = At(28, 24);
        Assert.Equal(["media", "show", a, b], Looked());
        // The same file twice is one; a selected event is looked into wherever the cursor is.
        var events = vegas.Project.Tracks[1].Events;
        events[1].Selected = true;
        events.Add(new TrackEvent { Start = At(90, 24), Length = At(5, 24), Selected = true, ActiveTake = new Take { Media = new Media { FilePath = c } } });
        Assert.Equal(["media", "show", a, b, c], Looked());
        vegas.Transport.CursorPosition = At(3, 24);
        Assert.Equal(["media", "show", b, c], Looked());

        // What goes wrong here is for the job to say.
        new Generation(vegas, "no-such-program").LookEarly();
        vegas.Project.Video.FrameRate = 17.3;
        new Generation(vegas, program).LookEarly();
        vegas.Project.Tracks.Clear();
        new Generation(vegas, program).LookEarly();
        Assert.False(File.Exists(kept));
    }

    [Fact]
    public void Crossfades_are_handed_over_as_transitions()
    {
        // A and B share eight frames, C begins where B ends, and D lies wholly under E, on the same track.
        var vegas = Cut(24);
        var track = (VideoTrack)vegas.Project.Tracks[1];
        track.Events.Clear();
        foreach (var (name, start, frames) in new[] { ("a", 0, 24), ("b", 16, 20), ("c", 36, 10), ("e", 60, 20), ("d", 62, 5) })
        {
            track.Events.Add(new TrackEvent
            {
                Start = At(start, 24), Length = At(frames, 24), Selected = name == "b",
                ActiveTake = new Take { Media = new Media { FilePath = Path.Combine(folder, name) }, Offset = At(100, 24), Length = At(200, 24) },
            });
        }

        var (timeline, arguments) = HandedOver(vegas, new GenerationRequest { Kind = "extend", Prompt = "x", Frames = 5 });
        var children = timeline.GetProperty("tracks").GetProperty("children")[0].GetProperty("children").EnumerateArray().Select(child => child.GetProperty("OTIO_SCHEMA").GetString() switch
        {
            "Transition.1" => $"{child.GetProperty("in_offset").GetProperty("value")}|{child.GetProperty("out_offset").GetProperty("value")}",
            var schema => $"{schema![0]} {child.GetProperty("source_range").GetProperty("start_time").GetProperty("value")}+{child.GetProperty("source_range").GetProperty("duration").GetProperty("value")}",
        });
        Assert.Equal(["C 100+20", "4|4", "C 104+16", "C 100+10", "G 0+14", "C 0+20"], children);
        Assert.Contains("--in 26 --frames 5", arguments, StringComparison.Ordinal);
    }

    /// <summary>The timeline and the arguments that the script gives to the program.</summary>
    private (JsonElement Timeline, string Arguments) HandedOver(ScriptPortal.Vegas.Vegas vegas, GenerationRequest request)
    {
        var (program, kept) = (Path.Combine(folder, "program"), Path.Combine(folder, "kept"));
        Executable(program, $"#!/bin/sh\necho \"$@\" > '{kept}'\nwhile [ \"$1\" != --timeline ]; do shift; done\ncat \"$2\" >> '{kept}'\necho '{{\"event\":\"error\",\"message\":\"kept\"}}'\n");
        Assert.Equal("kept", Assert.Throws<GenerationRefused>(() => new Generation(vegas, program).Run(request, (_, _) => true)).Message);
        var said = File.ReadAllText(kept).Split('\n', 2);
        return (JsonDocument.Parse(said[1]).RootElement, said[0]);
    }

    [Fact]
    [Trait("Speed", "slow")]
    public void The_three_jobs_land_on_their_frames()
    {
        Media("a.mp4", 0);
        Media("b.mp4", 120);
        var program = Program();
        Environment.SetEnvironmentVariable("EDITORBRIDGE_DATA", Path.Combine(folder, "d"));
        const double rate = 24000.0 / 1001;
        var vegas = Cut(23.976);
        vegas.Project.FilePath = Path.Combine(folder, "cut.veg");
        var generation = new Generation(vegas, program);
        var stages = new List<string>();
        bool Report(string stage, double part)
        {
            stages.Add(stage);
            return true;
        }

        (long Start, long Length) Frames(TrackEvent item) => ((long)Math.Round(item.Start.ToMilliseconds() * rate / 1000), (long)Math.Round(item.Length.ToMilliseconds() * rate / 1000));

        vegas.Transport.CursorPosition = At(28, rate);
        // As the window does when it opens: the host is there before a job is asked for.
        generation.LookEarly();
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Path.Combine(folder, "d", "endpoint.json")), TimeSpan.FromMinutes(2)));
        var filled = generation.Run(new GenerationRequest { Kind = "fill", Prompt = "a red car in the city" }, Report);
        Assert.Equal((24, 10), Frames(filled));
        Assert.Contains(filled, vegas.Project.Tracks[1].Events);
        Assert.StartsWith(Path.Combine(folder, "EditorBridge clips"), filled.ActiveTake.Media.FilePath, StringComparison.Ordinal);
        Assert.Contains("denoise", stages);

        // Dragged leftwards.
        vegas.Transport.SelectionStart = At(20, rate);
        vegas.Transport.SelectionLength = At(-8, rate);
        var broll = generation.Run(new GenerationRequest { Kind = "broll", Prompt = "clouds" }, Report);
        Assert.Equal((12, 8), Frames(broll));
        Assert.Contains(broll, vegas.Project.Tracks[0].Events);

        var last = vegas.Project.Tracks[1].Events[1];
        last.Selected = true;
        var extended = generation.Run(new GenerationRequest { Kind = "extend", Prompt = "a red car in the city", Frames = 6 }, Report);
        Assert.Equal((64, 6), Frames(extended));
        Assert.Equal(3, UndoBlock.Count);

        // The first word that comes is answered with no.
        var before = vegas.Project.Tracks.Sum(t => t.Events.Count);
        var cancelled = Assert.Throws<GenerationRefused>(() => generation.Run(new GenerationRequest { Kind = "extend", Prompt = "x", Frames = 20, Head = false }, (stage, _) => stage is "planned" or "queued"));
        Assert.Equal("Cancelled.", cancelled.Message);
        Assert.Equal(before, vegas.Project.Tracks.Sum(t => t.Events.Count));
    }

    // Two events with a gap of ten frames on the lower of two video tracks; one music track below.
    private ScriptPortal.Vegas.Vegas Cut(double rate)
    {
        Generation.RateOf(rate, out var n, out var d);
        var exact = (double)n / d;
        var vegas = new ScriptPortal.Vegas.Vegas();
        vegas.Project.Video.FrameRate = rate;
        (vegas.Project.Video.Width, vegas.Project.Video.Height) = (128, 72);
        _ = new VideoTrack(vegas.Project, 0, "above");
        var track = new VideoTrack(vegas.Project, 1, "cut");
        vegas.Project.Tracks.Add(new AudioTrack());
        foreach (var (name, start, frames, offset) in new[] { ("a.mp4", 0, 24, 8), ("b.mp4", 34, 30, 12) })
        {
            track.Events.Add(new TrackEvent
            {
                Start = At(start, exact), Length = At(frames, exact),
                ActiveTake = new Take { Media = new Media { FilePath = Path.Combine(folder, name) }, Offset = At(offset, exact), Length = At(60, exact) },
            });
        }

        return vegas;
    }

    private static Timecode At(long frame, double rate) => Timecode.FromMilliseconds(frame * 1000.0 / rate);

    private void Media(string name, int hue)
    {
        var start = new ProcessStartInfo("ffmpeg");
        foreach (var argument in (string[])["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=128x72:rate=24000/1001", "-vf", "hue=h=" + hue.ToString(CultureInfo.InvariantCulture),
            "-frames:v", "60", "-pix_fmt", "yuv420p", Path.Combine(folder, name)])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static void Executable(string path, string script)
    {
        File.WriteAllText(path, script);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string Program()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(configuration.Parent!.Parent!.FullName, "EditorBridge.Cli", configuration.Name, OperatingSystem.IsWindows() ? "editorbridge.exe" : "editorbridge");
    }
}
